"""Where to compute, in what precision, and how much memory is left there.

The only file that names kinds of devices.
"""

from __future__ import annotations

from typing import Any

import psutil
import torch

CPU = torch.device("cpu")
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""How backends that have no error of their own for it say that memory ran out."""


def pick_device() -> torch.device:
    """Return the first accelerator torch can use, else the CPU."""
    if torch.cuda.is_available():  # AMD's too: ROCm goes by this name
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if torch.xpu.is_available():
        return torch.device("xpu")
    return CPU


def pick_dtype(device: torch.device) -> torch.dtype:
    """Return half precision for an accelerator, which halves memory, and float32 for the CPU."""
    return torch.float16 if is_accelerator(device) else torch.float32


def is_accelerator(device: torch.device) -> bool:
    """Tell whether the device has memory or units of its own."""
    return device.type != CPU.type


def likes_channels_last(device: torch.device) -> bool:
    """Tell whether convolutions are quicker with the channels innermost."""
    return device.type in {"cuda", "xpu"}


def has_streams(device: torch.device) -> bool:
    """Tell whether weights can be copied there while it computes."""
    return device.type in {"cuda", "xpu"}


def free_memory(device: torch.device) -> int:
    """Return how many bytes can still be used, what torch keeps for itself unused included."""
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    if not is_accelerator(device):
        return int(psutil.virtual_memory().available)
    backend = _backend(device)
    free, _ = backend.mem_get_info(device)
    return int(free + backend.memory_reserved(device) - backend.memory_allocated(device))


def empty_cache(device: torch.device) -> None:
    """Give memory that torch keeps unused back to the device."""
    if is_accelerator(device):
        _backend(device).empty_cache()


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all it was given."""
    if is_accelerator(device):
        _backend(device).synchronize()


def out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, of whatever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def _backend(device: torch.device) -> Any:
    return getattr(torch, device.type)
