"""`storyboard models`: the models that draw."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from storyboard.models.shelf import Shelf


@click.group()
def models() -> None:
    """List, fetch, remove, convert and show the models that draw.

    They lie in a folder of their own: the one that STORYBOARD_MODELS names, else `models` in
    storyboard.yaml, else one beside your configuration.
    """


@models.command("list")
def list_() -> None:
    """List the models there are, and those that can be fetched."""
    from storyboard.modelcare import list_models

    shelf = _shelf()
    for line in list_models(shelf):
        click.echo(line)
    click.echo(f"Models are kept in {shelf.folder}", err=True)


@models.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--without-language-model",
    is_flag=True,
    help="Leave out the part that fits characters to what they do; it is the largest.",
)
def pull(name: str, *, yes: bool, without_language_model: bool) -> None:
    """Fetch a model.

    Says how large it is, on which terms, and where it goes, and asks. A fetch that was stopped
    goes on where it stopped.
    """
    from storyboard.modelcare import pull_model
    from storyboard.progress import progress_on_stderr

    folder = pull_model(
        name,
        _shelf(),
        progress_on_stderr(),
        lambda question: _agrees(question, yes=yes),
        with_language_model=not without_language_model,
    )
    click.echo(folder if folder else "Nothing was fetched.", err=folder is None)


@models.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, *, yes: bool) -> None:
    """Delete a model that was fetched or converted.

    Asks first. What the tool did not put there it does not delete.
    """
    from storyboard.modelcare import remove_model

    is_gone = remove_model(name, _shelf(), lambda question: _agrees(question, yes=yes))
    click.echo(f"{name} is removed." if is_gone else "Nothing was removed.", err=True)


@models.command()
@click.argument("source")
@click.argument("target")
def convert(source: str, target: str) -> None:
    """Write a model anew as safetensors.

    They load more quickly and safely than .bin files. SOURCE is a model's folder or name; TARGET
    a new folder with a / in its path, or a name in the models folder.
    """
    from storyboard.modelcare import convert as convert_model
    from storyboard.progress import progress_on_stderr

    click.echo(convert_model(source, target, _shelf(), progress_on_stderr()))


@models.command()
@click.argument("name")
def show(name: str) -> None:
    """Show what a model consists of.

    Its parts with sizes and kinds of numbers, its settings, whether a language model belongs to
    it, and its fingerprint. NAME may be a folder, too.
    """
    from storyboard.modelcare import show_model
    from storyboard.progress import progress_on_stderr

    for line in show_model(name, _shelf(), progress_on_stderr()):
        click.echo(line)


def _shelf() -> Shelf:
    from pathlib import Path

    from storyboard.configuration import read_configuration
    from storyboard.models.shelf import Shelf, models_folder

    return Shelf(models_folder(read_configuration(Path()).models))


def _agrees(question: str, *, yes: bool) -> bool:
    """Say what is about to happen, and ask unless the answer was given beforehand.

    Raises:
        UsageError: there is nobody to answer.
    """
    from storyboard.errors import UsageError

    about, _, asked = question.rpartition("\n")
    click.echo(about, err=True)
    if yes:
        return True
    try:
        return click.confirm(asked, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError("there is nobody to ask", hint="--yes answers beforehand") from None
