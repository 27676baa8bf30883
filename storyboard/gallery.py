"""Drawn panels on disk: one PNG each, named by what it depends on, knowing how it was made."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from storyboard import __version__
from storyboard.errors import OutputError
from storyboard.files import write_atomically
from storyboard.geometry import Box

if TYPE_CHECKING:
    from PIL.Image import Image

_CHUNK = "storyboard"  # the PNG text chunk that holds the whole provenance as JSON
_INDEX = "panels.json"


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that decides whether a panel must be drawn anew; its hash names the picture.

    The words of the dialogue are not in it, nor boxes that were staged for them: a picture is kept
    when only the lettering changes. `dialogs` holds speaker, kind and the box the plan gives.
    """

    caption: str
    style: str
    shot: str
    characters: tuple[dict[str, Any], ...]
    dialogs: tuple[tuple[str, str, Box | None], ...]
    size_px: tuple[int, int]
    proportions: float
    seed: int
    artist: str

    @property
    def key(self) -> str:
        """The name of the picture: the same for equal recipes on every machine."""
        ordered = msgspec.json.encode(self, order="deterministic")
        return hashlib.sha256(ordered).hexdigest()[:32]

    def changes_since(self, other: Recipe) -> tuple[str, ...]:
        """Return the names of the fields in which this recipe differs from an earlier one."""
        names = self.__struct_fields__
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


class Provenance(msgspec.Struct, frozen=True):
    """How a picture came to be; stored inside it."""

    panel: str
    recipe: Recipe
    dialog_boxes: tuple[Box, ...]
    settings: dict[str, Any]
    format: str = "storyboard-panel/1"


class Gallery:
    """A folder of panels. Nothing in it is ever deleted.

    An index remembers which picture each panel had last. It is written at the end of the work, and
    pictures newer than it count: a kill in between, or the loss of the index, loses nothing.
    """

    def __init__(self, folder: Path) -> None:
        """Look at `folder`, which need not exist yet."""
        self.folder = folder
        self._index: dict[str, str] | None = None
        self._written: dict[str, str] | None = None  # None: pictures came since

    def path(self, key: str) -> Path:
        """Return where the picture with this key is, or would be."""
        return self.folder / f"{key}.png"

    def holds(self, key: str) -> bool:
        """Return whether the picture is there and whole."""
        return self.path(key).is_file() and is_whole_png(self.path(key))

    def is_damaged(self, key: str) -> bool:
        """Return whether the picture is there, but cut short or unreadable."""
        return self.path(key).is_file() and not is_whole_png(self.path(key))

    def last(self, panel_id: str) -> str | None:
        """Return the key of the panel's last picture that is still there and whole."""
        key = self._read_index().get(panel_id)
        return key if key is not None and self.holds(key) else None

    def save(self, image: Image, provenance: Provenance) -> Path:
        """Put a picture into the folder, whole or not at all, and return its path.

        Raises:
            OutputError: it cannot be written.
        """
        make_folder(self.folder)
        key = provenance.recipe.key
        write_atomically(self.path(key), _png(image, provenance))
        self._read_index()[provenance.panel] = key
        self._written = None
        return self.path(key)

    def remember(self, keys: Mapping[str, str]) -> None:
        """Note which picture each of these panels has now, and write the index."""
        index = self._read_index()
        index.update(keys)
        if index != self._written and self.folder.is_dir():
            data = msgspec.json.format(msgspec.json.encode(index, order="sorted"))
            write_atomically(self.folder / _INDEX, data + b"\n")
            self._written = dict(index)

    def _read_index(self) -> dict[str, str]:
        if self._index is None:
            index, since = {}, 0
            with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
                path = self.folder / _INDEX
                index = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
                since = path.stat().st_mtime_ns
            self._written = dict(index)
            self._index = index | self._told_by_pictures(since)
        return self._index

    def _told_by_pictures(self, since: int) -> dict[str, str]:
        """Return the newest picture of every panel drawn since then, as the pictures tell."""
        times = {path: path.stat().st_mtime_ns for path in self.folder.glob("*.png")}
        newer = sorted((path for path in times if times[path] >= since), key=times.__getitem__)
        told = ((path.stem, read_provenance(path)) for path in newer)
        return {one.panel: key for key, one in told if one is not None}


def count_pictures(folder: Path) -> tuple[int, int]:
    """Return how many panels lie in a folder, and how many of them are damaged."""
    paths = list(folder.glob("*.png"))
    return len(paths), sum(not is_whole_png(path) for path in paths)


def make_folder(folder: Path) -> None:
    """Make the folder, and those above it, where they are missing.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise OutputError(
            f"cannot make the folder {folder}: {err.strerror}",
            hint="check that it is not a file and that its parent may be written to",
        ) from err


def _png(image: Image, provenance: Provenance) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    recipe = provenance.recipe
    text = PngInfo()
    text.add_itxt(_CHUNK, msgspec.json.encode(provenance).decode(), zip=True)
    text.add_itxt("Description", recipe.caption)
    text.add_text("Software", f"storyboard {__version__}")
    text.add_text("Panel", provenance.panel)
    text.add_text("Seed", str(recipe.seed))
    text.add_text("Model", recipe.artist)
    boxes = {
        "characters": [c["box"] for c in recipe.characters],
        "dialogs": provenance.dialog_boxes,
    }
    text.add_text("Boxes", msgspec.json.encode(boxes).decode())
    data = io.BytesIO()
    image.save(data, "png", pnginfo=text)
    return data.getvalue()


def is_whole_png(path: Path) -> bool:
    """Return whether the file is a PNG whose every chunk agrees with its checksum."""
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.verify()
    except (OSError, SyntaxError, ValueError):  # what Pillow raises for broken PNG files
        return False
    return True


def read_provenance(path: Path) -> Provenance | None:
    """Return how a picture was made, or None where it does not tell.

    A picture that was saved again by a picture editor may have lost it.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            return msgspec.json.decode(image.info[_CHUNK].encode(), type=Provenance)
    except (OSError, SyntaxError, ValueError, KeyError):  # DecodeError is a ValueError
        return None
