"""Where to compute, and in what precision."""

from __future__ import annotations

import torch


def pick_device() -> torch.device:
    """Return the first accelerator torch can use, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if torch.xpu.is_available():
        return torch.device("xpu")
    return torch.device("cpu")


def pick_dtype(device: torch.device) -> torch.dtype:
    """Return half precision for an accelerator, which halves memory, and float32 for the CPU."""
    return torch.float32 if device.type == "cpu" else torch.float16
