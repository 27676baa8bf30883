"""The command line's options for drawing panels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from storyboard.options import DrawingOptions

MODES = ("fast", "balanced", "lean", "cpu")  # as in storyboard.options, which --help does not load
_FILE = click.Path(path_type=Path)

_OPTIONS = (
    click.option("--rough", is_flag=True, help="Draw mannequins, without a model."),
    click.option(
        "--model", metavar="NAME|DIR", help="The model that draws; see `storyboard models list`."
    ),
    click.option("--llm", type=_FILE, help="GGUF file of the language model that plans."),
    click.option("--steps", type=click.IntRange(1, 1000), help="Denoising steps of a panel."),
    click.option(
        "--guidance",
        type=click.FloatRange(0, 50),
        help="How closely to keep to the caption; 1 for LoRAs of few steps.",
    ),
    click.option(
        "--scheduler", metavar="NAME", help="Way through the noise, by diffusers' name for it."
    ),
    click.option(
        "--lora",
        "loras",
        multiple=True,
        metavar="FILE[:WEIGHT]",
        help="Change of the weights, of a style or for few steps; may be given several times.",
    ),
    click.option(
        "--mode",
        type=click.Choice(MODES),
        help="How memory is used, from quick to lean. Without it: the quickest that fits.",
    ),
    click.option(
        "--batch",
        type=click.IntRange(1, 64),
        help="Panels drawn together at most. Without it: as many as fit.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="List what would be drawn, why, and what it takes; draw nothing.",
    ),
)


def drawing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for drawing panels."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def options_from(given: dict[str, Any]) -> DrawingOptions:
    """Take the options for drawing out of all that were given.

    Raises:
        UsageError: a LoRA's weight is out of range.
    """
    from storyboard.errors import UsageError
    from storyboard.options import LORA_FORM, DrawingOptions, read_lora

    names = ("steps", "guidance", "scheduler", "mode", "batch")
    try:
        loras = tuple(read_lora(text) for text in given.pop("loras", ()))
    except ValueError as err:
        raise UsageError(f"--lora: {err}", hint=f"name {LORA_FORM}") from err
    return DrawingOptions(loras=loras, **{name: given.pop(name, None) for name in names})
