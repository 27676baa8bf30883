"""Small pictures made large for print, their lines crisp instead of blurred.

A small model's panel has a tenth of the pixels that print needs. Enlarging alone leaves edges
several millimetres soft. Here each edge becomes the level line half way between the light and
the dark beside it, drawn one output pixel soft; areas without edges keep their grey.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from storyboard.geometry import MM_PER_INCH, mm_to_px

if TYPE_CHECKING:
    import numpy
    from PIL.Image import Image

    Floats = numpy.typing.NDArray[numpy.floating[Any]]

PRINT_DPI = 400.0
FINE_DPI = 250.0  # a picture of at least this resolution is printed as it is
LINE_ART_DPI = 600.0  # of black and white: so fine that no eye sees the steps of an edge
_SQUARE_PX = 16  # side of the squares whose tones are compared; a millimetre at `PRINT_DPI`
_TONE_CHANGE = 4.0  # most that black and white may change a picture's tone, of 255
_SQUARE_CHANGE, _CHANGED_SQUARES = 32, 0.01  # and that of a square, in how many squares
_SOFTENING = 0.12  # share of a pixel's value that goes to each neighbour before enlarging
_NOISE = 0.03  # nearer than this to black or white counts as black or white
_EVENING = 0.55  # radius, in pixels of the small picture, over which wobbles are evened out
_FLAT, _EDGED = 0.16, 0.34  # local contrast below and above which a place is flat, or an edge
_BAND_ROWS = 512


def print_picture(picture: Image, width_mm: float, height_mm: float) -> Image:
    """Return a grey picture that is sharp at the size it is printed.

    Args:
        width_mm: the width of the whole picture on the page.
        height_mm: its height; the proportions are the picture's own.

    Returns:
        Mode L. The picture itself where it has `FINE_DPI` or more, else one of `PRINT_DPI`.
    """
    grey = picture.convert("L")
    dpi = min(grey.width / width_mm, grey.height / height_mm) * MM_PER_INCH
    if dpi >= FINE_DPI:
        return grey
    size = (
        round(width_mm / MM_PER_INCH * PRINT_DPI),
        round(height_mm / MM_PER_INCH * PRINT_DPI),
    )
    return enlarge_line_art(grey, size)


def is_line_art(grey: Image) -> bool:
    """Return whether black and white alone show the picture: its greys are only soft edges.

    Args:
        grey: mode L, at print size.
    """
    import numpy
    from PIL import ImageChops

    lost = ImageChops.difference(grey.reduce(_SQUARE_PX), _inked(grey).reduce(_SQUARE_PX))
    changes = numpy.asarray(lost)
    many = float((changes > _SQUARE_CHANGE).mean())
    return float(changes.mean()) <= _TONE_CHANGE and many <= _CHANGED_SQUARES


def as_line_art(grey: Image, width_mm: float, height_mm: float) -> Image:
    """Return the picture in black and white, of mode 1 and at least `LINE_ART_DPI`.

    Args:
        grey: mode L, with edges soft enough to be found between its pixels.
        width_mm: the width of the whole picture on the page.
        height_mm: its height.
    """
    from PIL.Image import Dither, Resampling

    size = (
        max(grey.width, mm_to_px(width_mm, LINE_ART_DPI)),
        max(grey.height, mm_to_px(height_mm, LINE_ART_DPI)),
    )
    fine = grey if size == grey.size else grey.resize(size, Resampling.BICUBIC)
    return _inked(fine).convert("1", dither=Dither.NONE)


def _inked(grey: Image) -> Image:
    return grey.point([0] * 128 + [255] * 128)


def enlarge_line_art(grey: Image, size_px: tuple[int, int]) -> Image:
    """Return the picture at (width, height) pixels, with edges one pixel soft and flat greys kept.

    Args:
        grey: mode L.
    """
    import numpy

    values = numpy.asarray(grey, dtype=numpy.float32) / 255
    values = numpy.clip((values - _NOISE) / (1 - 2 * _NOISE), 0, 1)
    dark, light = (_softened(plane, times=3) for plane in _surroundings(values))
    planes = [_enlarged(plane, size_px) for plane in (_softened(values), dark, light)]
    side = _as_picture(_in_bands(_side, planes))
    smooth_side = _blurred(side, _EVENING * size_px[0] / grey.width)
    return _as_picture(_in_bands(_redrawn, [*planes, smooth_side]))


def _side(values: Floats, dark: Floats, light: Floats) -> Floats:
    """Return for each place whether it is on the dark (0) or light (1) side of its edge."""
    return _levelled(values - (light + dark) / 2)


def _redrawn(values: Floats, dark: Floats, light: Floats, side: Floats) -> Floats:
    """Return edges redrawn between their dark and light side, blended into the flat parts."""
    # an edge's own sides are drawn as far towards black and white as they are decided
    ink = dark * _smooth(dark, 0.25, 0.75)
    paper = 1 - (1 - light) * _smooth(1 - light, 0.25, 0.75)
    redrawn = ink + (paper - ink) * _levelled(side - 0.5)
    edged = _smooth(light - dark, _FLAT, _EDGED)
    return values + (redrawn - values) * edged


def _levelled(height: Floats) -> Floats:
    """Return 0 below and 1 above the zero level of a surface, with an edge one pixel soft."""
    import numpy

    down, across = numpy.gradient(height)
    steepness = numpy.maximum(numpy.hypot(down, across), 1e-4)
    levelled: Floats = numpy.clip(0.5 + height / steepness, 0, 1)
    return levelled


def _in_bands(work: Callable[..., Floats], planes: Sequence[Floats]) -> Floats:
    """Return what `work` makes of the planes, done in bands of rows to keep memory small."""
    import numpy

    bands = []
    for top in range(0, planes[0].shape[0], _BAND_ROWS):
        above = min(top, 1)  # a row more on each side, for the slopes
        done = work(*(plane[top - above : top + _BAND_ROWS + 1] for plane in planes))
        bands.append(done[above : above + _BAND_ROWS])
    return numpy.concatenate(bands)


def _surroundings(values: Floats) -> tuple[Floats, Floats]:
    """Return the darkest and the lightest value within one pixel of each place."""
    import numpy

    padded = numpy.pad(values, 1, mode="edge")
    rows, columns = values.shape
    shifted = numpy.stack(
        [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    )
    return shifted.min(axis=0), shifted.max(axis=0)


def _softened(values: Floats, times: int = 1) -> Floats:
    """Return the values smoothed a little, so that the level lines do not follow the pixels."""
    import numpy

    if times > 1:
        values = _softened(values, times - 1)
    kernel = (_SOFTENING, 1 - 2 * _SOFTENING, _SOFTENING)
    padded = numpy.pad(values, 1, mode="edge")
    rows, columns = values.shape
    down = numpy.stack([weight * padded[i : i + rows] for i, weight in enumerate(kernel)]).sum(0)
    softened: Floats = numpy.stack(
        [weight * down[:, i : i + columns] for i, weight in enumerate(kernel)]
    ).sum(0)
    return softened


def _enlarged(values: Floats, size_px: tuple[int, int]) -> Floats:
    import numpy
    from PIL import Image as PillowImage

    plane = PillowImage.fromarray(values.astype(numpy.float32)).resize(
        size_px, PillowImage.Resampling.BICUBIC
    )
    enlarged: Floats = numpy.asarray(plane, dtype=numpy.float32)
    return enlarged


def _blurred(picture: Image, radius_px: float) -> Floats:
    import numpy
    from PIL import ImageFilter

    blurred = picture.filter(ImageFilter.GaussianBlur(radius_px))
    return numpy.asarray(blurred, dtype=numpy.float32) / 255


def _as_picture(values: Floats) -> Image:
    import numpy
    from PIL import Image as PillowImage

    return PillowImage.fromarray(numpy.rint(numpy.clip(values, 0, 1) * 255).astype(numpy.uint8))


def _smooth(values: Floats, low: float, high: float) -> Floats:
    """Return 0 below `low`, 1 above `high`, and a smooth rise between."""
    import numpy

    share = numpy.clip((values - low) / (high - low), 0, 1)
    smooth: Floats = share * share * (3 - 2 * share)
    return smooth
