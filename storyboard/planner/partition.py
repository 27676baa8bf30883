"""Shares pieces out to panels and panels out to pages, by what a page can carry."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from storyboard.plan import MAX_DIALOGS
from storyboard.planner.pieces import Piece

MOST_PANELS = 6
USUAL_PANELS = 4.6
MOST_PIECES = 12
_NEVER = math.inf


class Group(msgspec.Struct, frozen=True):
    """The pieces of one panel; `beat` is the number of the beat they belong to."""

    pieces: tuple[Piece, ...]
    beat: int

    @property
    def sentences(self) -> tuple[int, ...]:
        """The numbers of the sentences told here, ascending."""
        return tuple(sorted({number for piece in self.pieces for number in piece.sentences}))


def group_pieces(pieces: Sequence[Piece], beats: Sequence[int], pages: int | None) -> list[Group]:
    """Return the panels' pieces: few balloons a panel, cuts where a reader expects them.

    With a wanted number of pages the panels grow fuller until they fit, as far as a panel's
    limit of dialogs allows.

    Args:
        pieces: the story's pieces in order.
        beats: for each piece the number of its beat.
        pages: wanted length, or None.
    """
    costs = {
        (start, end): _panel_cost(pieces[start:end], beats[start:end])
        for end in range(1, len(pieces) + 1)
        for start in range(max(0, end - MOST_PIECES), end)
    }
    panel_cost = 2.0
    groups = _cheapest(pieces, beats, costs, panel_cost)
    while pages and len(groups) > pages * 5.2 and panel_cost < 200:
        panel_cost *= 1.5
        groups = _cheapest(pieces, beats, costs, panel_cost)
    panel_cost = 2.0
    while pages and len(groups) < min(pages * 2.6, len(pieces)) and panel_cost > -60:
        panel_cost -= 3.0
        groups = _cheapest(pieces, beats, costs, panel_cost)
    return groups


def _cheapest(
    pieces: Sequence[Piece],
    beats: Sequence[int],
    costs: Mapping[tuple[int, int], float],
    panel_cost: float,
) -> list[Group]:
    """Return the partition of least cost, where every panel costs `panel_cost` on top of its own.

    `costs` has the cost of a panel of the pieces from its first number up to its second.
    """
    cuts = _partition(len(pieces), MOST_PIECES, lambda start, end: panel_cost + costs[start, end])
    return [
        Group(tuple(pieces[start:end]), beats[start]) for start, end in itertools.pairwise(cuts)
    ]


def _partition(length: int, longest: int, cost: Callable[[int, int], float]) -> list[int]:
    """Return the cuts, from 0 to `length`, of the cheapest split into runs of 1 to `longest`."""
    best = [0.0] + [_NEVER] * length
    back = [0] * (length + 1)
    for end in range(1, length + 1):
        for start in range(max(0, end - longest), end):
            total = best[start] + cost(start, end)
            if total < best[end]:
                best[end], back[end] = total, start
    cuts = [length]
    while cuts[-1] > 0:
        cuts.append(back[cuts[-1]])
    return cuts[::-1]


def _panel_cost(pieces: Sequence[Piece], beats: Sequence[int]) -> float:
    spoken = [piece for piece in pieces if piece.kind == "spoken"]
    lettered = [piece for piece in pieces if piece.text]
    walled = len({piece.scene for piece in pieces}) > 1
    if len(lettered) > MAX_DIALOGS or walled or (len(pieces) > 1 and any(p.ready for p in pieces)):
        return _NEVER
    letters = sum(len(piece.text) for piece in lettered)
    boxes = len(lettered) - len(spoken)
    cost = 9.0 * max(0, len(lettered) - 3) + 4.0 * max(0, len(spoken) - 2)
    cost += 5.0 * max(0, boxes - 2) + 1.5 * (boxes > 1 and bool(spoken))
    cost += max(0, letters - 190) / 10
    cost += 3.0 * (not lettered)
    cost += sum(6.0 for before, after in itertools.pairwise(beats) if before != after)
    if len(spoken) == 2 and spoken[0].line != spoken[1].line and letters <= 150:
        cost -= 1.0  # a question with its answer
    return cost


def share_pages(groups: Sequence[Group], pages: int | None) -> list[list[Group]]:
    """Return the panels of each page, 1 to 6, even in number, cut between beats where it can be.

    The number of pages is the wanted one where 1 to 6 panels a page allow it, else the nearest.
    A panel for which the writer asks for a page break begins a page.
    """
    runs = _runs(groups)
    shared: list[list[Group]] = []
    for number, run in enumerate(runs):
        left = sum(len(later) for later in runs[number:])
        wanted = round((pages - len(shared)) * len(run) / left) if pages else None
        if wanted is None and len(runs) > 1:
            wanted = -(-len(run) // MOST_PANELS)
        shared += _share_run(run, wanted)
    return shared


def _runs(groups: Sequence[Group]) -> list[list[Group]]:
    """Return the groups cut wherever the writer wants a new page."""
    runs: list[list[Group]] = [[]]
    for group in groups:
        ready = group.pieces[0].ready
        if ready is not None and ready.page_break and runs[-1]:
            runs.append([])
        runs[-1].append(group)
    return runs


def _share_run(groups: Sequence[Group], pages: int | None) -> list[list[Group]]:
    wanted = max(pages, 1) if pages is not None else max(1, round(len(groups) / USUAL_PANELS))
    count = min(max(wanted, -(-len(groups) // MOST_PANELS)), len(groups))
    share = len(groups) / count
    best = {(0, 0): (0.0, 0)}
    for end in range(1, len(groups) + 1):
        for page in range(max(1, -(-end // MOST_PANELS)), min(count, end) + 1):
            options = [
                (best[start, page - 1][0] + _page_cost(groups, start, end, share), start)
                for start in range(max(0, end - MOST_PANELS), end)
                if (start, page - 1) in best
            ]
            if options:
                best[end, page] = min(options)
    cuts = [len(groups)]
    for page in range(count, 0, -1):
        cuts.append(best[cuts[-1], page][1])
    cuts.reverse()
    return [list(groups[a:b]) for a, b in itertools.pairwise(cuts)]


def _page_cost(groups: Sequence[Group], start: int, end: int, share: float) -> float:
    cut_in_beat = end < len(groups) and groups[end - 1].beat == groups[end].beat
    return (end - start - share) ** 2 + 1.5 * cut_in_beat
