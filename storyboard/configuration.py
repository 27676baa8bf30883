"""What the writer has set once for all stories, or for those of one folder."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from storyboard.errors import StoryError
from storyboard.report import Report
from storyboard.structure import read_struct
from storyboard.yamlfile import read_yaml

FILE_NAME = "storyboard.yaml"


class _Entries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it is written; nothing in it is required."""

    model: str = ""
    llm: str = ""
    steps: int | None = None


class Configuration(msgspec.Struct, frozen=True):
    """The models to use, and how many steps a panel is drawn in; None leaves it to the tool."""

    model: Path | None = None
    llm: Path | None = None
    steps: int | None = None


def user_file() -> Path:
    """Return where the writer's own configuration is, by the platform's rules."""
    return Path(click.get_app_dir("storyboard")) / "config.yaml"


def read_configuration(folder: Path) -> Configuration:
    """Return what is set for stories in this folder.

    `storyboard.yaml` in the folder goes before the writer's own file (`user_file`); neither need
    exist. Paths are relative to the file that names them.

    Raises:
        StoryError: a file is broken or names something unknown; all problems of it are told.
    """
    of_folder, of_user = _read(folder / FILE_NAME), _read(user_file())
    return Configuration(
        model=of_folder.model or of_user.model,
        llm=of_folder.llm or of_user.llm,
        steps=of_user.steps if of_folder.steps is None else of_folder.steps,
    )


def _read(file: Path) -> Configuration:
    if not file.exists():
        return Configuration()
    document = read_yaml(file)
    report = Report(str(file), document)
    entries = read_struct(document, _Entries, report)
    if entries.steps is not None and not 1 <= entries.steps <= 1000:
        report.add(("steps",), f"{entries.steps} steps cannot be drawn", allowed="1 to 1000")
    if report.problems:
        raise StoryError(f"the configuration {file} is wrong", problems=report.problems)
    return Configuration(
        model=_path(file, entries.model), llm=_path(file, entries.llm), steps=entries.steps
    )


def _path(file: Path, entry: str) -> Path | None:
    return file.parent / Path(entry).expanduser() if entry else None
