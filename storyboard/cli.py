"""The command line: options in, one call, results out."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from storyboard import __version__
from storyboard.errors import ExitCode, StoryboardError, StoryError

if TYPE_CHECKING:
    from storyboard.render import Work

_FILE = click.Path(path_type=Path)


class Commands(click.Group):
    """The command group, with the one place where errors become lines and exit codes."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and end the process with its exit code."""
        kwargs["standalone_mode"] = False
        _treat_sigterm_as_ctrl_c()
        sys.exit(_exit_code(lambda: super(Commands, self).main(*args, **kwargs)))


def _exit_code(run: Callable[[], object]) -> int:
    try:
        code = run()
        sys.stdout.flush()
    except click.ClickException as err:
        err.show()
        return ExitCode.USAGE
    except StoryboardError as err:
        _tell(err)
        return err.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("Stopped. The same command goes on where it stopped.")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our results has gone; nobody is left to be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OUTPUT
    except SystemExit:  # click ends so, and only then, when it meets a broken pipe itself
        return ExitCode.OUTPUT
    except Exception as err:  # noqa: BLE001 - the one place where a bug becomes a line
        if os.environ.get("STORYBOARD_TRACEBACK"):
            traceback.print_exc()
        _say(f"Error: this is a bug in storyboard: {type(err).__name__}: {err}")
        _say("Hint: set STORYBOARD_TRACEBACK=1 and run it again to see where it happened.")
        return ExitCode.BUG
    return code if isinstance(code, int) else ExitCode.DONE


def _tell(err: StoryboardError) -> None:
    if os.environ.get("STORYBOARD_TRACEBACK"):
        traceback.print_exc()
    _say(f"Error: {err}")
    for problem in err.problems if isinstance(err, StoryError) else ():
        _say(f"  {problem}")
    if err.hint:
        _say(f"Hint: {err.hint}")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _treat_sigterm_as_ctrl_c() -> None:
    """End as cleanly when a shutdown or a batch system asks as when the writer does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _print(results: Iterable[object]) -> None:
    for result in results:
        click.echo(result)


def _story_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("file", type=_FILE)(command)


def _selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    pages = click.option("--pages", default="", metavar="1-3,5", help="Only these pages.")
    panels = click.option("--panels", default="", metavar="ID,ID", help="Draw only these panels.")
    return pages(panels(command))


def _drawing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    rough = click.option("--rough", is_flag=True, help="Draw mannequins, without a model.")
    model = click.option(
        "--model", type=_FILE, help="Folder of the DiffSensei weights that draw the panels."
    )
    llm = click.option("--llm", type=_FILE, help="GGUF file of the language model that plans.")
    dry_run = click.option(
        "--dry-run", is_flag=True, help="List what would be drawn, and why; draw nothing."
    )
    return _selection_options(rough(model(llm(dry_run(command)))))


def _output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "-o", "--output", type=_FILE, help="The PDF. Without it: beside the story, of its name."
    )(command)


def _work(
    file: Path,
    *,
    pages: str = "",
    panels: str = "",
    **options: Any,
) -> Work:
    from storyboard.render import Work
    from storyboard.selection import Selection

    return Work(file, selection=Selection(pages=pages, panels=panels), **options)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="storyboard")
def main() -> None:
    """Turn a story into a finished manga book on your own machine.

    `storyboard render story.yaml` does everything; the other commands are its single steps.
    """


@main.command()
@_story_argument
@_drawing_options
@_output_option
def render(file: Path, *, dry_run: bool, **options: Any) -> None:
    """Turn a story, synopsis or plan into a PDF.

    Plans the story if there is no plan yet, draws the panels that are missing, letters and binds
    them. What is already there is kept: a changed caption redraws one panel, a changed dialogue
    none.
    """
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    if dry_run:
        _print(chain.dry_run(_work(file, **options), progress_on_stderr()))
    else:
        _print([chain.render(_work(file, **options), progress_on_stderr())])


@main.command()
@_story_argument
@click.option("--llm", type=_FILE, help="GGUF file of the language model that plans.")
@click.option("--force", is_flag=True, help="Plan anew; the old plan is kept beside the new one.")
def plan(file: Path, *, llm: Path | None, force: bool) -> None:
    """Plan a story's pages and panels, to be edited and rendered."""
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    _print([chain.plan(_work(file, llm=llm), progress_on_stderr(), force=force)])


@main.command()
@_story_argument
def check(file: Path) -> None:
    """List everything that is wrong in a story or plan."""
    from storyboard import render as chain

    chain.check(file)
    _print([f"{file}: no problems"])


@main.command()
@_story_argument
@_drawing_options
def draw(file: Path, *, dry_run: bool, **options: Any) -> None:
    """Draw the panels that are missing.

    Prints the paths of all pictures that are wanted and there.
    """
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    run = chain.dry_run if dry_run else chain.draw
    _print(run(_work(file, **options), progress_on_stderr()))


@main.command()
@_story_argument
@click.option("--pages", default="", metavar="1-3,5", help="Only these pages.")
@click.option("--rough", is_flag=True, help="Use the roughs instead of the drawn panels.")
@_output_option
def letter(file: Path, **options: Any) -> None:
    """Letter and bind the pictures that are there.

    Draws nothing and loads no model.
    """
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    _print([chain.letter(_work(file, **options), progress_on_stderr())])


@main.command()
@_story_argument
@click.option("--png", type=_FILE, required=True, metavar="DIR", help="Folder for the pages.")
@click.option(
    "--dpi", type=click.FloatRange(36, 600), default=150, show_default=True, help="Resolution."
)
@click.option("--pages", default="", metavar="1-3,5", help="Only these pages.")
@click.option("--rough", is_flag=True, help="Use the roughs instead of the drawn panels.")
def export(file: Path, *, png: Path, dpi: float, **options: Any) -> None:
    """Write the lettered pages as pictures.

    Draws nothing and loads no model.
    """
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    _print(chain.export_png(_work(file, **options), png, dpi, progress_on_stderr()))


@main.command()
@click.argument("kind", type=click.Choice(["story", "plan"]))
def schema(kind: Any) -> None:
    """Print the JSON Schema of stories or plans.

    Editors that know it complete what is typed, and check it.
    """
    from storyboard.schema import json_schema

    _print([json_schema(kind)])
