"""Which pages and panels of a book a command is about."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

import msgspec

from storyboard.errors import UsageError


class Selection(msgspec.Struct, frozen=True):
    """Pages such as `1-3,5` and panel ids such as `p01-2,p03-1`; empty means all."""

    pages: str = ""
    panels: str = ""

    def has_page(self, number: int) -> bool:
        """Return whether the page, counted from 1, is wanted."""
        ranges = self._ranges()
        return not ranges or any(number in wanted for wanted in ranges)

    def has(self, panel_id: str) -> bool:
        """Return whether the panel is wanted, if its page is."""
        ids = self._ids()
        return not ids or panel_id in ids

    def check(self, num_pages: int, panel_ids: Collection[str]) -> None:
        """Make sure that all that is asked for is there.

        Args:
            num_pages: pages in the whole book.
            panel_ids: the panels on the pages that are wanted.

        Raises:
            UsageError: a page or panel does not exist.
        """
        for wanted in self._ranges():
            if wanted.start < 1 or wanted.stop > num_pages + 1:
                raise UsageError(f"--pages {self.pages}: the book has pages 1 to {num_pages}")
        for panel_id in self._ids():
            if panel_id not in panel_ids:
                nearest = difflib.get_close_matches(panel_id, panel_ids, n=1)
                hint = f"did you mean {nearest[0]}?" if nearest else "the plan names the panels"
                raise UsageError(f"--panels {self.panels}: there is no panel {panel_id}", hint=hint)

    def _ranges(self) -> list[range]:
        ranges = []
        for part in filter(None, (part.strip() for part in self.pages.split(","))):
            match = re.fullmatch(r"(\d{1,6})(?:\s*-\s*(\d{1,6}))?", part)
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
            if last < first:
                raise UsageError(
                    f"--pages {self.pages}: {part!r} is no page or range of pages",
                    hint="pages are given as in 1-3,5",
                )
            ranges.append(range(first, last + 1))
        return ranges

    def _ids(self) -> list[str]:
        return [part.strip() for part in self.panels.split(",") if part.strip()]
