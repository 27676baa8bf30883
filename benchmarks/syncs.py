"""How often the denoising loop makes the processor wait for the device: it must not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import TracebackType

import torch

from generator.request import PanelRequest

MARK = "synchronizing CUDA operation"
"""In the words of torch's warning."""


class SyncCounter:
    """Counts waits between the steps of one `draw`: `with SyncCounter() as counter`.

    Attributes:
        before: waits up to the end of the first step, all phases before it included; None where
            torch cannot tell.
        later: waits in all later steps together; None likewise.
        places: file and line of each later one.
    """

    def __init__(self) -> None:
        """Count nothing yet."""
        self.before: int | None = None
        self.later: int | None = None
        self.places: list[str] = []
        self._catching = warnings.catch_warnings(record=True)
        self._caught: list[warnings.WarningMessage] = []

    def __enter__(self) -> SyncCounter:
        """Let torch warn of every wait."""
        if torch.cuda.is_available():
            self._caught = self._catching.__enter__() or []
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let torch be silent again."""
        if torch.cuda.is_available():
            torch.cuda.set_sync_debug_mode("default")
            self._catching.__exit__(kind, error, traceback)

    def on_step(self, _panels: Sequence[PanelRequest], step: int, steps: int) -> None:
        """Take the count after a step; for `draw`."""
        if not torch.cuda.is_available():
            return
        waits = [warning for warning in self._caught if MARK in str(warning.message)]
        if step == 1:
            self.before = len(waits)
        if step == steps:
            later = waits[self.before or 0 :]
            self.later = len(later)
            self.places = sorted({f"{wait.filename}:{wait.lineno}" for wait in later})
