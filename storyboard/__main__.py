"""`python -m storyboard` is the same as `storyboard`."""

from storyboard.cli import main

main(prog_name="storyboard")
