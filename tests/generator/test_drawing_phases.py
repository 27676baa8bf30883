from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from generator.devices import CPU
from generator.errors import DrawingError
from generator.pipeline import DiffSensei
from generator.request import CharacterRequest, DrawnPanel, PanelRequest

CAST = Image.effect_noise((40, 56), 80)
PANELS = [
    PanelRequest(
        id=f"p01-{number}",
        caption="a man runs",
        height_px=64,
        width_px=64,
        seed=number,
        characters=(CharacterRequest((CAST,), (0.1, 0.1, 0.6, 0.9)),),
    )
    for number in range(4)
]


@contextmanager
def too_little_memory(module: nn.Module, is_too_much: Callable[[int], bool]) -> Iterator[list[int]]:
    """Run out of memory whenever a module is given so many rows that it is too much."""
    refused: list[int] = []

    def refuse(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        rows = len(inputs[0])
        if is_too_much(rows):
            refused.append(rows)
            raise torch.OutOfMemoryError("out of memory. Tried to allocate 20.00 MiB")

    hook = module.register_forward_pre_hook(refuse)
    try:
        yield refused
    finally:
        hook.remove()


@pytest.fixture
def on_accelerator(published_folder_with_mllm: Path, monkeypatch: pytest.MonkeyPatch) -> DiffSensei:
    """The tiny model in the mode `fast`, the CPU taken for an accelerator."""
    monkeypatch.setattr("generator.residency.is_accelerator", lambda _device: True)
    return DiffSensei.load(published_folder_with_mllm, device="cpu", mode="fast", steps=1)


@pytest.fixture(scope="module")
def expected(published_folder_with_mllm: Path) -> list[DrawnPanel]:
    return DiffSensei.load(published_folder_with_mllm, device="cpu", steps=1).draw(PANELS)


def assert_same_pictures(drawn: list[DrawnPanel], expected: list[DrawnPanel]) -> None:
    for ours, other in zip(drawn, expected, strict=True):
        assert ours.request == other.request
        difference = np.asarray(ours.image).astype(int) - np.asarray(other.image)
        assert np.abs(difference).max() <= 1


def test_a_batch_that_does_not_fit_is_halved(
    on_accelerator: DiffSensei, expected: list[DrawnPanel]
) -> None:
    notes: list[str] = []
    given: list[DrawnPanel] = []
    with too_little_memory(on_accelerator.components.unet, lambda rows: rows > 2) as refused:
        drawn = on_accelerator.draw(
            PANELS, batch_size=4, on_panel=given.append, on_note=notes.append
        )
    assert refused == [8, 4]
    assert notes == [
        "not enough memory: 2 panels at a time from here on",
        "not enough memory: 1 panel at a time from here on",
    ]
    assert [panel.request.id for panel in given] == [panel.id for panel in PANELS]
    assert on_accelerator.mode == "fast"
    assert_same_pictures(drawn, expected)


def test_where_one_panel_does_not_fit_the_next_leaner_mode_is_taken(
    on_accelerator: DiffSensei, expected: list[DrawnPanel]
) -> None:
    notes: list[str] = []
    model = on_accelerator
    with too_little_memory(model.components.unet, lambda _rows: model.mode != "lean"):
        drawn = model.draw(PANELS, batch_size=2, on_note=notes.append)
    assert [note.split(": ")[1] for note in notes] == [
        "1 panel at a time from here on",
        "mode balanced from here on",
        "1 panel at a time from here on",
        "mode lean from here on",
    ]
    assert {panel.provenance["mode"] for panel in drawn} == {"lean"}
    assert_same_pictures(drawn, expected)


def test_the_leanest_way_brings_weights_layer_by_layer_and_then_the_cpu_is_left(
    on_accelerator: DiffSensei, expected: list[DrawnPanel]
) -> None:
    model, notes = on_accelerator, list[str]()
    offloaded: list[bool] = []
    with too_little_memory(
        model.components.unet, lambda _rows: model.mode != "cpu" and not model.is_offloaded
    ):
        drawn = model.draw(
            PANELS[:1],
            on_note=notes.append,
            on_panel=lambda _drawn: offloaded.append(model.is_offloaded),
        )
    assert offloaded == [True]
    assert "layer by layer" in notes[-1]
    assert_same_pictures(drawn, expected[:1])
    with too_little_memory(model.components.unet, lambda _rows: model.mode != "cpu"):
        drawn = model.draw(PANELS[:1], on_note=notes.append)
    assert "mode cpu" in notes[-1]
    assert not model.is_offloaded
    assert_same_pictures(drawn, expected[:1])


def test_what_is_drawn_stays_drawn_when_memory_runs_out_later(
    on_accelerator: DiffSensei, expected: list[DrawnPanel]
) -> None:
    """The third panel's decoding fails once: it is decoded again, not denoised again."""
    model, decodings, steps = on_accelerator, [], []
    given: list[DrawnPanel] = []

    def third(_rows: int) -> bool:
        decodings.append(1)
        return len(decodings) == 3

    with too_little_memory(model.components.vae.decoder, third):
        drawn = model.draw(
            PANELS,
            batch_size=2,
            on_panel=given.append,
            on_step=lambda *_: steps.append(1),
        )
    assert len(steps) == 2 * model.settings.num_inference_steps
    assert [panel.request.id for panel in given] == [panel.id for panel in PANELS]
    assert_same_pictures(drawn, expected)


@pytest.mark.parametrize("part", ["text", "clip", "mllm"])
def test_encoding_and_adapting_make_do_with_less_too(
    part: str, on_accelerator: DiffSensei, expected: list[DrawnPanel]
) -> None:
    model = on_accelerator
    others = [
        replace(
            panel,
            caption=caption,
            characters=(CharacterRequest((CAST.rotate(index),), (0, 0, 1, 1)),),
        )
        for index, (panel, caption) in enumerate(zip(PANELS, "abcd", strict=True))
    ]
    module = {
        "text": model.components.text.encoder,
        "clip": model.components.image_encoders.clip,
        "mllm": model.enter_mllm().llm.model,
    }[part]
    expected = model.draw(others)
    notes: list[str] = []
    with _rows_counted_by_keyword(module, 2):
        drawn = model.draw(others, on_note=notes.append)
    assert notes
    assert model.mode == "fast"
    assert_same_pictures(drawn, expected)


@contextmanager
def _rows_counted_by_keyword(module: nn.Module, most: int) -> Iterator[None]:
    def refuse(_module: nn.Module, inputs: tuple, options: dict) -> None:
        given = [*inputs, *options.values()]
        rows = max(len(one) for one in given if isinstance(one, torch.Tensor))
        if rows > most:
            raise RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)")

    hook = module.register_forward_pre_hook(refuse, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


def test_too_little_memory_for_any_way_is_an_error(published_folder: Path) -> None:
    model = DiffSensei.load(published_folder, device="cpu", steps=1)
    given: list[DrawnPanel] = []
    with (
        too_little_memory(model.components.unet, lambda _rows: True),
        pytest.raises(DrawingError, match="not enough memory on cpu"),
    ):
        model.draw(PANELS, on_panel=given.append)
    assert not given
    assert len(model.draw(PANELS)) == len(PANELS)


def test_an_error_in_a_callback_is_not_taken_for_want_of_memory(model: DiffSensei) -> None:
    calls: list[str] = []

    def full_disk(drawn: DrawnPanel) -> None:
        calls.append(drawn.request.id)
        raise MemoryError("while saving")

    with pytest.raises(MemoryError, match="while saving"):
        model.draw(PANELS, on_panel=full_disk)
    assert calls == ["p01-0"]


def test_lean_mode_holds_the_language_model_in_few_bits_and_lets_it_go(
    on_accelerator: DiffSensei, published_folder_with_mllm: Path
) -> None:
    lean = DiffSensei.load(published_folder_with_mllm, device="cpu", mode="lean", steps=1)
    [drawn], [precise] = lean.draw(PANELS[:1]), on_accelerator.draw(PANELS[:1])
    assert drawn.provenance["mllm"] == "int8"
    assert precise.provenance["mllm"] == "float32"
    assert lean._mllm is None
    assert on_accelerator._mllm is not None
    assert next(lean.components.unet.parameters()).device == CPU
