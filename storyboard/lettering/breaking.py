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
    narrowest = _narrowest(measured, profile)
    limit = narrowest * _FREEDOM if may_widen else max(narrowest, min(1.0, narrowest * _FREEDOM))
    cost, ends = _smoothest(measured, profile, limit * (1 + 1e-9))
    starts = [0, *ends[:-1]]
    spans = list(zip(starts, ends, strict=True))
    lines = tuple(" ".join(words[first:end]) for first, end in spans)
    scale = max(measured.width(*span) / free for span, free in zip(spans, profile, strict=True))
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

    def end_within(self, first: int, width: float) -> int:
        """Return the end of the longest run of words from `first` that is no wider than this."""
        low, high = first, len(self.words)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(first, middle) <= width:
                low = middle
            else:
                high = middle - 1
        return low

    def break_cost(self, end: int) -> float:
        """Return what a break before the word `end` costs; less than 0 where it reads well."""
        word = self.words[end - 1]
        if word.endswith(_CLOSING):
            return -_PUNCTUATION_GAIN
        return _SHORT_WORD_COSTS.get(len(word), 0.0)


def _narrowest(words: _Words, profile: Sequence[float]) -> float:
    """Return the least multiple of the profile that holds the words, filling line by line."""
    low, high = 0.0, words.width(0, len(words)) / min(profile)
    while high - low > 1e-7 * high:
        middle = (low + high) / 2
        if _holds(words, profile, middle):
            high = middle
        else:
            low = middle
    return high


def _holds(words: _Words, profile: Sequence[float], multiple: float) -> bool:
    first = 0
    for line, free in enumerate(profile):
        later_lines = len(profile) - 1 - line
        end = min(words.end_within(first, free * multiple), len(words) - later_lines)
        if end <= first:
            return False
        first = end
    return first == len(words)


def _smoothest(
    words: _Words, profile: Sequence[float], multiple: float
) -> tuple[float, tuple[int, ...]]:
    """Return the least sum of squared slack and break costs, and the end of each line.

    `multiple` times the profile must hold the words.
    """
    last = len(profile) - 1

    def slack(line: int, first: int, end: int) -> float:
        filled = words.width(first, end) / (profile[line] * multiple)
        return (1 - filled) ** 2 + (words.break_cost(end) if end < len(words) else 0.0)

    @functools.cache
    def rest(line: int, first: int) -> tuple[float, tuple[int, ...]]:
        farthest = words.end_within(first, profile[line] * multiple)
        if line == last:
            fits = farthest == len(words)
            return (slack(line, first, farthest) if fits else math.inf), (len(words),)
        best: tuple[float, tuple[int, ...]] = (math.inf, ())
        for end in range(first + 1, min(farthest, len(words) - (last - line)) + 1):
            cost, ends = rest(line + 1, end)
            joined = slack(line, first, end) + cost
            if joined < best[0]:
                best = joined, (end, *ends)
        return best

    return rest(0, 0)
