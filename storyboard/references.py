"""Pictures of characters looked at before they are drawn from: what would make a bad model.

Nothing here is an error: a picture may be odd on purpose. Each limit was set so that the casts of
the example stories and some hundred drawn people raise no doubt, and blurred, enlarged, joined and
copied ones of them do.

What cannot be told without a trained network, and is not tried: whether two people touch or stand
before a background, and whether a face is there at all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from storyboard.cast import Character
from storyboard.pictures import picture_fault
from storyboard.problems import Problem
from storyboard.yamlfile import Document, NodePath, dotted

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

ENCODER_PX = 224
"""The side of the square that the published image encoders look at."""
MIN_SIDE_PX = 160
MAX_EDGE_SHARE = 0.027
"""How wide, as a share of the shorter side, the sharpest edges of a sharp picture may be."""
MAX_DIFFERENCE = 0.25
"""By how much, in standard deviations of their greys, two pictures may differ in any of their
6 x 6 fields and be nearly the same. Copies that were scaled, framed, mirrored or packed hard stay
below 0.15; other hair in the same pose nearly always makes more."""
MAX_CROPPED_RATIO = 1.5
"""Height by width above which a centred square shows no whole head."""

_EDGE_SIDE_PX = 256
_FIGURE_SIDE_PX = 192
_LIKENESS_PX = 48
_FIELD_PX = 8
_PAPER_TOLERANCE = 24  # grey levels by which paper may differ from paper
_INK_CONTRAST = 40
_PLAIN_SHARE = 0.75  # of the upper rim of the picture, where no figure is cut off
_MIN_FIGURE_HEIGHT = 0.4  # of the tallest: less is an object or a speck
_MIN_FIGURE_WIDTH = 0.3  # of the widest


class Reference(msgspec.Struct, frozen=True):
    """A picture of a character, where its story names it."""

    name: str
    place: NodePath
    path: Path


def reference_warnings(
    document: Document,
    characters: Sequence[Character],
    folder: Path,
    *,
    names: Collection[str] | None = None,
    looks_at_middle: bool = False,
) -> tuple[Problem, ...]:
    """Return a problem for every picture of a character that would not serve it well.

    Args:
        document: the story or plan, which tells the lines.
        characters: whose pictures to look at.
        folder: where their paths start.
        names: tell only of characters of these names; None tells of all.
        looks_at_middle: whether the model looks at the middle square of a picture only.
    """
    references = [
        Reference(character.name, ("characters", number, "images", index), folder / image)
        for number, character in enumerate(characters)
        for index, image in enumerate(character.images)
        if picture_fault(folder / image) is None  # what cannot be read is an error elsewhere
    ]
    return tuple(
        Problem(
            document.file,
            document.line_of(reference.place),
            dotted(reference.place),
            f"{reference.path.name}, for {reference.name}: {doubt}",
            advice,
        )
        for reference, doubt, advice in _doubts(references, looks_at_middle=looks_at_middle)
        if names is None or reference.name in names
    )


def _doubts(
    references: Sequence[Reference], *, looks_at_middle: bool
) -> Iterator[tuple[Reference, str, str]]:
    """Yield each picture in doubt, why, and what would be better."""
    likenesses: list[tuple[Reference, np.ndarray[Any, Any]]] = []
    for reference in references:
        picture = _grey(reference.path)
        for doubt, advice in _doubts_of_one(picture, looks_at_middle=looks_at_middle):
            yield reference, doubt, advice
        likenesses.append((reference, _likeness(picture)))
    for (one, look), (other, other_look) in combinations(likenesses, 2):
        how = _how_alike(look, other_look) if one.name != other.name else None
        if how is not None:
            yield (
                other,
                f"it is nearly the same picture as {one.path.name}, for {one.name}{how}",
                "pictures that show what tells the two apart",
            )


def _doubts_of_one(picture: Image, *, looks_at_middle: bool) -> Iterator[tuple[str, str]]:
    width, height = picture.size
    if min(width, height) < MIN_SIDE_PX:
        yield (
            f"it is only {width} x {height} pixels",
            f"{MIN_SIDE_PX} a side or more; models look at {ENCODER_PX} x {ENCODER_PX}",
        )
    share = edge_share(picture)
    if share > MAX_EDGE_SHARE:
        yield (
            f"it is blurred or enlarged: its sharpest edges take {share:.0%} of the picture",
            "a sharp picture; lines of one or two pixels",
        )
    if (count := num_figures(picture)) > 1:
        yield (
            f"it shows {count} separate figures, which a model takes for one person",
            "one figure in each picture",
        )
    if looks_at_middle and height > MAX_CROPPED_RATIO * width:
        yield (
            f"it is {height / width:.1f} times as high as wide, and this model looks at the square "
            "in the middle, so that the head is cut",
            "head and shoulders, about as high as wide",
        )


def edge_share(picture: Image) -> float:
    """Return how wide the sharpest edges are, as a share of the picture's shorter side.

    That is the range of its greys by its steepest steps between neighbours, both but for the
    odd pixel. It knows blur from noise and from a soft style better than the variance of the
    Laplacian, which grain makes large.
    """
    import numpy as np

    grey = _array(_at_one_scale(picture))
    steps = [np.abs(np.diff(grey, axis=axis)).ravel() for axis in (0, 1)]
    steepest = float(np.percentile(np.concatenate(steps), 99.9))
    return float(np.ptp(grey)) / max(steepest, 1e-6) / min(grey.shape) if np.ptp(grey) else 0.0


def num_figures(picture: Image) -> int:
    """Return how many figures stand apart on plain paper; 1 where the ground is not plain."""
    import numpy as np
    import PIL.Image
    from PIL import ImageFilter

    small = picture.copy()
    small.thumbnail((_FIGURE_SIDE_PX, _FIGURE_SIDE_PX))
    grey = _array(small)
    paper, is_plain = _paper(grey)
    if not is_plain:
        return 1
    ink = PIL.Image.fromarray((np.abs(grey - paper) > _INK_CONTRAST).astype(np.uint8) * 255)
    joined = _array(ink.filter(ImageFilter.MaxFilter(5))) > 0  # a figure's strokes may not meet
    boxes = _boxes_of_parts(joined)
    if not boxes:
        return 0
    tallest = max(height for height, _ in boxes)
    widest = max(width for _, width in boxes)
    return sum(
        height >= _MIN_FIGURE_HEIGHT * tallest and width >= _MIN_FIGURE_WIDTH * widest
        for height, width in boxes
    )


def _boxes_of_parts(mask: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    """Return height and width of each connected part of a mask."""
    waiting = {(int(row), int(column)) for row, column in zip(*mask.nonzero(), strict=True)}
    boxes = []
    while waiting:
        edge = [waiting.pop()]
        rows, columns = [edge[0][0]], [edge[0][1]]
        while edge:
            row, column = edge.pop()
            for near in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                if near in waiting:
                    waiting.remove(near)
                    edge.append(near)
                    rows.append(near[0])
                    columns.append(near[1])
        boxes.append((max(rows) - min(rows) + 1, max(columns) - min(columns) + 1))
    return boxes


def _likeness(picture: Image) -> np.ndarray[Any, Any]:
    """Return the figure, or the whole picture, small, soft and with its greys evened out."""
    import numpy as np
    from PIL import ImageFilter

    grey = _array(picture)
    paper, is_plain = _paper(grey)
    rows, columns = (np.abs(grey - paper) > _INK_CONTRAST).nonzero()
    if is_plain and rows.size:
        left, top = int(columns.min()), int(rows.min())
        picture = picture.crop((left, top, int(columns.max()) + 1, int(rows.max()) + 1))
    soft = picture.filter(ImageFilter.GaussianBlur(max(picture.size) / _LIKENESS_PX / 2))
    small = _array(soft.resize((_LIKENESS_PX, _LIKENESS_PX), _smoothly(soft, _LIKENESS_PX)))
    evened: np.ndarray[Any, Any] = (small - small.mean()) / max(float(small.std()), 1e-6)
    return evened


def _how_alike(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> str | None:
    """Return how a picture is nearly the same as another, or None if it is not."""
    if _difference(one, other) < MAX_DIFFERENCE:
        return ""
    return " mirrored" if _difference(one, other[:, ::-1]) < MAX_DIFFERENCE else None


def _difference(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """Return the difference in the field where it is largest."""
    import numpy as np

    fields = np.abs(one - other).reshape(-1, _FIELD_PX, _LIKENESS_PX // _FIELD_PX, _FIELD_PX)
    return float(fields.mean(axis=(1, 3)).max())


def _paper(grey: np.ndarray[Any, Any]) -> tuple[float, bool]:
    """Return the grey of the picture's upper rim, and whether most of the rim has it."""
    import numpy as np

    half = max(1, grey.shape[0] // 2)
    rim = np.concatenate([grey[0], grey[:half, 0], grey[:half, -1]])
    paper = float(np.median(rim))
    return paper, float((np.abs(rim - paper) <= _PAPER_TOLERANCE).mean()) >= _PLAIN_SHARE


def _grey(path: Path) -> Image:
    """Return a picture as the models get it: upright, on white, in greys."""
    import PIL.Image
    from PIL import ImageOps

    with PIL.Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    white = PIL.Image.new("RGBA", upright.size, "white")
    return PIL.Image.alpha_composite(white, upright).convert("L")


def _at_one_scale(picture: Image) -> Image:
    """Return the picture with a shorter side of `_EDGE_SIDE_PX`, or less where it is very long."""
    scale = min(_EDGE_SIDE_PX / min(picture.size), 8 * _EDGE_SIDE_PX / max(picture.size))
    width, height = (max(2, math.ceil(edge * scale)) for edge in picture.size)
    return picture.resize((width, height), _smoothly(picture, _EDGE_SIDE_PX))


def _smoothly(picture: Image, side_px: int) -> Any:
    from PIL.Image import Resampling

    return Resampling.BOX if min(picture.size) > side_px else Resampling.BICUBIC


def _array(picture: Image) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.asarray(picture, dtype=np.float32)
