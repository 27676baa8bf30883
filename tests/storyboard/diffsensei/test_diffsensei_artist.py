from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from storyboard.diffsensei.artist import DiffSenseiArtist
from storyboard.diffsensei.weights import mini_model
from storyboard.errors import MissingError
from storyboard.options import DrawingOptions, LoraChoice


def fingerprint(**options: object) -> str:
    return DiffSenseiArtist(mini_model(), DrawingOptions(**options)).fingerprint


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    path = tmp_path / "ink.safetensors"
    path.write_bytes(b"weights")
    return path


@pytest.mark.parametrize(
    "options",
    [{"steps": 7}, {"guidance": 1.0}, {"guidance": 0.0}, {"scheduler": "DDIM"}],
)
def test_what_changes_pictures_changes_the_fingerprint(options: dict[str, object]) -> None:
    assert fingerprint(**options) != fingerprint()


@pytest.mark.parametrize("options", [{"mode": "lean"}, {"mode": "cpu"}, {"batch": 4}])
def test_what_only_changes_memory_and_time_does_not(options: dict[str, object]) -> None:
    assert fingerprint(**options) == fingerprint()


def test_what_the_model_does_anyway_changes_nothing() -> None:
    settings = json.loads((mini_model() / "settings.json").read_text())
    about = mini_model() / "image_generator/scheduler/scheduler_config.json"
    scheduler = json.loads(about.read_text())["_class_name"]
    assert fingerprint() == fingerprint(
        steps=settings["num_inference_steps"],
        guidance=settings["guidance_scale"],
        scheduler=scheduler.removesuffix("Scheduler").lower(),
    )


def test_a_lora_counts_by_its_content_and_weight_not_by_its_name(lora: Path) -> None:
    plain = fingerprint(loras=(LoraChoice(lora),))
    other_name = shutil.copy(lora, lora.with_name("other.safetensors"))
    assert fingerprint(loras=(LoraChoice(Path(other_name)),)) == plain
    assert len({plain, fingerprint(), fingerprint(loras=(LoraChoice(lora, 0.5),))}) == 3
    lora.write_bytes(b"other weights")
    assert fingerprint(loras=(LoraChoice(lora),)) != plain


def test_a_lora_that_is_not_there_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no LoRA at"):
        fingerprint(loras=(LoraChoice(tmp_path / "gone.safetensors"),))


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no DiffSensei model"):
        DiffSenseiArtist(tmp_path)


def test_a_large_model_is_read_once_and_the_writer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storyboard.diffsensei.weights.SLOW_BYTES", 1_000_000)
    monkeypatch.setattr("storyboard.diffsensei.weights.CLOCK_TICK_S", -1.0)
    told: list[str] = []
    for _ in range(2):
        DiffSenseiArtist(mini_model(), cache_folder=tmp_path, note=told.append)
    (line,) = told
    assert line.startswith("reading ")
