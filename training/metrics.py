"""What drawn panels are measured by: plain functions of features, boxes and names.

FID, CLIP, DINO-I, DINO-C and dialog F1 stand in DiffSensei's tables (arXiv:2412.07589); the count
of people on stage and the copy-paste rate in ViStoryBench (arXiv:2505.24862). Which encoder made
the features and which detector the boxes is the caller's affair; `docs/evaluation.md` says what
the papers leave open and what was chosen here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
"""One row for each picture or text."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in any one unit."""

MIN_IOU = 0.5
"""From here on a box counts as found, as in most object detection."""


def frechet_distance(first: Features, second: Features) -> float:
    """Return the Fréchet distance of two sets of features, each taken as a Gaussian.

    0 for equal means and covariances. With the features of Inception this is FID
    (arXiv:1706.08500, equation 6). Few pictures make it too large: compare only equal numbers.

    Args:
        first: (pictures, width), at least two pictures.
        second: (pictures, width), at least two pictures.

    Raises:
        ValueError: the widths differ or a set has fewer than two pictures.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"features of {first.shape[1]} and of {second.shape[1]} numbers")
    if min(len(first), len(second)) < 2:
        raise ValueError("a covariance needs at least two pictures")
    covariances = [np.atleast_2d(np.cov(features, rowvar=False)) for features in (first, second)]
    between_means = float(np.square(first.mean(0) - second.mean(0)).sum())
    traces = sum(float(np.trace(covariance)) for covariance in covariances)
    distance = between_means + traces - 2 * _trace_of_root(*covariances)
    return max(distance, 0.0)  # rounding may take equal sets a little below


def _trace_of_root(first: Features, second: Features) -> float:
    """Return the trace of the square root of the product of two covariances.

    The product is not symmetric, but root(first) second root(first) is and has its eigenvalues.
    """
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    products = np.linalg.eigvalsh(root @ second @ root)
    return float(np.sqrt(products.clip(0)).sum())


def unit(features: Features) -> Features:
    """Return the rows at length 1; rows of zeros stay."""
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    return features / np.where(lengths > 0, lengths, 1.0)


def cosines(first: Features, second: Features) -> Features:
    """Return the cosine of each row of one with the same row of the other: (rows,).

    Its mean is CLIP for pictures and captions, DINO-I for drawn panels and the data's, DINO-C for
    characters cut out of them.
    """
    result: Features = (unit(first) * unit(second)).sum(-1)
    return result


def picked(shown: Features, candidates: Features) -> NDArray[np.bool_]:
    """Say of each picture whether the first candidate is its nearest by cosine: (pictures,).

    Args:
        shown: (pictures, width).
        candidates: (pictures, candidates, width), the right one first. A draw is not a hit.
    """
    scores = (unit(candidates) @ unit(shown)[:, :, None])[..., 0]
    result: NDArray[np.bool_] = scores[:, 0] > scores[:, 1:].max(1)
    return result


def copy_paste_rates(drawn: Features, given: Features, target: Features) -> Features:
    """Return for each character how far it copies the given picture: (characters,).

    1 where the drawn equals the given picture, 0 where it equals the data's panel, 0.5 where it is
    as near to one as to the other. Angles are chords on the unit sphere. Characters whose given
    picture equals the target say nothing and get 0.5.
    Source: arXiv:2510.14975 as scaled in the code of arXiv:2505.24862.

    Args:
        drawn: the characters as drawn, (characters, width).
        given: the pictures that were given of them.
        target: the characters in the data's panel.
    """

    def chords(first: Features, second: Features) -> Features:
        result: Features = np.sqrt((2 - 2 * cosines(first, second)).clip(0))
        return result

    apart = chords(given, target)
    says_something = apart > 1e-6
    nearer = chords(drawn, target) - chords(drawn, given)
    rates: Features = 0.5 + 0.5 * np.divide(
        nearer, apart, out=np.zeros_like(nearer), where=says_something
    )
    return rates


def stage_matches(found: Sequence[int], asked: Sequence[int]) -> Features:
    """Return for each panel how well the number of people fits, 0 to 1.

    exp(-|found - asked| / asked), and 0 or 1 where nobody was asked for: the on-stage character
    count matching (OCCM) of arXiv:2505.24862, whose tables show a hundred times this.
    """
    return np.array(
        [
            math.exp(-abs(there - wanted) / wanted) if wanted else float(there == 0)
            for there, wanted in zip(found, asked, strict=True)
        ]
    )


def box_ious(first: Sequence[Box], second: Sequence[Box]) -> Features:
    """Return intersection over union of each box with each other: (first, second)."""
    a, b = (np.array(boxes, float).reshape(-1, 4) for boxes in (first, second))
    near = np.maximum(a[:, None, :2], b[None, :, :2])
    far = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (far - near).clip(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clip(0).prod(-1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    result: Features = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return result


def matched_boxes(
    found: Sequence[Box], asked: Sequence[Box], min_iou: float = MIN_IOU
) -> list[tuple[int, int]]:
    """Pair found with asked boxes, the best pair first; each box at most once.

    Returns:
        Indices (found, asked) of the pairs with at least `min_iou`.
    """
    ious = box_ious(found, asked)
    pairs = []
    while ious.size and (best := float(ious.max())) >= min_iou:
        row, column = (int(index) for index in np.unravel_index(int(ious.argmax()), ious.shape))
        pairs.append((row, column))
        ious[row, :] = ious[:, column] = -1.0
        if best <= 0:  # `min_iou` of 0 pairs whatever is left
            break
    return pairs


@dataclass(frozen=True)
class BoxCounts:
    """How many boxes were asked for, found, and found where they were asked for."""

    right: int
    found: int
    asked: int

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where there was nothing to find."""
        total = self.found + self.asked
        return 2 * self.right / total if total else None

    @property
    def recall(self) -> float | None:
        """Share of the asked boxes that were found; None where none was asked for."""
        return self.right / self.asked if self.asked else None


def count_boxes(
    found: Sequence[Sequence[Box]], asked: Sequence[Sequence[Box]], min_iou: float = MIN_IOU
) -> BoxCounts:
    """Count over all panels; their F1 weighs every box alike, whatever its panel."""
    return BoxCounts(
        right=sum(len(matched_boxes(*boxes, min_iou)) for boxes in zip(found, asked, strict=True)),
        found=sum(map(len, found)),
        asked=sum(map(len, asked)),
    )
