from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from generator.quantization import Quantization, quantizable, quantized


@pytest.fixture
def weight() -> torch.Tensor:
    return torch.randn(96, 128, generator=torch.Generator().manual_seed(0)) / 10


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    ("bits", "allowed", "bytes_per_weight"), [("int8", 0.008, 1.0625), ("int4", 0.1, 0.5625)]
)
@torch.no_grad()
def test_the_result_is_near_and_the_weights_are_small(
    bits: Quantization,
    allowed: float,
    bytes_per_weight: float,
    dtype: torch.dtype,
    weight: torch.Tensor,
) -> None:
    layer = quantized(weight.to(dtype), bits)
    inputs = torch.randn(3, 5, 128, generator=torch.Generator().manual_seed(1)).to(dtype)
    exact = functional.linear(inputs.float(), weight)
    actual = layer(inputs)
    assert actual.dtype == dtype
    assert (actual.float() - exact).norm() / exact.norm() < allowed
    assert sum(buffer.nbytes for buffer in layer.buffers()) == bytes_per_weight * weight.numel()
    layer.load_state_dict({name: value.clone() for name, value in layer.state_dict().items()})


@pytest.mark.parametrize("bits", ["int8", "int4"])
@pytest.mark.parametrize("value", [0.0, 0.3, -2.0, 1e-6])
def test_equal_weights_stay_what_they_are(bits: Quantization, value: float) -> None:
    kept = quantized(torch.full((2, 40), value), bits).weight(torch.float32)
    torch.testing.assert_close(kept, torch.full((2, 40), value), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("bits", ["int8", "int4"])
def test_each_weight_is_within_half_a_step_of_its_own(
    bits: Quantization, weight: torch.Tensor
) -> None:
    layer = quantized(weight, bits)
    off = (layer.weight(torch.float32) - weight).abs().unflatten(1, (-1, 64))
    assert (off <= 0.51 * layer.step.float() + 1e-4).all()


def test_only_linear_layers_without_bias_are_quantised() -> None:
    layers = nn.ModuleDict(
        {
            "plain": nn.Linear(4, 3, bias=False),
            "odd": nn.Linear(5, 3, bias=False),
            "with_bias": nn.Linear(4, 3),
            "norm": nn.LayerNorm(4),
        }
    )
    assert list(quantizable(layers)) == ["plain"]
    with pytest.raises(ValueError, match="5 inputs cannot be packed"):
        quantized(torch.zeros(3, 5), "int4")
