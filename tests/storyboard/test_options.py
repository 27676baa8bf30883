from __future__ import annotations

from pathlib import Path

import pytest

from storyboard.options import (
    DrawingOptions,
    LoraChoice,
    as_text,
    read_lora,
    scheduler_key,
)


@pytest.mark.parametrize(
    ("text", "path", "weight"),
    [
        ("ink.safetensors", "ink.safetensors", 1.0),
        ("ink.safetensors:0.8", "ink.safetensors", 0.8),
        ("a:b/ink.safetensors:-.5", "a:b/ink.safetensors", -0.5),
        ("C:\\loras\\ink.safetensors", "C:\\loras\\ink.safetensors", 1.0),
        (" ink.safetensors:2 ", "ink.safetensors", 2.0),
    ],
)
def test_a_lora_is_a_path_and_perhaps_a_weight(text: str, path: str, weight: float) -> None:
    assert read_lora(text, Path("here")) == LoraChoice(Path("here") / path, weight)


@pytest.mark.parametrize("text", ["", "ink.safetensors:11", "ink.safetensors:-10.5"])
def test_a_lora_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no file|the weight"):
        read_lora(text)


def test_options_take_from_others_what_they_leave_open() -> None:
    lora = LoraChoice(Path("ink.safetensors"))
    mine = DrawingOptions(steps=8, guidance=0.0)
    theirs = DrawingOptions(steps=30, guidance=7.5, mode="lean", loras=(lora,))
    assert mine.over(theirs) == DrawingOptions(8, 0.0, None, (lora,), "lean", None)
    assert theirs.over(mine) == theirs


@pytest.mark.parametrize("name", ["Euler", "euler", "EulerScheduler", "euler_scheduler"])
def test_one_scheduler_has_one_key(name: str) -> None:
    assert scheduler_key(name) == scheduler_key("Euler")
    assert scheduler_key(name) != scheduler_key("EulerDiscrete")


def test_options_of_a_scheduler_count_in_any_order() -> None:
    assert scheduler_key("Euler:b=2, a=1") == scheduler_key("EulerScheduler:a=1,b=2")
    assert scheduler_key("Euler:a=1") != scheduler_key("Euler")


def test_the_order_of_loras_does_not_count() -> None:
    assert as_text([("ab", 1.0), ("cd", 0.5)]) == as_text([("cd", 0.5), ("ab", 1.0)])
    assert as_text([("ab", 1.0)]) != as_text([("ab", 0.9)])
