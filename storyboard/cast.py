"""The cast: who is in a story, and what has to be right about them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from storyboard.lines import VOICELESS_KINDS
from storyboard.pictures import MAX_PIXELS, PICTURE_FORMATS, picture_fault
from storyboard.report import Report, nearest_name
from storyboard.yamlfile import NodePath, shortened

_PICTURES = f"{', '.join(PICTURE_FORMATS)}, up to {MAX_PIXELS // 1_000_000} million pixels"


class Character(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Someone in the cast. `images` are paths relative to the file that names them."""

    name: str
    aliases: tuple[str, ...] = ()
    look: str = ""
    images: tuple[str, ...] = ()


class Cast:
    """Who may be named, and the full name behind every alias."""

    def __init__(self, characters: Sequence[Character], report: Report) -> None:
        """Gather the names of the characters. Names that are not among them go to the report."""
        self._report = report
        self._names = [character.name for character in characters]
        aliases = ((alias, person.name) for person in characters for alias in person.aliases)
        self._full_names = {**dict(aliases), **{name: name for name in self._names}}
        # where some names could not be read, any name may be right
        self._is_known = not any(_says_who(path) for path in report.wrong_paths)

    def full_name(self, name: str) -> str:
        """Return who bears this name or alias, written exactly so; else the name itself."""
        return self._full_names.get(name, name)

    def examine(self, name: str, path: NodePath, *, aliases: bool) -> None:
        """Report a name that is not in the cast. `aliases` says whether an alias will do."""
        full_name = self._full_names.get(name)
        if not self._is_known or full_name == name or (full_name and aliases):
            return
        self._report.add(
            path,
            f"{shortened(name)} is not in the cast",
            allowed=", ".join(known[:40] for known in self._names[:20])
            or "nobody, until `characters` names someone",
            nearest=full_name,
            found=name,
            known=self._full_names if aliases else self._names,
        )


def examine_cast(characters: Sequence[Character], report: Report) -> None:
    """Report names that are empty, taken, or could be mistaken for something else in a line."""
    taken: dict[str, str] = {}
    for path, name in _names(characters):
        folded = unicodedata.normalize("NFC", name).casefold().strip()
        if not folded:
            report.add(path, "the name is empty", allowed="a name")
        elif folded in VOICELESS_KINDS:
            report.add(
                path, f"{shortened(name)} cannot be a name: lines use it for what nobody says"
            )
        elif name != name.strip() or any(sign in name for sign in "()\uff08\uff09\n"):
            allowed = "a name without brackets, and without spaces around it"
            report.add(path, f"{shortened(name)} cannot be a name in a line", allowed=allowed)
        elif folded in taken:
            report.add(path, f"the name {shortened(name)} is already taken by {taken[folded]}")
        else:
            taken[folded] = shortened(name)


def examine_pictures(characters: Sequence[Character], folder: Path, report: Report) -> None:
    """Report pictures that are missing or cannot be read. `folder` is where their paths start."""
    faults: dict[str, str | None] = {}
    for number, character in enumerate(characters):
        for index, image in enumerate(character.images):
            path: NodePath = ("characters", number, "images", index)
            if not image.strip() or "\n" in image:
                report.add(path, f"{shortened(image)} is no file name", allowed="a picture's path")
                continue
            if image not in faults:
                faults[image] = picture_fault(folder / image)
            if fault := faults[image]:
                report.add(
                    path,
                    f"{shortened(image, 200)}: {fault}",
                    allowed=_PICTURES,
                    nearest=None if report.is_full else _nearest_file(folder, image),
                )


def _says_who(path: NodePath) -> bool:
    return path[:1] == ("characters",) and path[2:3] in ((), ("name",), ("aliases",))


def _names(characters: Sequence[Character]) -> Iterator[tuple[NodePath, str]]:
    for number, character in enumerate(characters):
        yield ("characters", number, "name"), character.name
    for number, character in enumerate(characters):
        for index, alias in enumerate(character.aliases):
            yield ("characters", number, "aliases", index), alias


def _nearest_file(folder: Path, image: str) -> str | None:
    """Return the path of a file that is there and may have been meant."""
    named = PurePosixPath(image.replace("\\", "/"))
    try:
        if (folder / image).exists():
            return None
        siblings = [entry.name for entry in (folder / named.parent).iterdir() if entry.is_file()]
    except OSError:
        return None
    nearest = nearest_name(named.name, siblings)
    return str(named.parent / nearest) if nearest else None
