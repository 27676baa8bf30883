"""Fetching a model of the catalogue onto the shelf."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from storyboard.errors import MissingError, OutputError
from storyboard.gallery import make_folder
from storyboard.lock import locked
from storyboard.models.catalogue import LANGUAGE_MODEL, Entry, Source, size_text
from storyboard.models.download import PART_SUFFIX, RemoteFile, Repository
from storyboard.models.shelf import IMAGE_GENERATOR, Record, Shelf, is_model, write_record
from storyboard.progress import Progress

_BYTES_A_STEP = 1_000_000
_BESIDE = ("README.md", "LICENSE")


def announcement(entry: Entry, source: Source, shelf: Shelf, *, with_language_model: bool) -> str:
    """Return what the writer has to know before agreeing: what, how large, on which terms, where.

    Sizes are rounded; what is there already is not taken off.
    """
    size = size_text(wanted_bytes(source, with_language_model=with_language_model))
    left_out = (
        ""
        if with_language_model
        else f" without its language model ({size_text(source.language_model_bytes)})"
    )
    lines = (
        f"{entry.name}: {entry.about}",
        f"  from      {source.repository} on Hugging Face, commit {source.revision[:12]}",
        f"  size      about {size}{left_out}",
        f"  licence   {source.licence}",
        f"  goes to   {shelf.place_of(entry.name)}",
    )
    return "\n".join(lines)


def wanted_bytes(source: Source, *, with_language_model: bool) -> int:
    """Return about how much there is to fetch."""
    return source.num_bytes - (0 if with_language_model else source.language_model_bytes)


def is_complete(folder: Path, *, with_language_model: bool) -> bool:
    """Return whether nothing is left to be fetched."""
    return is_model(folder) and (not with_language_model or (folder / LANGUAGE_MODEL).is_dir())


def pull(
    entry: Entry,
    source: Source,
    shelf: Shelf,
    progress: Progress,
    *,
    with_language_model: bool,
    pause_s: float = 1.0,
) -> Path:
    """Fetch a model and return its folder, which appears only when all of it is there.

    A pull that was interrupted goes on where it stopped; a model that came without its language
    model gets it.

    Raises:
        MissingError: the server does not answer or lacks the model.
        OutputError: there is too little room, or the folder cannot be written.
        LockedError: another process is fetching it.
    """
    target, unfinished = shelf.place_of(entry.name), shelf.unfinished(entry.name)
    repository = Repository(source.repository, source.revision, pause_s=pause_s)
    make_folder(unfinished)
    with locked(shelf.folder / f".{entry.name}.lock"):
        made_by = Record("pull", f"{source.repository}@{source.revision}", source.licence)
        write_record(unfinished, made_by)
        files = _missing(_wanted(repository.files(), with_language_model), target)
        _check_room(files, unfinished)
        steps = sum(file.num_bytes for file in files) // _BYTES_A_STEP
        with progress.step("fetching, in MB", max(1, steps)) as step:
            count = _Count()
            for file in files:
                repository.fetch(
                    file,
                    unfinished,
                    lambda num, note=file.path: step.advance(count.of(num), note=note),  # type: ignore[misc]
                )
        _put_in_place(unfinished, target)
    return target


class _Count:
    """Turns bytes into whole steps, so that no rest is lost."""

    def __init__(self) -> None:
        self._bytes = self._told = 0

    def of(self, num_bytes: int) -> int:
        """Return by how many steps the count has grown."""
        self._bytes += num_bytes
        grown = self._bytes // _BYTES_A_STEP - self._told
        self._told += grown
        return grown


def _wanted(files: Sequence[RemoteFile], with_language_model: bool) -> list[RemoteFile]:
    folders = (f"{IMAGE_GENERATOR}/", *([LANGUAGE_MODEL] if with_language_model else []))
    wanted = [file for file in files if file.path.startswith(folders) or file.path in _BESIDE]
    for folder in folders:
        if not any(file.path.startswith(folder) for file in wanted):
            raise MissingError(f"the repository has no folder {folder}", hint="it may have moved")
    return wanted


def _missing(files: Sequence[RemoteFile], target: Path) -> list[RemoteFile]:
    """Return the files that the model's folder lacks."""
    return [
        file
        for file in files
        if not (target / file.path).is_file()
        or (target / file.path).stat().st_size != file.num_bytes
    ]


def _check_room(files: Sequence[RemoteFile], folder: Path) -> None:
    needed = sum(file.num_bytes - _bytes_there(folder / file.path) for file in files)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{size_text(needed)} are still to be fetched, and {folder.parent} has "
            f"{size_text(free)} left",
            hint="make room, or name another folder in STORYBOARD_MODELS",
        )


def _bytes_there(path: Path) -> int:
    for found in (path, path.with_name(path.name + PART_SUFFIX)):
        if found.is_file():
            return found.stat().st_size
    return 0


def _put_in_place(unfinished: Path, target: Path) -> None:
    """Move what was fetched to where it is looked for."""
    try:
        if not target.exists():
            unfinished.rename(target)
            return
        for path in sorted(unfinished.rglob("*")):
            place = target / path.relative_to(unfinished)
            if path.is_dir():
                place.mkdir(exist_ok=True)
            else:
                path.replace(place)
        shutil.rmtree(unfinished)
    except OSError as err:
        raise OutputError(f"cannot put the model into {target}: {err.strerror}") from err
