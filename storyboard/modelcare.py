"""What `storyboard models` does: list, fetch, remove, convert and show models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from storyboard.diffsensei.weights import (
    convert_model,
    fingerprint_of,
    known_fingerprint,
    mini_model,
    model_details,
)
from storyboard.errors import MissingError, UsageError
from storyboard.models.catalogue import CATALOGUE, MINI, Entry, entry_named, size_text
from storyboard.models.pull import announcement, is_complete, pull
from storyboard.models.shelf import (
    Record,
    Shelf,
    is_model,
    is_name,
    read_record,
    remove,
    size_of,
    write_record,
)
from storyboard.progress import Progress

Ask = Callable[[str], bool]
"""Puts a question to the writer; False is no."""


def list_models(shelf: Shelf) -> tuple[str, ...]:
    """Return a line for every model of the catalogue and of the models folder."""
    rows = [_catalogue_row(entry, shelf) for entry in CATALOGUE]
    listed = {entry.name for entry in CATALOGUE}
    for folder in shelf:
        if folder.name not in listed:
            record = read_record(folder)
            how = f"{record.made_by} of {record.source}" if record else "put there by you"
            rows.append((folder.name, size_text(size_of(folder)), "here", how))
    return _aligned(rows)


def pull_model(
    name: str, shelf: Shelf, progress: Progress, ask: Ask, *, with_language_model: bool = True
) -> Path | None:
    """Fetch a model of the catalogue once the writer agrees; return its folder, None if not.

    Raises:
        UsageError: the catalogue has no such model, or it ships with the tool.
        MissingError, OutputError, LockedError: see `storyboard.models.pull.pull`.
    """
    entry = entry_named(name)
    if entry is None:
        names = ", ".join(entry.name for entry in CATALOGUE if entry.source)
        raise UsageError(f"there is no model {name!r} to fetch", hint=f"there is: {names}")
    if entry.source is None:
        raise UsageError(f"{name} ships with the tool: there is nothing to fetch")
    target = shelf.place_of(name)
    if is_complete(target, with_language_model=with_language_model):
        progress.say(f"{name} is there already")
        return target
    told = announcement(entry, entry.source, shelf, with_language_model=with_language_model)
    if not ask(f"{told}\nFetch it?"):
        return None
    return pull(entry, entry.source, shelf, progress, with_language_model=with_language_model)


def remove_model(name: str, shelf: Shelf, ask: Ask) -> bool:
    """Delete a model that was fetched or converted, once the writer agrees; return whether.

    What is there of a model that was not fetched to its end is deleted likewise.

    Raises:
        MissingError: it is not there.
        UsageError: the tool did not make it.
    """
    folders = [f for f in (shelf.place_of(name), shelf.unfinished(name)) if f.is_dir()]
    if not folders:
        hint = "it ships with the tool" if name == MINI else "`storyboard models list` names all"
        raise MissingError(f"there is no model {name} in {shelf.folder}", hint=hint)
    for folder in folders:
        if read_record(folder) is None:
            remove(folder)  # says why it does not
    size = size_text(sum(size_of(folder) for folder in folders))
    if not ask(f"{folders[0]} has {size}.\nRemove it?"):
        return False
    for folder in folders:
        remove(folder)
    return True


def convert(source: str, target: str, shelf: Shelf, progress: Progress) -> Path:
    """Write a model as safetensors and return the new folder.

    Args:
        source: a model's folder or name.
        target: a new folder, or a name to put it into the models folder.
        shelf: the models folder.
        progress: is told of each file.

    Raises:
        MissingError: the source is not there or damaged.
        OutputError: the target is taken or cannot be written.
    """
    origin = shelf.find(source, mini_model())
    goal = shelf.place_of(target) if is_name(target) else Path(target).expanduser()
    convert_model(origin, goal, lambda path: progress.say(f"written: {path}"))
    earlier = read_record(origin)
    licence = earlier.licence if earlier else ""
    write_record(goal, Record("convert", earlier.source if earlier else origin.name, licence))
    return goal


def show_model(named: str, shelf: Shelf, progress: Progress) -> tuple[str, ...]:
    """Return what a model consists of, in lines.

    Raises:
        MissingError: it is not there or damaged.
    """
    folder = shelf.find(named, mini_model())
    details, record = model_details(folder), read_record(folder)
    parts = [
        (part.name, f"{part.parameters:,}", size_text(part.num_bytes), ", ".join(part.dtypes))
        for part in details.parts
    ]
    total = sum(part.num_bytes for part in details.parts)
    if known_fingerprint(folder, shelf.folder) is None:
        progress.say(f"reading {size_text(total)} for the fingerprint")
    origin = "ships with the tool" if folder == mini_model() else "put there by you"
    about = [
        ("folder", str(folder)),
        ("origin", f"{record.made_by} of {record.source}" if record else origin),
        ("licence", record.licence if record else ""),
        ("size", size_text(size_of(folder))),
        ("fingerprint", fingerprint_of(folder, shelf.folder)),
        ("language model", "yes" if details.has_language_model else "no: characters as they are"),
    ]
    return (
        *_aligned([row for row in about if row[1]]),
        "",
        *_aligned([("part", "numbers", "size", "kind"), *parts]),
        "",
        *_aligned([(name, _value(value)) for name, value in details.settings.items()]),
    )


def _catalogue_row(entry: Entry, shelf: Shelf) -> tuple[str, str, str, str]:
    if entry.source is None:
        return entry.name, size_text(size_of(mini_model())), "here", entry.about
    folder, unfinished = shelf.place_of(entry.name), shelf.unfinished(entry.name)
    if is_model(folder):
        size = size_text(size_of(folder))
        part = is_complete(folder, with_language_model=True)
        return entry.name, size, "here" if part else "here, no language model", entry.about
    size = size_text(entry.source.num_bytes)
    if unfinished.is_dir():
        return entry.name, size, f"{size_text(size_of(unfinished))} fetched", entry.about
    return entry.name, size, "not here", entry.about


def _value(value: object) -> str:
    """Return a setting as text: `192 x 192, 160 x 224` for sizes."""
    if not isinstance(value, list | tuple):
        return str(value)
    items = [" x ".join(map(str, one)) if isinstance(one, list | tuple) else one for one in value]
    return ", ".join(map(str, items)) or "none"


def _aligned(rows: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return rows as lines whose columns begin under each other."""
    if not rows:
        return ()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
