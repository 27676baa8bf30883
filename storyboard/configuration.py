"""What the writer has set once for all stories, or for those of one folder."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from storyboard.errors import StoryError
from storyboard.options import (
    BATCHES,
    LORA_FORM,
    MAX_GUIDANCE,
    STEPS,
    DrawingOptions,
    LoraChoice,
    Mode,
    read_lora,
)
from storyboard.report import Report
from storyboard.structure import read_struct
from storyboard.yamlfile import read_yaml

FILE_NAME = "storyboard.yaml"


class _Entries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it is written; nothing in it is required."""

    model: str = ""
    models: str = ""
    llm: str = ""
    steps: int | None = None
    guidance: float | None = None
    scheduler: str | None = None
    loras: tuple[str, ...] = ()
    mode: Mode | None = None
    batch: int | None = None


class Configuration(msgspec.Struct, frozen=True):
    """The models to use and how to draw with them; what is None is left to the tool.

    `model` is a model's name or folder, `models` the folder where named models lie.
    """

    model: str | None = None
    models: Path | None = None
    llm: Path | None = None
    options: DrawingOptions = DrawingOptions()


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
        models=of_folder.models or of_user.models,
        llm=of_folder.llm or of_user.llm,
        options=of_folder.options.over(of_user.options),
    )


def _read(file: Path) -> Configuration:
    if not file.exists():
        return Configuration()
    document = read_yaml(file)
    report = Report(str(file), document)
    entries = read_struct(document, _Entries, report)
    _examine(entries, report)
    loras = _loras(entries, file.parent, report)
    if report.problems:
        raise StoryError(f"the configuration {file} is wrong", problems=report.problems)
    return Configuration(
        model=_model(file, entries.model),
        models=_path(file, entries.models),
        llm=_path(file, entries.llm),
        options=DrawingOptions(
            steps=entries.steps,
            guidance=entries.guidance,
            scheduler=entries.scheduler or None,
            loras=loras,
            mode=entries.mode,
            batch=entries.batch,
        ),
    )


def _examine(entries: _Entries, report: Report) -> None:
    for name, number, allowed in (
        ("steps", entries.steps, STEPS),
        ("batch", entries.batch, BATCHES),
    ):
        if number is not None and number not in allowed:
            found = f"{number} {'steps' if name == 'steps' else 'panels together'} cannot be drawn"
            report.add((name,), found, allowed=f"{allowed[0]} to {allowed[-1]}")
    if entries.guidance is not None and not 0 <= entries.guidance <= MAX_GUIDANCE:
        message = f"{entries.guidance:g} is no guidance"
        report.add(("guidance",), message, allowed=f"0 to {MAX_GUIDANCE:g}")


def _loras(entries: _Entries, folder: Path, report: Report) -> tuple[LoraChoice, ...]:
    found = []
    for index, entry in enumerate(entries.loras):
        try:
            found.append(read_lora(entry, folder))
        except ValueError as err:
            report.add(("loras", index), str(err), allowed=LORA_FORM)
    return tuple(found)


def _model(file: Path, entry: str) -> str | None:
    """Return the path of a model's folder, or its name where the entry can be no path."""
    path = _path(file, entry)
    is_path = path is not None and (path.is_dir() or Path(entry).name != entry)
    return (str(path) if is_path else entry) or None


def _path(file: Path, entry: str) -> Path | None:
    return file.parent / Path(entry).expanduser() if entry else None
