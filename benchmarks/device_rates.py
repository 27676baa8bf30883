"""What a device can do at most, and how much a denoising step asks of it."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.model_sizes import ModelSize
from benchmarks.unet_steps import open_condition, step_inputs
from generator.devices import synchronize
from generator.masks import Grid
from generator.unet import add_characters

REPEATS = 10


def matrix_rate(device: torch.device, dtype: torch.dtype, side: int) -> float:
    """Return the operations a second of a product of two square matrices of random numbers."""
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    product = torch.empty_like(left)
    return 2 * side**3 / _median_s(lambda: torch.mm(left, right, out=product), device)


def copy_rate(device: torch.device, num_bytes: int) -> float:
    """Return the bytes a second, read and written both counted, of a copy within the device."""
    source = torch.randint(256, (num_bytes,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * num_bytes / _median_s(lambda: target.copy_(source), device)


@functools.lru_cache
def step_operations(size: ModelSize, latent_size: Grid) -> int:
    """Count the operations of one denoising step of one panel, with and without guidance.

    A multiplication and an addition count as two. Nothing is computed: the tensors have no memory.
    """
    with torch.device("meta"):
        unet: Any = UNet2DConditionModel
        adapter = add_characters(unet.from_config(size.unet_config()).eval())
    inputs = step_inputs(size.unet_config(), latent_size).to(torch.device("meta"))
    with torch.no_grad(), open_condition(adapter, inputs):
        counter = FlopCounterMode(display=False)
        with counter:
            inputs.call(adapter.unet, inputs.tokens)
    return counter.get_total_flops()


def _median_s(work: Callable[[], object], device: torch.device) -> float:
    seconds = []
    for _ in range(REPEATS + 2):
        synchronize(device)
        start_s = time.perf_counter()
        work()
        synchronize(device)
        seconds.append(time.perf_counter() - start_s)
    return statistics.median(seconds[2:])
