"""How fast our way of drawing characters is on a CPU, as ratios taken in one run.

    python -m benchmarks.generator [--quick] [--json FILE] [--only unet adapter memory]

unet: a denoising step with four characters and three dialogs, against diffusers' own U-Net without
any, and against doing everything again in every layer of every step. adapter: the language model
in one pass against token by token. memory: the peak of a render, phase by phase, in a process of
its own. --quick only shows that all of it works.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

import generator
from benchmarks.adapter import AdapterTimes, measure_adapter
from benchmarks.model_sizes import MIDDLE, MINI, TINY
from benchmarks.render_memory import PhaseMemory, measure_render
from benchmarks.report import machine, shown, table, warning, write_json
from benchmarks.unet_steps import NUM_STEPS, StepTimes, measure_steps

MINI_UNET = Path(generator.__file__).parent / "mini/image_generator/unet/config.json"
MINI_LATENTS = 24
MIDDLE_LATENTS = (16, 32, 64)
ADAPTERS = ((MINI, 1), (MIDDLE, 1), (MIDDLE, 4))
ROUNDS, QUICK_ROUNDS = 9, 2

OVERHEAD_AIM = 1.05
"""A picture with characters over one without: at most."""
ADAPTER_AIM = 20.0
"""The published way over one pass: at least."""


def measure_unets(rounds: int, *, quick: bool) -> list[StepTimes]:
    """Time the denoising step at each size."""
    if quick:
        return [measure_steps("tiny", TINY.unet_config(), 8, rounds)]
    sizes = [("mini", json.loads(MINI_UNET.read_text("utf-8")), MINI_LATENTS)]
    sizes += [("middle", MIDDLE.unet_config(), side) for side in MIDDLE_LATENTS]
    rows = []
    for name, config, side in sizes:
        _progress(f"U-Net {name}, latents {side} x {side}")
        rows.append(measure_steps(name, config, side, rounds))
    return rows


def print_unets(rows: Sequence[StepTimes]) -> None:
    """Print the denoising steps."""
    print(
        f"\nDenoising: batch 2 for guidance, 4 characters, 3 dialogs, {NUM_STEPS} steps a picture."
    )
    print(f"Ours over plain is aimed to be at most {OVERHEAD_AIM}.\n")
    head = (
        "U-Net", "latents", "plain step", "our first", "our later", "straightforward",
        "ours / plain", "straightforward / ours", "differ by",
    )  # fmt: skip
    cells = [
        (
            row.size,
            f"{row.latents} x {row.latents}",
            *(f"{value:.3f} s" for value in (row.plain_s, row.first_s, row.later_s)),
            f"{row.straightforward_s:.3f} s",
            shown(row.over_plain),
            shown(row.speedup),
            f"{row.difference:.0e}",
        )
        for row in rows
    ]
    print(table(head, cells))


def measure_adapters(rounds: int, *, quick: bool) -> list[AdapterTimes]:
    """Time a small and a middle language model, for one panel and for several."""
    if quick:
        return [measure_adapter(TINY, 1, rounds)]
    rows = []
    for size, panels in ADAPTERS:
        _progress(f"adapter {size.name}, panels: {panels}")
        rows.append(measure_adapter(size, panels, rounds))
    return rows


def print_adapters(rows: Sequence[AdapterTimes]) -> None:
    """Print the language model's times."""
    print(f"\nAdapter: published over one pass is aimed to be at least {ADAPTER_AIM:.0f}.\n")
    head = (
        "adapter", "parameters", "panels", "one pass", "stepwise", "published",
        "stepwise / one pass", "published / one pass", "differ by",
    )  # fmt: skip
    cells = [
        (
            row.size,
            f"{row.parameters / 1e6:.0f} M",
            str(row.panels),
            *(f"{value:.3f} s" for value in (row.one_pass_s, row.stepwise_s, row.published_s)),
            shown(row.over_stepwise),
            shown(row.over_published),
            f"{row.difference:.0e}",
        )
        for row in rows
    ]
    print(table(head, cells))


def print_memory(rows: Sequence[PhaseMemory]) -> None:
    """Print the phases of a render."""
    print("\nPeak memory of a render on the CPU, above the process before the model was loaded.\n")
    head = "phase", "peak", "seconds"
    print(
        table(head, [(row.name, f"{row.peak_mib:.0f} MiB", f"{row.seconds:.1f}") for row in rows])
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: figures mean nothing")
    parser.add_argument("--json", type=Path, help="also write everything there")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS} by default")
    parser.add_argument("--threads", type=int, help="of torch; all processors by default")
    sections: dict[str, tuple[Callable[..., Any], Callable[[Any], None]]] = {
        "unet": (measure_unets, print_unets),
        "adapter": (measure_adapters, print_adapters),
        "memory": (measure_render, print_memory),
    }
    parser.add_argument("--only", nargs="+", choices=sections, default=list(sections))
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    results: dict[str, Any] = {"machine": machine(), "rounds": rounds, "quick": options.quick}
    print(", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    for name in options.only:
        measure, show = sections[name]
        results[name] = measure(rounds, quick=options.quick)
        show(results[name])
        if options.json:
            write_json(results, options.json)
    ratios = [row.over_plain for row in results.get("unet", [])]
    ratios += [row.speedup for row in results.get("unet", [])]
    ratios += [
        value
        for row in results.get("adapter", [])
        for value in (row.over_stepwise, row.over_published)
    ]
    if ratios:
        print(f"\n{warning(ratios)}")


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
