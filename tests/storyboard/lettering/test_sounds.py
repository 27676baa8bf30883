from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.lettering.runs import turned
from storyboard.lettering.sounds import natural_sound, sound_for_box
from storyboard.lettering.texts import Hand
from storyboard.lettering_style import Squeeze

HAND = Hand("en")
WORDS = st.lists(st.text("abcdefghkmorst", min_size=1, max_size=7), min_size=1, max_size=3)


@given(WORDS.map(" ".join), st.floats(10, 90), st.floats(8, 60), st.floats(-60, 60))
@settings(max_examples=25, deadline=None)
def test_a_sound_stays_in_its_box(text: str, width: float, height: float, angle: float) -> None:
    sound = sound_for_box(text, HAND, width, height, angle)
    if sound is not None:
        assert sound.width_mm <= width * 1.005
        assert sound.height_mm <= height * 1.005
        assert sound.angle_deg == angle


@given(WORDS, st.floats(15, 90), st.floats(12, 60))
@settings(max_examples=25, deadline=None)
def test_a_longer_sound_never_gets_larger(words: list[str], width: float, height: float) -> None:
    sizes = [
        sound.size_pt if sound else 0.0
        for sound in (
            sound_for_box(" ".join(words[:count]), HAND, width, height)
            for count in range(1, len(words) + 1)
        )
    ]
    assert all(one >= other - 0.01 for one, other in itertools.pairwise(sizes))


def test_a_sound_fills_its_box() -> None:
    sound = sound_for_box("Crash", HAND, 60.0, 24.0, 0.0)
    assert sound is not None
    assert sound.width_mm > 55 or sound.height_mm > 23
    assert sound.size_pt > 26


def test_a_sound_has_its_natural_size_and_tilt() -> None:
    sound = natural_sound("Crack", HAND, 90.0, 90.0)
    assert sound.size_pt == 26.0
    assert sound.angle_deg == 5.0
    bounds = turned(sound.outline, sound.angle_deg).bounds
    assert bounds.centre == pytest.approx((0, 0), abs=20)


def test_a_sound_gets_smaller_only_where_it_may() -> None:
    assert natural_sound("Crack", HAND, 12.0, 12.0, None, Squeeze.NOTHING).size_pt == 26.0
    assert natural_sound("Crack", HAND, 12.0, 12.0).size_pt < 20.0


def test_a_sound_too_long_for_its_box_gets_none() -> None:
    assert sound_for_box("Kaboooooooom", HAND, 12.0, 6.0) is None


def test_a_japanese_sound_goes_down() -> None:
    sound = natural_sound("ドーン", Hand("ja"), 90.0, 90.0)
    assert sound.is_vertical
    assert sound.height_mm > 2 * sound.width_mm
