from __future__ import annotations

import re
from pathlib import Path

import torch

import generator
from generator.devices import free_memory, pick_device, pick_dtype


def test_the_device_picked_can_compute() -> None:
    device = pick_device()
    assert torch.ones(2, device=device, dtype=pick_dtype(device)).sum().item() == 2


def test_the_cpu_computes_in_float32() -> None:
    assert pick_dtype(torch.device("cpu")) is torch.float32


def test_there_is_memory_left() -> None:
    assert 0 < free_memory(pick_device()) < 2**50


def test_devices_are_named_in_one_file_only() -> None:
    named = {
        path.name
        for path in Path(generator.__path__[0]).glob("*.py")
        if re.search(r"""["'](cuda|mps|xpu)\b""", path.read_text("utf-8"))
    }
    assert named == {"devices.py"}
