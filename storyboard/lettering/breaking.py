"""Breaking text into lines that follow a balloon's outline."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from typing import NamedTuple

from storyboard.lettering.pieces import Piece
from storyboard.lettering.runs import ink

# a line may use this much more than the narrowest possible balloon needs, for a better rag
_FREEDOM = 1.15
_PRECISION = 0.004
_MOST_WEIGHED = 120  # pieces; no balloon that reads well has more
_ORPHAN = 0.3  # a short word alone on the last line
_LONE_START = 0.06  # the same on the first line


class Broken(NamedTuple):
    """Lines of text, and how much of the outline they need.

    `scale` is the largest of line width / profile width: at most 1 when every line fits.
    `cost` is the mean squared slack, with bad and good break points counted in.
    """

    lines: tuple[tuple[Piece, ...], ...]
    scale: float
    cost: float


def line_advance(line: Sequence[Piece]) -> float:
    """Return how far a line reaches, its hyphen included, in thousandths of an em."""
    if not line:
        return 0.0
    hyphen = line[-1].hyphen
    spaces = sum(piece.space for piece in line[:-1])
    end = ink(hyphen).advance if hyphen else 0.0
    return sum(piece.advance for piece in line) + spaces + end


def break_lines(
    written: Sequence[Sequence[Piece]], profile: Sequence[float], *, may_widen: bool = False
) -> Broken | None:
    """Break a text into as many lines as `profile` has widths, as evenly filled as can be.

    First the breaks that need the smallest multiple of the profile are found, then, within a
    little more than that multiple, the ones with the least squared slack. A text of several
    `written` lines keeps exactly those.

    Args:
        written: the text's pieces, for each line that the writer made.
        profile: the width free for each line, first to last, all above 0.
        may_widen: whether better breaks may need a little more than the profile's widths.

    Returns:
        None when the text has fewer pieces, or other line breaks, than the profile has lines.
    """
    if len(written) > 1:
        return _as_written(written, profile)
    text = written[0]
    if len(text) < len(profile):
        return None
    measured = _Pieces(text)
    narrowest = _narrowest(measured, profile)
    limit = narrowest * _FREEDOM if may_widen else max(narrowest, min(1.0, narrowest * _FREEDOM))
    break_at = _smoothest if len(text) <= _MOST_WEIGHED else _filled
    cost, ends = break_at(measured, profile, limit * (1 + 1e-9))
    lines = tuple(tuple(text[first:end]) for first, end in zip((0, *ends[:-1]), ends, strict=True))
    return Broken(lines, _scale(lines, profile), cost / len(profile))


def fill_lines(
    written: Sequence[Sequence[Piece]], profile: Sequence[float]
) -> tuple[tuple[Piece, ...], ...] | None:
    """Return lines filled one after the other, the last of the profile left empty at need.

    None when the text does not fit so. What fits still does when its end is taken away.
    """
    lines: list[tuple[Piece, ...]] = []
    for text in written:
        measured = _Pieces(text)
        first = 0
        while first < len(text):
            if len(lines) == len(profile):
                return None
            end = measured.end_within(first, profile[len(lines)])
            if len(written) > 1:
                end = len(text) if end == len(text) else first
            if end == first:
                return None
            lines.append(tuple(text[first:end]))
            first = end
    return tuple(lines)


def _as_written(written: Sequence[Sequence[Piece]], profile: Sequence[float]) -> Broken | None:
    if len(written) != len(profile):
        return None
    lines = tuple(map(tuple, written))
    return Broken(lines, _scale(lines, profile), 0.0)


def _scale(lines: Sequence[Sequence[Piece]], profile: Sequence[float]) -> float:
    return max(line_advance(line) / free for line, free in zip(lines, profile, strict=True))


class _Pieces:
    """Pieces with their widths, for asking how wide the line from one to another is."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.starts = list(itertools.accumulate((p.advance + p.space for p in pieces), initial=0.0))
        hyphens = [ink(piece.hyphen).advance if piece.hyphen else 0.0 for piece in pieces[:-1]]
        # where a line ends that begins with the first piece and ends before each one
        self.ends = [0.0] + [
            start - piece.space + hyphen
            for start, piece, hyphen in zip(self.starts[1:], pieces, [*hyphens, 0.0], strict=True)
        ]
        self._has_hyphens = any(hyphens)

    def __len__(self) -> int:
        return len(self.pieces)

    def width(self, first: int, end: int) -> float:
        """Return the width of the pieces `first` up to but not including `end` on one line."""
        return self.ends[end] - self.starts[first]

    def end_within(self, first: int, width: float) -> int:
        """Return the end of the longest run of pieces from `first` that is no wider than this."""
        reach = self.starts[first] + width + 1e-9
        if not self._has_hyphens:
            return max(bisect.bisect_right(self.ends, reach, lo=first) - 1, first)
        end = max(bisect.bisect_right(self.starts, reach, lo=first) - 1, first)
        while end < len(self.pieces) and self.ends[end + 1] <= reach:
            end += 1
        while end > first and self.ends[end] > reach:
            end -= 1
        return end


def _narrowest(text: _Pieces, profile: Sequence[float]) -> float:
    """Return nearly the least multiple of the profile that holds the text, line by line."""
    whole = text.width(0, len(text))
    high = whole / min(profile)
    low = min(high, 0.8 * whole / sum(profile))
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if _holds(text, profile, middle):
            high = middle
        else:
            low = middle
    return high


def _holds(text: _Pieces, profile: Sequence[float], multiple: float) -> bool:
    first, most = 0, len(text) - len(profile)
    for line, free in enumerate(profile, start=1):
        end = min(text.end_within(first, free * multiple), most + line)
        if end <= first:
            return False
        first = end
    return first == len(text)


def _filled(
    text: _Pieces, profile: Sequence[float], multiple: float
) -> tuple[float, tuple[int, ...]]:
    """Return the ends of lines filled one after the other, and a cost for not weighing more."""
    ends: list[int] = []
    for line, free in enumerate(profile, start=1):
        most = len(text) - len(profile) + line
        ends.append(min(text.end_within(ends[-1] if ends else 0, free * multiple), most))
    return float(len(profile)), tuple(ends)


def _smoothest(
    text: _Pieces, profile: Sequence[float], multiple: float
) -> tuple[float, tuple[int, ...]]:
    """Return the least sum of squared slack and break costs, and the end of each line.

    `multiple` times the profile must hold the text.
    """
    count, last = len(text), len(profile) - 1
    widest_space = max((piece.space for piece in text.pieces), default=0.0)
    ways: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for line, free in enumerate(profile):
        room = free * multiple
        later = sum(profile[line + 1 :]) * multiple + (last - line) * widest_space
        least = bisect.bisect_left(text.starts, text.starts[count] - later - 1e-6)
        longer: dict[int, tuple[float, tuple[int, ...]]] = {}
        for first, (cost, ends) in ways.items():
            most = min(text.end_within(first, room), count - (last - line))
            for end in range(max(first + 1, least), most + 1):
                added = cost + _slack(text, first, end, room, is_last=line == last, line=line)
                if end not in longer or added < longer[end][0]:
                    longer[end] = added, (*ends, end)
        ways = longer
    return ways[count]


def _slack(text: _Pieces, first: int, end: int, room: float, *, is_last: bool, line: int) -> float:
    """Return what a line costs: white at its end, and a break there or a word that stands alone."""
    cost = (1 - text.width(first, end) / room) ** 2
    if end < len(text):
        cost += text.pieces[end - 1].cost
    if end == first + 1 and text.pieces[first].is_short and (line or not is_last):
        cost += _ORPHAN if is_last else _LONE_START if line == 0 else 0.0
    return cost
