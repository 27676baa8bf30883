from __future__ import annotations

import torch

from generator.devices import pick_device, pick_dtype


def test_the_device_picked_can_compute() -> None:
    device = pick_device()
    assert torch.ones(2, device=device, dtype=pick_dtype(device)).sum().item() == 2


def test_the_cpu_computes_in_float32() -> None:
    assert pick_dtype(torch.device("cpu")) is torch.float32
