from __future__ import annotations

from pathlib import Path

import pytest

from generator.errors import CheckpointError
from generator.fingerprint import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "settings.json").write_text("{}")
    return tmp_path


def test_a_changed_weight_or_setting_changes_the_fingerprint(folder: Path) -> None:
    prints = [fingerprint(folder)]
    (folder / "unet" / "model.safetensors").write_bytes(b"weighte")
    prints.append(fingerprint(folder))
    (folder / "settings.json").write_text('{"max_dialogs": 2}')
    prints.append(fingerprint(folder))
    assert len(set(prints)) == 3


def test_a_changed_model_card_does_not(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "README.md").write_text("about")
    assert fingerprint(folder) == before


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no model files"):
        fingerprint(tmp_path)
