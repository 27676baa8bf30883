from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from generator.devices import CPU, free_memory, is_accelerator, out_of_memory, pick_device
from generator.pipeline import DiffSensei
from generator.residency import (
    PHASES,
    Mode,
    Residency,
    choose_mode,
    mllm_precision,
    modules_of,
    offload,
    phase_bytes,
    stop_offloading,
)

AWAY = torch.device("meta")
"""Stands for an accelerator: what is there can be seen, and nothing needs to be computed."""
GIB = 2**30


@dataclass(frozen=True)
class Size:
    parameters: int


PUBLISHED = {
    "unet": Size(2_908_000_000),
    "vae": Size(84_000_000),
    "text_encoder": Size(123_000_000),
    "text_encoder_2": Size(695_000_000),
    "clip_image_encoder": Size(632_000_000),
    "magi_image_encoder": Size(86_000_000),
    "image_proj_model": Size(100_000_000),
    "mllm/llm": Size(13_018_000_000),
    "mllm/agent": Size(120_000_000),
}
WITHOUT_MLLM = {name: size for name, size in PUBLISHED.items() if not name.startswith("mllm")}


@pytest.mark.parametrize(
    ("sizes", "free_gib", "mode"),
    [
        (PUBLISHED, 80, "fast"),
        (PUBLISHED, 32, "balanced"),
        (PUBLISHED, 24, "lean"),
        (PUBLISHED, 12, "lean"),
        (WITHOUT_MLLM, 16, "fast"),
        (WITHOUT_MLLM, 10, "balanced"),
        (WITHOUT_MLLM, 6, "lean"),
        (WITHOUT_MLLM, 2, "cpu"),
    ],
)
def test_the_quickest_mode_that_fits_is_chosen(
    sizes: dict[str, Size], free_gib: int, mode: Mode
) -> None:
    assert choose_mode(sizes, free_gib * GIB, AWAY) == mode


def test_without_an_accelerator_the_mode_is_cpu() -> None:
    assert choose_mode(PUBLISHED, 512 * GIB, CPU) == "cpu"


def test_every_part_belongs_to_a_phase() -> None:
    whole = sum(size.parameters for size in PUBLISHED.values())
    assert sum(phase_bytes(PUBLISHED, 2).values()) == 2 * whole


@pytest.mark.parametrize(
    ("mode", "free_gib", "dtype", "expected"),
    [
        ("fast", 80, torch.float16, (torch.float16, None)),
        ("balanced", 80, torch.bfloat16, (torch.bfloat16, None)),
        ("lean", 24, torch.float16, (torch.float16, "int8")),
        ("lean", 12, torch.float16, (torch.float16, "int4")),
        ("cpu", 128, torch.float32, (torch.float32, None)),
        ("cpu", 48, torch.float32, (torch.bfloat16, None)),
        ("cpu", 24, torch.float32, (torch.bfloat16, "int8")),
        ("cpu", 12, torch.float32, (torch.bfloat16, "int4")),
    ],
)
def test_the_language_model_is_as_precise_as_the_memory_lets_it(
    mode: Mode, free_gib: int, dtype: torch.dtype, expected: object
) -> None:
    assert mllm_precision(mode, 13_138_000_000, free_gib * GIB, dtype) == expected


def where(model: DiffSensei) -> dict[str, str]:
    return {
        phase: next(modules_of(phase, model.components)[0].parameters()).device.type
        for phase in PHASES
        if modules_of(phase, model.components)
    }


def test_in_fast_mode_all_stays_on_the_device(published_folder: Path) -> None:
    model = DiffSensei.load(published_folder, device="cpu")
    residency = Residency("fast", AWAY)
    residency.enter("captions", model.components)
    assert where(model) == {"captions": "meta", "pictures": "cpu", "draw": "cpu"}
    residency.enter("draw", model.components)
    assert where(model) == {"captions": "meta", "pictures": "cpu", "draw": "meta"}
    residency.leave(model.components)
    assert where(model)["draw"] == "meta"


def test_in_balanced_mode_only_the_phase_at_work_is_on_the_device(
    published_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.residency.empty_cache", lambda _device: None)
    model = DiffSensei.load(published_folder, device="cpu")
    residency = Residency("balanced", AWAY)
    residency.enter("pictures", model.components)
    assert where(model) == {"captions": "cpu", "pictures": "meta", "draw": "cpu"}


def test_modes_become_leaner_up_to_the_cpu() -> None:
    residency = Residency("fast", AWAY)
    words = []
    while (how := residency.lessen()) is not None:
        words.append(how)
    assert words == [
        "mode balanced",
        "mode lean",
        "weights come to the device layer by layer",
        "mode cpu",
    ]
    assert residency.device == CPU


def test_a_cpu_has_no_leaner_mode() -> None:
    assert Residency("cpu", CPU).lessen() is None


def test_offloading_changes_no_result_and_can_be_stopped() -> None:
    module = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 3))
    inputs = torch.ones(2, 3)
    expected = module(inputs)
    offload(module, CPU)
    assert torch.equal(module(inputs), expected)
    stop_offloading(module)
    assert torch.equal(module(inputs), expected)
    assert not any(
        layer._diffusers_hook.hooks
        for layer in module.modules()
        if hasattr(layer, "_diffusers_hook")
    )


@pytest.mark.gpu
@pytest.mark.skipif(not is_accelerator(pick_device()), reason="needs an accelerator")
def test_offloaded_weights_are_on_the_device_only_while_their_layer_computes() -> None:
    device = pick_device()
    module = nn.Sequential(*(nn.Linear(2048, 2048) for _ in range(8)))
    inputs = torch.ones(2, 2048)
    expected = module(inputs)
    offload(module, device)
    free_before = free_memory(device)
    result = module(inputs.to(device))
    torch.testing.assert_close(result.cpu(), expected, rtol=1e-3, atol=1e-3)
    assert {parameter.device for parameter in module.parameters()} == {CPU}
    assert free_before - free_memory(device) < 4 * module[0].weight.nbytes


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
)
def test_every_way_to_run_out_of_memory_is_recognised(error: Exception) -> None:
    assert out_of_memory(error)


def test_other_errors_are_not_about_memory() -> None:
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("out of memory"))
