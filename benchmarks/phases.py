"""A model that notes, phase by phase, how long drawing takes and how much memory it needs."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from unittest.mock import patch

import psutil
import torch

from generator.decoding import decode_one
from generator.denoising import denoise
from generator.devices import synchronize
from generator.pipeline import DiffSensei
from generator.residency import Phase

SAMPLE_EVERY_S = 0.002


@dataclass(frozen=True)
class PhaseRecord:
    """One phase of one or several calls of `draw`.

    Attributes:
        name: captions, pictures, adapt, place (the weights to draw with come to the device, and
            pictures are handed over), denoise or decode.
        seconds: of all its parts together.
        peak_bytes: the most memory at once, above what was in use before; None where the device
            does not tell.
    """

    name: str
    seconds: float
    peak_bytes: int | None


class PeakMeter(Protocol):
    """Tells the most memory that was in use since the last reset."""

    def reset(self) -> None:
        """Begin anew, with what is in use now."""

    def peak_bytes(self) -> int | None:
        """Return the most since then."""


class CudaPeak:
    """Memory of tensors on a CUDA device.

    Attributes:
        most_reserved: the most that torch has taken from the device for them since this began.
    """

    def __init__(self, already_used: int = 0) -> None:
        """Leave out what is none of the model's."""
        self.already_used = already_used
        self.most_reserved = 0

    def reset(self) -> None:
        """See `PeakMeter`."""
        torch.cuda.reset_peak_memory_stats()

    def peak_bytes(self) -> int:
        """See `PeakMeter`."""
        reserved = torch.cuda.max_memory_reserved() - self.already_used
        self.most_reserved = max(self.most_reserved, reserved)
        return torch.cuda.max_memory_allocated() - self.already_used


class ProcessPeak:
    """Memory of this process, looked at from a thread many times a second."""

    def __init__(self) -> None:
        """Start to look; what is in use now does not count."""
        self._process = psutil.Process(os.getpid())
        self._already_used = self._now()
        self._peak = self._already_used
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """See `PeakMeter`."""
        self._peak = self._now()

    def peak_bytes(self) -> int:
        """See `PeakMeter`."""
        self._peak = max(self._peak, self._now())
        return self._peak - self._already_used

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _now(self) -> int:
        return int(self._process.memory_info().rss)

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            self._peak = max(self._peak, self._now())


class NoPeak:
    """For devices that do not tell."""

    def reset(self) -> None:
        """See `PeakMeter`."""

    def peak_bytes(self) -> None:
        """See `PeakMeter`."""


class PhaseLog:
    """Collects what the phases took."""

    def __init__(self, device: torch.device, meter: PeakMeter) -> None:
        """Begin with no phase."""
        self._device = device
        self._meter = meter
        self._name: str | None = None
        self._start_s = 0.0
        self._records: dict[str, PhaseRecord] = {}

    def begin(self, name: str | None) -> None:
        """End the running phase and begin one, or none; waits for the device."""
        if name == self._name:
            return
        synchronize(self._device)
        now_s = time.perf_counter()
        if self._name is not None:
            self._end(self._name, now_s - self._start_s)
        self._name, self._start_s = name, now_s
        self._meter.reset()

    def records(self) -> list[PhaseRecord]:
        """End the running phase and return all phases in the order of their first time."""
        self.begin(None)
        return list(self._records.values())

    def _end(self, name: str, seconds: float) -> None:
        peak = self._meter.peak_bytes()
        if name in self._records:
            before = self._records[name]
            seconds += before.seconds
            if peak is not None and before.peak_bytes is not None:
                peak = max(peak, before.peak_bytes)
        self._records[name] = PhaseRecord(name, seconds, peak)


class WatchedDiffSensei(DiffSensei):
    """Draws as its parent does; reading gigabytes of random weights for a fingerprint is no use."""

    log: PhaseLog
    fingerprint = "random"

    def enter(self, phase: Phase) -> None:
        """Note the phase."""
        self.log.begin("place" if phase == "draw" else phase)
        super().enter(phase)


@contextmanager
def watching(model: WatchedDiffSensei, meter: PeakMeter) -> Iterator[PhaseLog]:
    """Collect the phases of the model's calls of `draw` inside the `with`."""
    model.log = log = PhaseLog(model.device, meter)
    with (
        patch("generator.drawing.denoise", _within(log, "denoise", denoise)),
        patch("generator.drawing.decode_one", _within(log, "decode", decode_one)),
    ):
        yield log
    log.begin(None)


def _within(log: PhaseLog, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        log.begin(name)
        result = function(*args, **kwargs)
        log.begin("place")
        return result

    return noted
