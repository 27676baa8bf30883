"""How the writer wants panels drawn, where the model's own way is not wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

import msgspec

Mode = Literal["fast", "balanced", "lean", "cpu"]
MODES: tuple[Mode, ...] = get_args(Mode)

STEPS = range(1, 1001)
BATCHES = range(1, 65)
MAX_GUIDANCE = 50.0
MAX_LORA_WEIGHT = 10.0
LORA_FORM = "a .safetensors file, and after a colon its weight: styles/ink.safetensors:0.8"

_WEIGHT_AT_END = re.compile(r"(?P<path>.+):(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))")


class LoraChoice(msgspec.Struct, frozen=True):
    """A file of small changes to the weights, and how strongly they count; 1 as trained."""

    path: Path
    weight: float = 1.0


class DrawingOptions(msgspec.Struct, frozen=True):
    """How to draw; what is None is left to the model or the machine.

    `mode` and `batch` decide only how memory is used: the pictures are the same, but for rounding.
    """

    steps: int | None = None
    guidance: float | None = None
    scheduler: str | None = None
    loras: tuple[LoraChoice, ...] = ()
    mode: Mode | None = None
    batch: int | None = None

    def over(self, others: DrawingOptions) -> DrawingOptions:
        """Return these options, and where they leave something open, the others'."""
        open_here = {
            name: getattr(others, name)
            for name in self.__struct_fields__
            if getattr(self, name) in (None, ())
        }
        return msgspec.structs.replace(self, **open_here)


def read_lora(text: str, folder: Path = Path()) -> LoraChoice:
    """Return the choice that `PATH` or `PATH:WEIGHT` stands for; paths are relative to `folder`.

    Raises:
        ValueError: there is no path in it, or the weight is out of range.
    """
    found = _WEIGHT_AT_END.fullmatch(text.strip())
    path, weight = (found["path"], float(found["weight"])) if found else (text.strip(), 1.0)
    if not path:
        raise ValueError("no file is named")
    if abs(weight) > MAX_LORA_WEIGHT:
        raise ValueError(f"the weight {weight:g} is not from -{MAX_LORA_WEIGHT:g} to 10")
    return LoraChoice(folder / Path(path).expanduser(), weight)


def scheduler_key(name: str) -> str:
    """Return the same text for all ways to write one scheduler: `Euler`, `euler_scheduler`."""
    kind, colon, options = name.partition(":")
    plain = re.sub(r"[_\-\s]", "", kind.casefold()).removesuffix("scheduler")
    return plain + colon + ",".join(sorted(part.strip() for part in options.split(",")))


def as_text(loras: Iterable[tuple[str, float]]) -> str:
    """Return what tells one set of LoRAs from another: content hashes with weights, sorted."""
    return " ".join(f"{digest}*{weight:g}" for digest, weight in sorted(loras))
