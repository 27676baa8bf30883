"""Breaking text into lines that follow a balloon's outline, without hyphens."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

# a line may use this much more than the narrowest possible balloon needs, for a better rag
_FREEDOM = 1.15
# a line should not end in a word as short as this many letters
_SHORT_WORD_COSTS = {1: 0.35, 2: 0.05}
_PUNCTUATION_GAIN = 0.04
_CLOSING = tuple(".!?,;:\u2026\u2014\u201d\u2019")


class Broken(NamedTuple):
    """Lines of text, and how much of the outline they need.

    `scale` is the largest of line width / profile width: at most 1 when every line fits.
    `cost` is the mean squared slack, with bad and good break points counted in.
    """

    lines: tuple[str, ...]
    scale: float
    cost: float


def break_text(
    text: str,
    profile: Sequence[float],
    width_of: Callable[[str], float],
    *,
    may_widen: bool = False,
) -> Broken | None:
    """Break `text` into as many lines as `profile` has widths, as evenly filled as can be.

    First the breaks that need the smallest multiple of the profile are found, then, within a
    little more than that multiple, the ones with the least squared slack. A text that has line
    breaks of its own keeps exactly those.

    Args:
        profile: the width free for each line, top to bottom, all above 0.
        width_of: the width of a word or a space, in the profile's unit.
        may_widen: whether better breaks may need a little more than the profile's widths.

    Returns:
        None when the text has fewer words, or other line breaks, than the profile has lines.
    """
    if "\n" in text:
        return _as_written(tuple(text.split("\n")), profile, width_of)
    words = text.split(" ")
    if len(words) < len(profile):
        return None
    measured = _Words(words, width_of)
    narrowest = _best(
        measured, profile, lambda line, first, end: measured.width(first, end) / profile[line], max
    )
    limit = narrowest[0] * (_FREEDOM if may_widen else 1.0)
    limit = max(limit, min(1.0, narrowest[0] * _FREEDOM))

    def slack(line: int, first: int, end: int) -> float:
        filled = measured.width(first, end) / (profile[line] * limit)
        if filled > 1 + 1e-9:
            return math.inf
        return (1 - filled) ** 2 + (measured.break_cost(end) if end < len(words) else 0.0)

    cost, ends = _best(measured, profile, slack, float.__add__)
    starts = [0, *ends[:-1]]
    lines = tuple(" ".join(words[a:b]) for a, b in zip(starts, ends, strict=True))
    scale = max(
        measured.width(a, b) / free for a, b, free in zip(starts, ends, profile, strict=True)
    )
    return Broken(lines, scale, cost / len(profile))


def _as_written(
    lines: tuple[str, ...], profile: Sequence[float], width_of: Callable[[str], float]
) -> Broken | None:
    if len(lines) != len(profile):
        return None
    widths = [
        sum(map(width_of, line.split(" "))) + line.count(" ") * width_of(" ") for line in lines
    ]
    scale = max(width / free for width, free in zip(widths, profile, strict=True))
    return Broken(lines, scale, 0.0)


class _Words:
    """Words with their widths, for asking how wide the line from one to another is."""

    def __init__(self, words: Sequence[str], width_of: Callable[[str], float]) -> None:
        self.words = words
        self._space = width_of(" ")
        self._sums = [0.0]
        for word in words:
            self._sums.append(self._sums[-1] + width_of(word))

    def __len__(self) -> int:
        return len(self.words)

    def width(self, first: int, end: int) -> float:
        """Return the width of the words `first` up to but not including `end` on one line."""
        return self._sums[end] - self._sums[first] + (end - first - 1) * self._space

    def break_cost(self, end: int) -> float:
        """Return what a break before the word `end` costs; less than 0 where it reads well."""
        word = self.words[end - 1]
        if word.endswith(_CLOSING):
            return -_PUNCTUATION_GAIN
        return _SHORT_WORD_COSTS.get(len(word), 0.0)


def _best(
    words: _Words,
    profile: Sequence[float],
    cost: Callable[[int, int, int], float],
    join: Callable[[float, float], float],
) -> tuple[float, tuple[int, ...]]:
    """Return the least joined cost of a division into lines, and the end of each line."""
    last = len(profile) - 1

    @functools.cache
    def rest(line: int, first: int) -> tuple[float, tuple[int, ...]]:
        if line == last:
            return cost(line, first, len(words)), (len(words),)
        best: tuple[float, tuple[int, ...]] = (math.inf, ())
        for end in range(first + 1, len(words) - (last - line) + 1):
            own = cost(line, first, end)
            if own == math.inf or (join is max and own >= best[0]):
                break  # the line only grows from here
            following, ends = rest(line + 1, end)
            joined = join(own, following)
            if joined < best[0]:
                best = joined, (end, *ends)
        return best

    return rest(0, 0)
