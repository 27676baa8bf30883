"""The work folder beside a story: drawn panels, the log of the language model, the lock.

Deleting it loses only time. Nothing in it is ever deleted by the tool.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from storyboard.errors import OutputError
from storyboard.files import write_atomically
from storyboard.gallery import Gallery, make_folder
from storyboard.lock import locked

PLAN_SUFFIX = ".plan.yaml"


class _Notes(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the folder remembers from one command to the next."""

    planned_from: str = ""
    written: dict[str, str] = {}


class Workspace:
    """Everything the tool keeps for one story.

    `rough` holds roughs, `panels` drawn pictures, `prints` what both are on paper.
    """

    def __init__(self, folder: Path) -> None:
        """Look at `folder`, which need not exist yet."""
        self.folder = folder
        self.panels = Gallery(folder / "panels")
        self.rough = Gallery(folder / "rough")
        self.prints = folder / "prints"

    @classmethod
    def beside(cls, file: Path) -> Workspace:
        """Return the work folder of a story or plan: `fox.storyboard` for `fox.yaml`."""
        return cls(file.with_name(f"{stem_of(file)}.storyboard"))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and keep other processes out of it until the context ends.

        Raises:
            LockedError: another process is at work here; the message names it.
            OutputError: the folder cannot be made or written to.
        """
        make_folder(self.folder)
        with locked(self.folder / "lock"):
            yield

    def log_llm(self, entry: dict[str, Any]) -> None:
        """Add a question to the language model, and its answer, to the log `llm.jsonl`."""
        try:
            with (self.folder / "llm.jsonl").open("ab") as log:
                log.write(msgspec.json.encode(entry) + b"\n")
        except OSError as err:
            raise OutputError(f"cannot write the log in {self.folder}: {err.strerror}") from err

    def is_planned_from(self, story: Path) -> bool:
        """Return whether the story is as it was when it was planned, as far as is known."""
        return self._read_notes().planned_from in ("", _sha256(story))

    def note_planned(self, story: Path) -> None:
        """Remember what the story is like now that there is a plan for it."""
        self._write_notes(msgspec.structs.replace(self._read_notes(), planned_from=_sha256(story)))

    def is_as_written(self, output: Path) -> bool:
        """Return whether the output is missing or still as the tool wrote it."""
        return not output.exists() or self.has_written(output)

    def has_written(self, output: Path) -> bool:
        """Return whether the output is there and still as the tool wrote it."""
        written = self._read_notes().written.get(self._name_of(output))
        return written is not None and output.is_file() and written == _sha256(output)

    def note_written(self, output: Path) -> None:
        """Remember what the output is like, to tell later whether someone has edited it."""
        notes = self._read_notes()
        written = notes.written | {self._name_of(output): _sha256(output)}
        self._write_notes(msgspec.structs.replace(notes, written=written))

    def _name_of(self, output: Path) -> str:
        """Return the output's path, so that it stays right when the story's folder is moved."""
        path, home = output.resolve(), self.folder.parent.resolve()
        return path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)

    def _read_notes(self) -> _Notes:
        try:
            return msgspec.json.decode((self.folder / "notes.json").read_bytes(), type=_Notes)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Notes()

    def _write_notes(self, notes: _Notes) -> None:
        if notes != self._read_notes():
            data = msgspec.json.format(msgspec.json.encode(notes))
            write_atomically(self.folder / "notes.json", data + b"\n")


def stem_of(file: Path) -> str:
    """Return the name a story and its plan share: `fox` for `fox.yaml` and `fox.plan.yaml`."""
    name = file.name
    return name.removesuffix(PLAN_SUFFIX) if name.endswith(PLAN_SUFFIX) else file.stem


def free_name(path: Path, mark: str) -> Path:
    """Return a path beside `path` that nothing has yet: `fox.before-1.pdf` for mark `before`."""
    base = path.name.removesuffix(PLAN_SUFFIX) if path.name.endswith(PLAN_SUFFIX) else path.stem
    suffix = path.name.removeprefix(base)
    number = 1
    while (found := path.with_name(f"{base}.{mark}-{number}{suffix}")).exists():
        number += 1
    return found


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
