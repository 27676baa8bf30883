"""What the writer asks for, which model draws it, and what is to be said of its cast's pictures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from storyboard.artist import Artist
from storyboard.checks import is_plan
from storyboard.configuration import Configuration, read_configuration
from storyboard.diffsensei.artist import DiffSenseiArtist
from storyboard.diffsensei.weights import looks_at_middle, mini_model
from storyboard.errors import MissingError, StoryError
from storyboard.models.catalogue import MINI
from storyboard.models.shelf import Shelf, models_folder
from storyboard.options import DrawingOptions
from storyboard.problems import Problem
from storyboard.progress import Progress
from storyboard.selection import Selection
from storyboard.story import Character
from storyboard.workspace import PLAN_SUFFIX, stem_of
from storyboard.yamlfile import read_yaml


class Work(msgspec.Struct, frozen=True):
    """What the writer asks for. `file` is a story, a synopsis or a plan.

    `model` is a folder or a model's name; `options` go before the configuration's.
    """

    file: Path
    selection: Selection = Selection()
    rough: bool = False
    no_text: bool = False
    model: str | Path | None = None
    llm: Path | None = None
    options: DrawingOptions = DrawingOptions()
    output: Path | None = None
    flatten: bool = False

    @property
    def plan_path(self) -> Path:
        """Where the plan is, or will be."""
        return self.file if self.is_plan else self.file.with_name(stem_of(self.file) + PLAN_SUFFIX)

    @property
    def is_plan(self) -> bool:
        """Whether the file holds a plan, whatever its name."""
        return self.file.name.endswith(PLAN_SUFFIX) or _holds_plan(self.file)

    @property
    def pdf_path(self) -> Path:
        """Where the book goes. Only the whole, drawn, editable book has the plain name."""
        if self.output is not None:
            return self.output
        rough = ".rough" if self.rough else ""
        blank = ".blank" if self.no_text else ""
        pages = f".pages-{self.selection.pages}" if self.selection.pages else ""
        return self.file.with_name(f"{stem_of(self.file)}{pages}{rough}{blank}.pdf")


@lru_cache(maxsize=8)  # asked several times in one command
def _holds_plan(file: Path) -> bool:
    if file.suffix not in (".yaml", ".yml") or not file.is_file():
        return False
    try:
        return is_plan(read_yaml(file))
    except StoryError:  # broken: `check` will say why
        return False


def artist_for(work: Work, progress: Progress) -> Artist:
    """Return who draws: the rough artist, or DiffSensei with the model and options asked for.

    Raises:
        MissingError: there is no such model.
    """
    if work.rough:
        from storyboard.rough import RoughArtist

        return RoughArtist()
    configuration = configuration_of(work)
    return DiffSenseiArtist(
        _model_folder(work),
        work.options.over(configuration.options),
        cache_folder=models_folder(configuration.models),
        note=progress.say,
    )


def _model_folder(work: Work) -> Path:
    configuration = configuration_of(work)
    named = work.model or configuration.model or MINI
    return Shelf(models_folder(configuration.models)).find(named, mini_model())


def configuration_of(work: Work) -> Configuration:
    """Return what is set for the folder of the story."""
    return read_configuration(work.file.parent)


def cast_warnings(
    work: Work, characters: Sequence[Character], names: Collection[str] | None = None
) -> tuple[Problem, ...]:
    """Return what is wrong with the pictures of the file's characters, or of those named."""
    from storyboard.references import reference_warnings

    if not any(character.images for character in characters):
        return ()
    document = read_yaml(work.file)
    try:
        is_cropped = looks_at_middle(_model_folder(work))
    except MissingError:  # told when it is needed
        is_cropped = False
    return reference_warnings(
        document, characters, work.file.parent, names=names, looks_at_middle=is_cropped
    )
