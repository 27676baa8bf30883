"""Tables on stdout and the same in JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.pairing import MAX_SPREAD, MIN_ROUNDS, Spread


def machine() -> dict[str, Any]:
    """Say what was measured on, as far as figures depend on it; no name of a machine."""
    about: dict[str, Any] = {
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if torch.cuda.is_available():
        about["accelerator"] = torch.cuda.get_device_name()
    return about


def shown(value: Spread) -> str:
    """Return a ratio with its quartiles, marked where it must not be trusted."""
    mark = "" if value.is_trusted else " !"
    return f"{value.median:.2f} ({value.first_quartile:.2f}-{value.third_quartile:.2f}){mark}"


def warning(ratios: Sequence[Spread]) -> str:
    """Say which ratios must not be trusted, or that all may be."""
    doubtful = [value for value in ratios if not value.is_trusted]
    if not doubtful:
        return f"All ratios scatter by at most {MAX_SPREAD:.0%} of their median."
    widest = max(value.share for value in doubtful)
    return (
        f"! {len(doubtful)} of {len(ratios)} ratios are NOT TO BE TRUSTED: their interquartile "
        f"range is up to {widest:.0%} of the median (allowed: {MAX_SPREAD:.0%}), or there were "
        f"fewer than {MIN_ROUNDS} rounds. Run again on a quiet machine."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def write_json(values: Any, path: Path) -> None:
    """Write values, dataclasses among them, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    text = json.dumps(values, indent=2, default=_plain)
    unfinished.write_text(text + "\n", "utf-8")
    unfinished.replace(path)


def _plain(value: object) -> object:
    if not dataclasses.is_dataclass(value):
        raise TypeError(f"no JSON for {value!r}")
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Spread):
        fields["is_trusted"] = value.is_trusted
    return fields
