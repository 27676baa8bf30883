"""How far long work has come: bars with time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichBars


class Step(Protocol):
    """One piece of long work that is under way."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count `n` more as done; `note` says what is at hand."""


class Progress(Protocol):
    """Tells the writer how far the work has come."""

    def step(self, label: str, total: int) -> AbstractContextManager[Step]:
        """Begin a piece of work of `total` parts; it ends with the context."""

    def say(self, line: str) -> None:
        """Tell the writer something that is worth a line of its own."""


class _SilentStep:
    def advance(self, n: int = 1, note: str = "") -> None:
        """Tell nobody."""


class SilentProgress:
    """Tells nobody anything."""

    @contextmanager
    def step(self, label: str, total: int) -> Iterator[Step]:  # noqa: ARG002 - the protocol's names
        """Begin a piece of work."""
        yield _SilentStep()

    def say(self, line: str) -> None:
        """Tell nobody."""


class PlainProgress(SilentProgress):
    """For pipes and log files: no bars, only the lines worth keeping."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream = stream

    def say(self, line: str) -> None:
        """Write the line."""
        print(line, file=self._stream, flush=True)


class _RichStep:
    def __init__(self, bars: RichBars, label: str, total: int) -> None:
        self._bars = bars
        self._task = bars.add_task(label, total=total, note="")

    def advance(self, n: int = 1, note: str = "") -> None:
        """Move the bar."""
        self._bars.update(self._task, advance=n, note=note)


class RichProgress:
    """For terminals: one bar at a time, with what is at hand and the time left."""

    def __init__(self, console: Console) -> None:
        """Draw on `console`."""
        self._console = console

    @contextmanager
    def step(self, label: str, total: int) -> Iterator[Step]:
        """Begin a piece of work and show its bar."""
        from rich import progress

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=30),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[note]}", markup=False),
        )
        with progress.Progress(*columns, console=self._console) as bars:
            yield _RichStep(bars, label, total)

    def say(self, line: str) -> None:
        """Write the line above the bar."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def progress_on_stderr() -> Progress:
    """Return bars if stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        return PlainProgress(sys.stderr)
    from rich.console import Console

    return RichProgress(Console(stderr=True))
