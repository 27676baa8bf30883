"""Linear layers that hold their weights in 8 or 4 bits and compute in their input's precision."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Quantization = Literal["int8", "int4"]
GROUP = 64
"""Weights of one output that share a step and a centre; fewer where their number asks for it."""


class QuantizedLinear(nn.Module):
    """A linear layer whose weights lie evenly spaced between the extremes of their group.

    It holds 1.06 bytes a weight in 8 bits and 0.56 in 4. The weights are put together again for
    each call, so it pays where many tokens go through at once. Runs wherever torch does.
    """

    codes: Tensor
    step: Tensor
    centre: Tensor

    def __init__(self, weight: Tensor, bits: Literal[8, 4]) -> None:
        """Quantise a weight (outputs, inputs) where it lies; 4 bits need an even number of inputs.

        Raises:
            ValueError: the inputs are odd in number.
        """
        super().__init__()
        outputs, inputs = weight.shape
        if inputs % 2:
            raise ValueError(f"{inputs} inputs cannot be packed in pairs")
        self.bits: int = bits
        # one copy in float32, changed in place: the largest weights of a model are large
        groups = weight.to(torch.float32, copy=True).reshape(outputs, -1, math.gcd(inputs, GROUP))
        low, high = groups.aminmax(dim=-1, keepdim=True)
        centre = ((low + high) / 2).half()
        step = ((high - low) / self.num_steps).half()
        # where all weights of a group are equal the step is zero, and any code will do
        groups.sub_(centre).div_(step.float().clamp_(min=1e-12)).add_(self.num_steps / 2)
        codes = groups.round_().clamp_(0, self.num_steps).to(torch.uint8)
        if bits == 4:
            codes = codes[..., ::2] | codes[..., 1::2] << 4
        self.register_buffer("codes", codes)
        self.register_buffer("step", step)
        self.register_buffer("centre", centre)

    @property
    def num_steps(self) -> int:
        """From one extreme to the other."""
        return (1 << self.bits) - 1

    def weight(self, dtype: torch.dtype) -> Tensor:
        """Give the weights (outputs, inputs) as far as they were kept."""
        codes = self.codes
        if self.bits == 4:
            codes = torch.stack([codes & 15, codes >> 4], dim=-1).flatten(2)
        offsets = codes.to(dtype).sub_(self.num_steps / 2)
        return torch.addcmul(self.centre.to(dtype), offsets, self.step.to(dtype)).flatten(1)

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        return functional.linear(inputs, self.weight(inputs.dtype))


def quantizable(module: nn.Module) -> Iterator[str]:
    """Name the layers in a module that a `QuantizedLinear` can stand in for."""
    for name, child in module.named_modules():
        if isinstance(child, nn.Linear) and child.bias is None and child.in_features % 2 == 0:
            yield name


def quantized(weight: Tensor, quantize: Quantization) -> QuantizedLinear:
    """Return a layer that does, but for rounding, what a linear layer of this weight does."""
    return QuantizedLinear(weight, 8 if quantize == "int8" else 4)
