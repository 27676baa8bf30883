"""The sizes at which panels are drawn and trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence

Size = tuple[int, int]
"""Height and width in pixels."""

MINI_SIZES: tuple[Size, ...] = ((192, 192), (160, 224), (224, 160), (128, 288), (288, 128))
"""The mini model's sizes: about equal area, multiples of 32 so that no latent grid is odd."""


def nearest_size(size: Size, sizes: Sequence[Size] = MINI_SIZES) -> Size:
    """Return the one of `sizes` whose height over width is nearest, compared as ratios."""
    ratio = math.log(size[0] / size[1])
    return min(sizes, key=lambda other: abs(math.log(other[0] / other[1]) - ratio))
