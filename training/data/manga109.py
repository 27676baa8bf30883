"""Turns Manga109's annotations into MangaZero's schema.

    python -m training.data.manga109 --root Manga109_released_2023_12_07

reads `annotations/BOOK.xml` and the double pages `images/BOOK/NNN.jpg`, which one asks its authors
for, and writes `annotations.json` into the root, so that `training.data.cache --pages ROOT` finds
everything. Format: http://www.manga109.org/en/annotations

- A character is a body with the face in it; a face without a body is a character of its own.
- Bodies and texts belong to the frame that holds most of them.
- Ids are Manga109's, so that a person keeps the id through a whole book. Those who are nobody in
  particular (`_Other`) get an id each and `type` 1: no source pictures of a person.
- There are no captions in Manga109: they stay empty.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from training.data.annotations import (
    ALLOWED_BAD_SHARE,
    BadPageError,
    BadPages,
    BoxPx,
    CharacterAnnotation,
    DialogAnnotation,
    FrameAnnotation,
    PageAnnotation,
    read_page,
    write_annotations,
)

MIN_SHARE_IN_FRAME = 1 / 3
"""People lean out of panels and texts lie across gutters; what is less inside is left out."""

NOBODY = frozenset({"other", "others"})
"""Names, without underscores, under which a book keeps everybody who has none."""


class _Thing(NamedTuple):
    """A face or a body: its own id and its character's."""

    id: int
    bbox: BoxPx
    character: int


@dataclass
class Conversion:
    """What came out of a book or of many.

    Attributes:
        pages: those that have frames.
        num_pages: all of them, with and without.
        bad: pages that could not be used.
        num_outside: bodies, faces and texts that lie in no frame.
    """

    pages: list[PageAnnotation] = field(default_factory=list)
    num_pages: int = 0
    bad: BadPages = field(default_factory=BadPages)
    num_outside: int = 0


def convert(root: Path, *, books: Sequence[str] = (), held_out: Sequence[str] = ()) -> Conversion:
    """Read the books of a Manga109 folder, all of them if none is named.

    Args:
        root: holds `annotations` and `images`.
        books: titles, as the files are named.
        held_out: titles of books that are kept for evaluation.

    Raises:
        ValueError: a title has no file, or a file is not Manga109's; the message names it.
    """
    folder = root / "annotations"
    titles = sorted(path.stem for path in folder.glob("*.xml"))
    if missing := sorted({*books, *held_out} - set(titles)):
        raise ValueError(f"{folder}: no {', '.join(f'{title}.xml' for title in missing)}")
    result = Conversion()
    for title in books or titles:
        _read_book(folder / f"{title}.xml", root, result, is_held_out=title in held_out)
    return result


def _read_book(path: Path, root: Path, result: Conversion, *, is_held_out: bool) -> None:
    try:
        # expat itself refuses entities that grow without end
        book = ElementTree.parse(path).getroot()  # noqa: S314
    except ElementTree.ParseError as err:
        raise ValueError(f"{path} is not XML: {err}") from err
    if book.tag != "book":
        raise ValueError(f"{path}: expected a book, found a {book.tag}")
    nobody = {
        character.get("id")
        for character in book.iter("character")
        if character.get("name", "").strip("_").lower() in NOBODY
    }
    for page in book.iter("page"):
        result.num_pages += 1
        name = f"images/{path.stem}/{page.get('index', '').zfill(3)}.jpg"
        try:
            reader = _PageReader(page, {_hexadecimal(one) for one in nobody if one})
            if not reader.frames:
                continue
            annotation = PageAnnotation(name, tuple(reader.annotated()), held_out=is_held_out)
            _check_size(page, read_page(root, annotation).size)
        except BadPageError as err:
            result.bad.add(name, err)
            continue
        result.pages.append(annotation)
        result.num_outside += reader.num_outside


def _check_size(page: ElementTree.Element, found: tuple[int, int]) -> None:
    expected = _number(page, "width"), _number(page, "height")
    if found != expected:
        sizes = [f"{width} x {height} px" for width, height in (found, expected)]
        raise BadPageError(f"{sizes[0]}, annotated at {sizes[1]}")


class _PageReader:
    """One page: which thing belongs to which frame."""

    def __init__(self, page: ElementTree.Element, nobody: set[int]) -> None:
        self.frames = [_box(frame) for frame in page.iter("frame")]
        self.num_outside = 0
        self._page, self._nobody = page, nobody

    def annotated(self) -> Iterator[FrameAnnotation]:
        bodies = self._by_frame([_thing(body) for body in self._page.iter("body")])
        faces = self._by_frame([_thing(face) for face in self._page.iter("face")])
        dialogs: list[list[DialogAnnotation]] = [[] for _ in self.frames]
        for text in self._page.iter("text"):
            if (number := self._frame_of(box := _box(text))) is not None:
                dialogs[number].append(DialogAnnotation(box, text.text or ""))
        for frame, *things, texts in zip(self.frames, bodies, faces, dialogs, strict=True):
            characters = tuple(self._characters(*things))
            yield FrameAnnotation(frame, "", characters, tuple(texts))

    def _by_frame(self, things: list[_Thing]) -> list[list[_Thing]]:
        found: list[list[_Thing]] = [[] for _ in self.frames]
        for thing in things:
            if (number := self._frame_of(thing.bbox)) is not None:
                found[number].append(thing)
        return found

    def _frame_of(self, box: BoxPx) -> int | None:
        shares = [_shared(box, frame) / _area(box) for frame in self.frames]
        best = max(range(len(shares)), key=shares.__getitem__)
        if shares[best] < MIN_SHARE_IN_FRAME:
            self.num_outside += 1
            return None
        return best

    def _characters(
        self, bodies: list[_Thing], faces: list[_Thing]
    ) -> Iterator[CharacterAnnotation]:
        """Yield bodies with their faces, then faces without a body."""
        left = list(faces)
        for body in bodies:
            own = [face for face in left if face.character == body.character]
            face = max(own, key=lambda one: _shared(one.bbox, body.bbox), default=None)
            if face is not None and _shared(face.bbox, body.bbox) > 0:
                left.remove(face)
                yield self._character(body, face.bbox)
            else:
                yield self._character(body, None)
        for face in left:
            yield self._character(face, face.bbox)

    def _character(self, thing: _Thing, face: BoxPx | None) -> CharacterAnnotation:
        is_nobody = thing.character in self._nobody
        return CharacterAnnotation(
            thing.bbox,
            id=thing.id if is_nobody else thing.character,
            type=1 if is_nobody else 0,
            face=face,
        )


def _thing(element: ElementTree.Element) -> _Thing:
    return _Thing(
        _hexadecimal(element.get("id", "")),
        _box(element),
        _hexadecimal(element.get("character", "")),
    )


def _hexadecimal(value: str) -> int:
    try:
        return int(value, 16)
    except ValueError as err:
        raise BadPageError(f"expected a hexadecimal id, found {value!r}") from err


def _number(element: ElementTree.Element, name: str) -> int:
    try:
        return int(element.get(name, ""))
    except ValueError as err:
        raise BadPageError(
            f"{element.tag} {element.get('id', '')}: {name} is {element.get(name)!r}"
        ) from err


def _box(element: ElementTree.Element) -> BoxPx:
    left, top, right, bottom = (_number(element, name) for name in ("xmin", "ymin", "xmax", "ymax"))
    if left >= right or top >= bottom:
        raise BadPageError(
            f"{element.tag} {element.get('id', '')}: {left}, {top}, {right}, {bottom} has no area"
        )
    return left, top, right, bottom


def _area(box: BoxPx) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _shared(a: BoxPx, b: BoxPx) -> float:
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    return max(across, 0.0) * max(down, 0.0)


def main() -> None:
    """Read the command line and convert."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--books", nargs="*", default=[], help="titles; all of them by default")
    parser.add_argument("--held-out", nargs="*", default=[], help="titles kept for evaluation")
    parser.add_argument(
        "--allow-missing", action="store_true", help="go on although many pages are bad"
    )
    given = parser.parse_args()
    try:
        result = convert(given.root, books=given.books, held_out=given.held_out)
        allowed = 1.0 if given.allow_missing else ALLOWED_BAD_SHARE
        result.bad.check(result.num_pages, allowed_share=allowed)
    except ValueError as err:
        sys.exit(f"Error: {err}")
    write_annotations(result.pages, given.root / "annotations.json")
    if result.bad:
        print(result.bad.summary(), file=sys.stderr)  # noqa: T201  named, as they are left out
    panels = sum(len(page.frames) for page in result.pages)
    print(  # noqa: T201  the command's result
        f"{len(result.pages)} pages with {panels} panels; "
        f"{result.num_outside} bodies, faces and texts lie in no frame"
    )


if __name__ == "__main__":
    main()
