"""The folder in which models lie by name: what is there, and what may be taken away again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from storyboard.errors import MissingError, OutputError, UsageError
from storyboard.files import write_atomically
from storyboard.models.catalogue import CATALOGUE, MINI, entry_named, size_text

FOLDER_VARIABLE = "STORYBOARD_MODELS"
RECORD_FILE = ".storyboard-model"
IMAGE_GENERATOR = "image_generator"
_UNFINISHED = ".unfinished-"


class Record(msgspec.Struct, frozen=True):
    """How a model came here, written into its folder: only what has one may be removed.

    `made_by` is `pull` or `convert`.
    """

    made_by: str
    source: str
    licence: str = ""


class Shelf:
    """The models folder. Models that are still being fetched lie there under hidden names."""

    def __init__(self, folder: Path) -> None:
        """Look at `folder`, which need not exist yet."""
        self.folder = folder

    def __iter__(self) -> Iterator[Path]:
        """Give the folders of the models that are there, by name."""
        folders = self.folder.iterdir() if self.folder.is_dir() else ()
        return iter(sorted(path for path in folders if _is_shown(path) and is_model(path)))

    def place_of(self, name: str) -> Path:
        """Return where the model of this name is, or would be.

        Raises:
            UsageError: this can be no name.
        """
        if not is_name(name):
            raise UsageError(f"{name!r} can be no model's name", hint="letters, digits, - _ .")
        return self.folder / name

    def unfinished(self, name: str) -> Path:
        """Return where the model lies until all of it is there."""
        return self.folder / f"{_UNFINISHED}{self.place_of(name).name}"

    def find(self, named: str | Path, mini: Path) -> Path:
        """Return the folder of a model, named by its path or by the name it has on the shelf.

        Args:
            named: a folder that is there goes before a model of that name.
            mini: the folder of the model that ships with the tool.

        Raises:
            MissingError: there is no such model; the hint says how to get it.
        """
        folder = Path(named).expanduser()
        if is_model(folder):
            return folder
        name = str(named)
        if name == MINI:
            return mini
        if not is_name(name):
            raise MissingError(
                f"there is no DiffSensei model in {named}",
                hint=f"name a folder holding `{IMAGE_GENERATOR}`, or a model: {self._names()}",
            )
        if is_model(self.place_of(name)):
            return self.place_of(name)
        hint = f"name a folder holding `{IMAGE_GENERATOR}`, or one of {self._names()}"
        if (entry := entry_named(name)) and entry.source:
            size = size_text(entry.source.num_bytes)
            hint = f"`storyboard models pull {name}` fetches it ({size})"
        raise MissingError(f"there is no model {name} in {self.folder}", hint=hint)

    def _names(self) -> str:
        names = [entry.name for entry in CATALOGUE] + [path.name for path in self]
        return ", ".join(dict.fromkeys(names))


def models_folder(configured: Path | None) -> Path:
    """Return the folder for models: the environment's, the configured one, the platform's."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named).expanduser()
    return configured or Path(click.get_app_dir("storyboard")) / "models"


def is_model(folder: Path) -> bool:
    """Return whether a folder looks like a model in the published layout."""
    return (folder / IMAGE_GENERATOR).is_dir()


def is_name(text: str) -> bool:
    """Return whether a text is a model's name, not a path."""
    return Path(text).name == text and _is_shown(Path(text)) and "\\" not in text


def write_record(folder: Path, record: Record) -> None:
    """Note in a model's folder how it came there."""
    data = msgspec.json.format(msgspec.json.encode(record))
    write_atomically(folder / RECORD_FILE, data + b"\n")


def read_record(folder: Path) -> Record | None:
    """Return how a model came to its folder, or None if the tool did not make it."""
    try:
        return msgspec.json.decode((folder / RECORD_FILE).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def remove(folder: Path) -> None:
    """Delete a model that the tool has fetched or made.

    Raises:
        UsageError: the tool did not make the folder.
        OutputError: something in it cannot be deleted.
    """
    if read_record(folder) is None:
        raise UsageError(
            f"{folder} was not made by `storyboard models`, so it is not removed",
            hint="delete the folder yourself, if that is what you want",
        )
    gone = folder.with_name(f"{_UNFINISHED}removed-{folder.name}")
    try:
        folder.rename(gone)  # so that what is left of it after a crash is no model
        shutil.rmtree(gone)
    except OSError as err:
        raise OutputError(f"cannot remove {folder}: {err.strerror}") from err


def size_of(folder: Path) -> int:
    """Return how many bytes the files of a folder have."""
    sizes = (path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return sum(sizes)


def _is_shown(path: Path) -> bool:
    return bool(path.name) and not path.name.startswith(".")
