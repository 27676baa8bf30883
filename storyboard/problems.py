"""One thing that is wrong in a writer's file, and where."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """Something wrong in a story or plan, told so that it can be mended without searching.

    `path` is the place inside the YAML (`pages[0].panels[2].shot`); `line` counts from 1 and is
    0 where no line is to blame. `allowed` says what would be right, `nearest` the closest known
    name to what was found.
    """

    file: str
    line: int
    path: str
    message: str
    allowed: str = ""
    nearest: str = ""

    def __str__(self) -> str:
        """Return `file:line: path: message (allowed: ...; did you mean ...?)`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        parts = [
            f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"
        ]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.nearest:
            parts.append(f"did you mean {self.nearest!r}?")
        return "; ".join(parts)
