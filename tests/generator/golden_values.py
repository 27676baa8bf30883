"""Reads the recorded inputs and outputs of the published classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

FOLDER = Path(__file__).parent / "golden"


class Golden:
    """One fixture: its configuration and its tensors under `in/`, `weights/` and `out/`."""

    def __init__(self, name: str) -> None:
        self.config: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())["config"]
        self.tensors = load_file(FOLDER / f"{name}.safetensors")

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def group(self, prefix: str) -> dict[str, Tensor]:
        """All tensors under a prefix, which is cut off, in float32 if they are floats."""
        return {
            name.removeprefix(prefix): tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }


def assert_equals(actual: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    """Compare by the largest difference, as a share of the largest value where that exceeds 1."""
    assert actual.shape == expected.shape
    allowed = tolerance * max(1.0, expected.abs().max().item())
    assert (actual.float() - expected).abs().max().item() <= allowed


def assert_gradient_equals(actual: Tensor | None, expected: Tensor) -> None:
    """Compare relative to the largest value, however small."""
    assert actual is not None
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-3 * expected.abs().max().item())
