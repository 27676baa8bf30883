from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from generator.checkpoint import header_bytes
from generator.errors import CheckpointError
from generator.forecast import forecast
from generator.request import CharacterRequest, PanelRequest

PANEL = PanelRequest(
    id="p01-1",
    caption="a man runs",
    height_px=64,
    width_px=64,
    seed=3,
    characters=(CharacterRequest((Image.new("L", (8, 8)),), (0.1, 0.1, 0.6, 0.9)),),
)
WIDE = replace(PANEL, width_px=256)


def test_every_phase_is_told_with_the_memory_it_needs(published_folder_with_mllm: Path) -> None:
    told = forecast(published_folder_with_mllm, [PANEL], device="cpu")
    assert told.mode == "cpu"
    assert [phase.name for phase in told.phases] == ["encode", "adapt", "denoise", "decode"]
    assert told.seconds is None
    assert 0 < told.peak_bytes < told.free_bytes
    assert told.fits
    sizes = header_bytes(published_folder_with_mllm)
    stays = sum(4 * size.parameters for name, size in sizes.items() if not name.startswith("mllm/"))
    assert all(phase.peak_bytes > stays for phase in told.phases)


def test_without_characters_nothing_is_adapted(published_folder_with_mllm: Path) -> None:
    told = forecast(published_folder_with_mllm, [replace(PANEL, characters=())], device="cpu")
    assert [phase.name for phase in told.phases] == ["encode", "denoise", "decode"]


def test_more_and_larger_panels_take_longer_and_larger_ones_more_memory(
    published_folder: Path,
) -> None:
    one, two, wide = (
        forecast(published_folder, panels, device="cpu", calibrate=True)
        for panels in ([PANEL], [PANEL, PANEL], [WIDE])
    )
    assert one.seconds is not None
    assert two.seconds is not None
    assert 0 < one.seconds < two.seconds
    assert one.phases[1].peak_bytes == two.phases[1].peak_bytes < wide.phases[1].peak_bytes


def test_a_leaner_mode_needs_less(published_folder_with_mllm: Path) -> None:
    fast, balanced, lean = (
        forecast(published_folder_with_mllm, [PANEL], mode=mode, device="cpu").peak_bytes
        for mode in ("fast", "balanced", "lean")
    )
    assert fast > balanced >= lean


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="expected a model"):
        forecast(tmp_path, [PANEL])
