"""Peak memory of a render on the CPU, phase by phase, in a process of its own.

    python -m benchmarks.render_memory FOLDER [--size-px 512] [--panels 4] [--steps 4]

draws panels with the model in the folder and prints the phases as JSON. A process of its own,
because memory that another measurement has used would count as used already.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.model_sizes import MIDDLE, TINY
from benchmarks.panels import panel_requests
from benchmarks.phases import PhaseRecord, ProcessPeak, WatchedDiffSensei, watching
from benchmarks.random_model import random_mllm, write_random_model
from generator.devices import CPU
from generator.mllm_checkpoint import save_mllm

MIB = 2**20
SMALL_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""Lets the C library give freed memory back at once, so that a phase is not charged for another."""


@dataclass(frozen=True)
class PhaseMemory:
    """One phase of a render.

    Attributes:
        name: of the phase; `load` is what comes before the first.
        peak_mib: above the process before the model was loaded.
        seconds: how long it took.
    """

    name: str
    peak_mib: float
    seconds: float


def measure_render(_rounds: int, *, quick: bool) -> list[PhaseMemory]:
    """Render at middle size in another process; once, because memory does not scatter."""
    size, options = MIDDLE, ["--size-px", "512", "--panels", "4", "--steps", "4"]
    if quick:
        size, options = TINY, ["--size-px", "64", "--panels", "1", "--steps", "1"]
    with tempfile.TemporaryDirectory(prefix="render-memory-") as name:
        folder = Path(name)
        print(f"render with a model of size {size.name}", file=sys.stderr, flush=True)
        write_random_model(size, folder, CPU, torch.float32, num_steps=4)
        save_mllm(random_mllm(size, CPU, torch.float32), folder / "mllm")
        command = [sys.executable, "-m", "benchmarks.render_memory", name, *options]
        environment = {
            **os.environ,
            **SMALL_BLOCKS,
            "OMP_NUM_THREADS": str(torch.get_num_threads()),
        }
        done = subprocess.run(  # noqa: S603  this program's own module
            command, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    return [PhaseMemory(**row) for row in json.loads(done.stdout)]


def render(folder: Path, size_px: int, num_panels: int, num_steps: int) -> list[PhaseMemory]:
    """Load the model in this process, draw, and return the phases."""
    meter, start_s = ProcessPeak(), time.perf_counter()
    model: Any = WatchedDiffSensei.load(folder, device="cpu", mode="cpu", steps=num_steps)
    loaded = PhaseRecord("load", time.perf_counter() - start_s, meter.peak_bytes())
    with watching(model, meter) as log:
        model.draw(panel_requests(num_panels, (size_px, size_px)))
    meter.close()
    return [
        PhaseMemory(record.name, round((record.peak_bytes or 0) / MIB, 1), round(record.seconds, 2))
        for record in (loaded, *log.records())
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, render and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size-px", type=int, default=512)
    parser.add_argument("--panels", type=int, default=4)
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args(arguments)
    rows = render(options.folder, options.size_px, options.panels, options.steps)
    print(json.dumps([dataclasses.asdict(row) for row in rows]))


if __name__ == "__main__":
    main()
