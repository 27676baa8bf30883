from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from storyboard.diffsensei import weights
from storyboard.diffsensei.weights import (
    fingerprint_of,
    known_fingerprint,
    looks_at_middle,
    mini_model,
    model_details,
)
from storyboard.errors import MissingError


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as a large model, last changed a minute ago."""
    monkeypatch.setattr(weights, "SLOW_BYTES", 5)
    folder = tmp_path / "model"
    (folder / "image_generator").mkdir(parents=True)
    file = folder / "image_generator" / "unet.safetensors"
    file.write_bytes(b"first content")
    age(file)
    return folder


def age(file: Path, seconds: float = 60.0) -> None:
    then = file.stat().st_mtime - seconds
    os.utime(file, (then, then))


def test_the_fingerprint_of_a_large_model_is_remembered_until_a_file_changes(
    model: Path, tmp_path: Path
) -> None:
    cache, file = tmp_path / "cache", model / "image_generator" / "unet.safetensors"
    assert known_fingerprint(model, cache) is None
    first = fingerprint_of(model, cache)
    assert known_fingerprint(model, cache) == first
    times = file.stat().st_atime, file.stat().st_mtime
    file.write_bytes(b"other content")
    assert known_fingerprint(model, cache) is None
    assert fingerprint_of(model, cache) != first
    file.write_bytes(b"other content")
    os.utime(file, times)  # as it was, for all that can be seen from outside
    assert fingerprint_of(model, cache) == first


def test_a_file_that_may_still_be_changing_is_not_remembered(model: Path, tmp_path: Path) -> None:
    (model / "image_generator" / "vae.safetensors").write_bytes(b"just now")
    fingerprint_of(model, tmp_path)
    assert known_fingerprint(model, tmp_path) is None


def test_a_small_model_is_read_each_time(tmp_path: Path) -> None:
    assert known_fingerprint(mini_model(), None) == fingerprint_of(mini_model(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_memory_is_made_anew(model: Path, tmp_path: Path) -> None:
    (tmp_path / "fingerprints.json").write_text("{")
    assert fingerprint_of(model, tmp_path) == known_fingerprint(model, tmp_path)


def test_the_details_of_the_model_that_ships() -> None:
    details = model_details(mini_model())
    parts = {part.name: part for part in details.parts}
    assert parts.keys() >= {"unet", "vae", "text_encoder", "clip_image_encoder"}
    assert parts["unet"].num_bytes == 2 * parts["unet"].parameters
    assert parts["unet"].dtypes == ("float16",)
    assert not details.has_language_model


def test_details_of_nothing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no weights"):
        model_details(tmp_path)


@pytest.mark.parametrize(
    ("about", "expected"), [(None, True), ({}, True), ({"do_center_crop": False}, False)]
)
def test_a_model_looks_at_the_middle_unless_it_says_otherwise(
    tmp_path: Path, about: dict[str, bool] | None, expected: bool
) -> None:
    folder = tmp_path / "image_generator" / "clip_image_encoder"
    folder.mkdir(parents=True)
    if about is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(about))
    assert looks_at_middle(tmp_path) == expected


def test_the_model_that_ships_looks_at_the_whole_picture() -> None:
    assert not looks_at_middle(mini_model())
