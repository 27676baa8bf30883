"""How quick a device is at what a U-Net spends its time on."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from generator.devices import synchronize
from generator.footprint import Footprint

CALIBRATION_S = 0.15
"""At least so long is each kind of operation tried."""


@dataclass(frozen=True)
class Rates:
    """How quick a device is.

    Attributes:
        convolution: multiplications and additions a second.
        matrix: the same in matrix products.
        attention: the same in attention.
        traffic: bytes a second that are read and written.
        call_s: seconds that any operation takes, however small.
    """

    convolution: float
    matrix: float
    attention: float
    traffic: float
    call_s: float

    def seconds(self, taken: Footprint) -> float:
        """Return how long some work will take."""
        arithmetic = (
            taken.convolution_flops / self.convolution
            + taken.matrix_flops / self.matrix
            + taken.attention_flops / self.attention
        )
        return arithmetic + max(
            2 * taken.written_bytes / self.traffic, taken.num_operations * self.call_s
        )


def measure_rates(
    device: torch.device, dtype: torch.dtype, channels: Sequence[int], size: tuple[int, int]
) -> Rates:
    """Try on a device how quick the kinds of operation are that a U-Net spends its time in.

    Args:
        device: to try.
        dtype: to compute in.
        channels: of the U-Net's levels.
        size: height and width of the latents.
    """
    height, width = max(2, size[0] // 2), max(2, size[1] // 2)
    cells = max(4, height * width // 4)
    middle, deep = channels[len(channels) // 2], channels[-1]
    options: dict[str, Any] = {"device": device, "dtype": dtype}
    picture = torch.randn(2, middle, height, width, **options)
    kernel = torch.randn(middle, middle, 3, 3, **options)
    rows, matrix = torch.randn(2 * cells, deep, **options), torch.randn(4 * deep, deep, **options)
    heads = torch.randn(2, max(1, deep // 64), cells, 64, **options)
    large, small = torch.randn(2**24, **options), torch.randn(1, **options)
    convolution_s = _seconds(lambda: functional.conv2d(picture, kernel, padding=1), device)
    matrix_s = _seconds(lambda: functional.linear(rows, matrix), device)
    attend = functional.scaled_dot_product_attention
    attention_s = _seconds(lambda: attend(heads, heads, heads), device)
    traffic_s = _seconds(lambda: large * 2, device)
    calls_s = _seconds(lambda: [small * 2 for _ in range(100)], device)
    return Rates(
        convolution=2 * picture.numel() * 9 * middle / convolution_s,
        matrix=2 * rows.numel() * 4 * deep / matrix_s,
        attention=4 * heads.numel() * cells / attention_s,
        traffic=2 * large.nbytes / traffic_s,
        call_s=calls_s / 100,
    )


@torch.inference_mode()
def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return the median time of some work, tried for `CALIBRATION_S` after once to warm up."""
    work()
    synchronize(device)
    times: list[float] = []
    while sum(times) < CALIBRATION_S:
        start = time.perf_counter()
        work()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
