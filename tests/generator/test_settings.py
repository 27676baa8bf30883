from __future__ import annotations

from pathlib import Path

import pytest

from generator.errors import CheckpointError
from generator.settings import DrawSettings, read_settings, write_settings


def test_settings_come_back_as_written(tmp_path: Path) -> None:
    settings = DrawSettings(max_characters=3, guidance_scale=4.5, sizes=((192, 192), (160, 224)))
    write_settings(settings, tmp_path)
    assert read_settings(tmp_path) == settings


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"guidence_scale": 3}', r"'guidence_scale'; did you mean 'guidance_scale'\?"),
        ('{"character_scale": 1.5}', r"character_scale"),
        ('{"max_characters": "four"}', r"max_characters"),
        ('{"compatibility": ["top-left"]}', r"'top-left'.*compatibility"),
        ("[]", "expected an object"),
        ('{"max', "settings.json"),
    ],
)
def test_wrong_settings_are_refused_by_name(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(CheckpointError, match=problem):
        read_settings(tmp_path)
