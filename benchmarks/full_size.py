"""How long drawing takes with a model of the published size, and how much memory.

    python -m benchmarks.full_size [--tiny] [--minutes 8] [--results runs/full-size.json]

A model filled with random numbers is as slow and as large as a trained one, so nothing is
downloaded; it is written to --folder once (9 GB, and 26 GB more for the language model). Every
row is in the results file as soon as it is there. The program stops by itself when its minutes are
over; started again, it goes on with what is missing, and then tries again what failed. Groups:

draw     seconds a panel, peak memory by phase, share of the arithmetic limit and waits for the
         device in the denoising loop, by panel size and batch
compile  as draw, with compiled transformer blocks
adapter  the language model alone: one pass, token by token, in 16, 8 and 4 bits
modes    all phases in the modes fast, balanced and lean, with all and with little memory free

--tiny goes through all of it with a tiny model on whatever machine: its figures mean nothing.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.full_size_cases import (
    Model,
    loaded_model,
    measure_adapter_alone,
    measure_draw,
    measure_rates,
    only_free,
)
from benchmarks.full_size_model import Setting, plain_model, whole_model
from benchmarks.model_sizes import FULL, TINY
from benchmarks.report import machine, table
from benchmarks.results import Results
from generator.devices import pick_device
from generator.quantization import Quantization
from generator.residency import Mode

SIZES_PX = ((1024, 1024), (768, 768), (512, 512))
TINY_SIZES_PX = ((96, 64),)
BATCHES = (4, 1, 8, 2)
COMPILED_BATCHES = (4, 1)
NUM_STEPS = 30
MATRIX_SIDE = 8192
PRECISIONS: tuple[Quantization | None, ...] = (None, "int8", "int4")
LEAST_GIB = 12
MODES: tuple[tuple[Mode, float | None], ...] = (
    ("lean", LEAST_GIB), ("balanced", None), ("fast", None), ("lean", 16), ("lean", 24),
)  # fmt: skip
"""Each with the GiB that are free on the device, or all that there are."""

LATE_S = 50.0
"""How long the last case may go on after the minutes are over, before it is cut off."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Group:
    """Cases that share something which takes long to open.

    Attributes:
        name: for `--only`.
        opened: gives what the cases work on.
        cases: by name in the results.
    """

    name: str
    opened: Callable[[], AbstractContextManager[Any]]
    cases: dict[str, Callable[[Any], Row]]


def all_groups(setting: Setting, matrix_tflops: float, *, tiny: bool) -> list[Group]:
    """Give all there is to measure, the most wanted first."""
    sizes_px = TINY_SIZES_PX if tiny else SIZES_PX
    batches, compiled_batches = ((2, 1), (1,)) if tiny else (BATCHES, COMPILED_BATCHES)

    def draw(size_px: tuple[int, int], batch: int) -> Callable[[Any], Row]:
        return partial(measure_draw, size_px=size_px, batch=batch, matrix_tflops=matrix_tflops)

    plain = Group(
        "draw",
        partial(_plain, setting),
        {
            f"draw {height}x{width} batch {batch}": draw((height, width), batch)
            for height, width in sizes_px
            for batch in batches
        },
    )
    adapter = Group(
        "adapter",
        partial(_whole_folder, setting),
        {
            f"adapter {quantize or 'half'}": partial(
                measure_adapter_alone, setting, quantize=quantize
            )
            for quantize in PRECISIONS
        },
    )
    modes = [
        Group(
            "modes",
            partial(_whole, setting, mode, gib),
            {
                f"mode {mode}{'' if gib is None else f' in {gib} GiB'} batch {batch}": draw(
                    sizes_px[0], batch
                )
                for batch in (batches[:2] if gib == LEAST_GIB else batches[:1])
            },
        )
        for mode, gib in MODES
    ]
    compiled = Group(
        "compile",
        partial(_plain, setting, compiled=True),
        {f"compiled batch {batch}": draw(sizes_px[0], batch) for batch in compiled_batches},
    )
    return [plain, compiled, adapter, *modes]


@contextmanager
def _plain(setting: Setting, *, compiled: bool = False) -> Iterator[Model]:
    with loaded_model(setting, plain_model(setting), "fast", compiled=compiled) as model:
        yield model


@contextmanager
def _whole(setting: Setting, mode: Mode, gib: float | None) -> Iterator[Model]:
    folder = whole_model(setting)
    with (
        only_free(setting.device, gib) as used,
        loaded_model(setting, folder, mode, used=used) as model,
    ):
        yield model


@contextmanager
def _whole_folder(setting: Setting) -> Iterator[Path]:
    yield whole_model(setting)


def measure(group: Group, names: Sequence[str], results: Results, until_s: float) -> None:
    """Run some of the group's cases while there is time, and keep what they give."""
    with ExitStack() as stack:
        opened = None
        for name in names:
            if time.monotonic() > until_s:
                return
            print(name, file=sys.stderr, flush=True)
            results.add(name, {"error": "cut off when the time was up"})
            try:
                if opened is None:
                    opened = stack.enter_context(group.opened())
                row = group.cases[name](opened)
            except Exception as error:  # noqa: BLE001  one that fails must not cost the others
                traceback.print_exc()
                row = {"error": f"{type(error).__name__}: {error}"}
            results.add(name, row)


def print_rows(results: Results) -> None:
    """Print a table of all that was drawn, and the other rows as they are."""
    head = "case", "s a panel", "of the limit", "peak GiB", "waits", "seconds by phase"
    cells = []
    for name, row in results.rows.items():
        if "seconds_a_panel" not in row:
            print(f"{name}: {json.dumps(row)}")
            continue
        peaks = [peak for peak in row["peak_gib"].values() if peak is not None]
        cells.append(
            (
                name,
                f"{row['seconds_a_panel']:.3f}",
                f"{row['share_of_matrix_rate']:.1%}",
                f"{max(peaks):.2f}" if peaks else "-",
                str(row["waits_in_later_steps"]),
                " ".join(f"{phase} {seconds}" for phase, seconds in row["seconds"].items()),
            )
        )
    print(table(head, cells))


def run(options: argparse.Namespace) -> Results:
    """Measure until everything is measured or the time is up."""
    until_s = time.monotonic() + 60 * options.minutes
    setting = Setting(
        size=TINY if options.tiny else FULL,
        device=pick_device(),
        folder=options.folder / ("tiny" if options.tiny else "full"),
        num_steps=2 if options.tiny else NUM_STEPS,
        matrix_side=256 if options.tiny else MATRIX_SIDE,
    )
    results = Results(options.results, *options.copies)
    rates = measure_rates(setting)
    results.add(f"rates {time.strftime('%H:%M:%S')}", rates | machine())
    groups = all_groups(setting, rates["matrix_tflops"], tiny=options.tiny)
    for want_failed in (False, True):
        for group in groups:
            names = [
                name
                for name in group.cases
                if name not in results and (name in results.rows) == want_failed
            ]
            if group.name in options.only and names:
                measure(group, names, results, until_s)
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = ("draw", "adapter", "modes", "compile")
    parser.add_argument("--tiny", action="store_true", help="shows only that all of it works")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--folder", type=Path, default=Path("runs/full-size"))
    parser.add_argument("--results", type=Path, default=Path("runs/full-size.json"))
    parser.add_argument("--copies", type=Path, nargs="*", default=[], help="written along with it")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    options = parser.parse_args(arguments)
    faulthandler.dump_traceback_later(60 * options.minutes + LATE_S, exit=True)
    try:
        print_rows(run(options))
    finally:
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
