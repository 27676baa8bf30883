"""What is measured at full size, case by case."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import torch

from benchmarks.adapter import CAPTION, adapt_as_published
from benchmarks.device_rates import copy_rate, matrix_rate, step_operations
from benchmarks.full_size_model import Setting
from benchmarks.model_sizes import MAX_CHARACTERS, TOKENS_PER_CHARACTER
from benchmarks.panels import panel_requests
from benchmarks.phases import CudaPeak, NoPeak, PeakMeter, WatchedDiffSensei, watching
from benchmarks.syncs import SyncCounter
from generator.checkpoint import load_mllm
from generator.decoding import latent_factor
from generator.devices import empty_cache, free_memory, is_accelerator, synchronize
from generator.quantization import Quantization
from generator.residency import Mode

GIB = 2**30
WARM_UP_STEPS = 4
MANY_PANELS = 8


def measure_rates(setting: Setting) -> dict[str, Any]:
    """Measure what the device can do at most."""
    operations = matrix_rate(setting.device, setting.dtype, setting.matrix_side)
    copied = copy_rate(setting.device, 32 * setting.matrix_side**2)
    return {
        "dtype": str(setting.dtype).removeprefix("torch."),
        "matrix_tflops": round(operations / 1e12, 3),
        "copy_gb_s": round(copied / 1e9, 1),
    }


@dataclass(frozen=True)
class Model:
    """A loaded model.

    Attributes:
        loaded: the model.
        setting: of the run.
        load_s: how long loading took.
        used: bytes on the device that are none of the model's.
    """

    loaded: WatchedDiffSensei
    setting: Setting
    load_s: float
    used: int


@contextmanager
def loaded_model(
    setting: Setting, folder: Path, mode: Mode, *, compiled: bool = False, used: int = 0
) -> Iterator[Model]:
    """Load a model for some cases."""
    _let_go(setting.device)
    start_s = time.perf_counter()
    model: Any = WatchedDiffSensei.load(
        folder, device=setting.device, mode=mode, compile=compiled, steps=setting.num_steps
    )
    try:
        yield Model(model, setting, time.perf_counter() - start_s, used)
    finally:
        if compiled:
            torch.compiler.reset()


def measure_draw(
    model: Model, *, size_px: tuple[int, int], batch: int, matrix_tflops: float
) -> dict[str, Any]:
    """Draw `batch` panels together, once to warm up and count waits, once to measure.

    Args:
        model: loaded.
        size_px: height and width.
        batch: panels.
        matrix_tflops: what the device can do at most, measured in the same run.
    """
    panels, notes = panel_requests(batch, size_px), list[str]()
    start_s = time.perf_counter()
    with (
        _steps(model.loaded, WARM_UP_STEPS),
        watching(model.loaded, NoPeak()),
        SyncCounter() as counter,
    ):
        model.loaded.draw(panels, batch_size=batch, on_step=counter.on_step, on_note=notes.append)
    warm_up_s = time.perf_counter() - start_s
    meter = _meter(model.setting.device, model.used)
    with watching(model.loaded, meter) as log:
        model.loaded.draw(panels, batch_size=batch, on_note=notes.append)
    records = {record.name: record for record in log.records()}
    cells = tuple(side // latent_factor(model.loaded.components.vae) for side in size_px)
    operations = step_operations(model.setting.size, (cells[0], cells[1])) * batch
    rate = operations * model.setting.num_steps / records["denoise"].seconds
    drawing_s = records["denoise"].seconds + records["decode"].seconds
    return {
        "mode": model.loaded.mode,
        "compiled": model.loaded.compiled,
        "height_px": size_px[0],
        "width_px": size_px[1],
        "batch": batch,
        "steps": model.setting.num_steps,
        "seconds_a_panel": round(drawing_s / batch, 4),
        "share_of_matrix_rate": round(rate / 1e12 / matrix_tflops, 4),
        "seconds": {name: round(record.seconds, 3) for name, record in records.items()},
        "peak_gib": {name: _gib(record.peak_bytes) for name, record in records.items()},
        "reserved_gib": _gib(getattr(meter, "most_reserved", None)),
        "waits_before_second_step": counter.before,
        "waits_in_later_steps": counter.later,
        "places_of_waits": counter.places,
        "load_s": round(model.load_s, 2),
        "warm_up_s": round(warm_up_s, 2),
        "notes": notes,
    }


def measure_adapter_alone(
    setting: Setting, folder: Path, quantize: Quantization | None
) -> dict[str, Any]:
    """Load the language model and adapt one panel, several, and one token by token."""
    _let_go(setting.device)
    meter = _meter(setting.device)
    meter.reset()
    start_s = time.perf_counter()
    mllm = load_mllm(folder / "mllm", dtype=setting.dtype, quantize=quantize, device=setting.device)
    synchronize(setting.device)
    row: dict[str, Any] = {"load_s": round(time.perf_counter() - start_s, 2)}
    row["load_peak_gib"] = _gib(meter.peak_bytes())
    meter.reset()
    rng = torch.Generator().manual_seed(0)
    shape = MANY_PANELS, MAX_CHARACTERS, TOKENS_PER_CHARACTER, setting.size.cross_width
    tokens = torch.randn(shape, generator=rng).to(setting.device, setting.dtype)
    captions = [f"{CAPTION} {number}" for number in range(MANY_PANELS)]
    for name, adapt, panels in (
        ("one_pass_1_s", mllm.adapt, 1),
        (f"one_pass_{MANY_PANELS}_s", mllm.adapt, MANY_PANELS),
        ("stepwise_1_s", mllm.adapt_stepwise, 1),
        ("published_1_s", partial(adapt_as_published, mllm), 1),
    ):
        adapt(captions[:1], tokens[:1])
        synchronize(setting.device)
        start_s = time.perf_counter()
        adapt(captions[:panels], tokens[:panels])
        synchronize(setting.device)
        row[name] = round(time.perf_counter() - start_s, 4)
    row["published_over_one_pass"] = round(row["published_1_s"] / row["one_pass_1_s"], 1)
    row["adapt_peak_gib"] = _gib(meter.peak_bytes())
    return row


@contextmanager
def only_free(device: torch.device, gib: float | None) -> Iterator[int]:
    """Fill the device's memory until only so much is free, if given; give the bytes it took."""
    if gib is None or not is_accelerator(device):
        yield 0
        return
    _let_go(device)
    filling = max(0, free_memory(device) - int(gib * GIB))
    ballast = torch.empty(filling, dtype=torch.uint8, device=device)
    try:
        yield ballast.nbytes
    finally:
        del ballast
        empty_cache(device)


@contextmanager
def _steps(model: WatchedDiffSensei, num_steps: int) -> Iterator[None]:
    """Draw with another number of steps inside the `with`."""
    components = model.components
    settings = msgspec.structs.replace(components.settings, num_inference_steps=num_steps)
    model.components = replace(components, settings=settings)
    try:
        yield
    finally:
        model.components = components


def _let_go(device: torch.device) -> None:
    """Give back what the cases before have left; a U-Net and its adapter know each other."""
    gc.collect()
    empty_cache(device)


def _meter(device: torch.device, used: int = 0) -> PeakMeter:
    return CudaPeak(used) if device.type == "cuda" else NoPeak()


def _gib(num_bytes: int | None) -> float | None:
    return None if num_bytes is None else round(num_bytes / GIB, 3)
