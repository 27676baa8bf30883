"""Character boxes keep people's proportions, their order, and their faces apart."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyboard.geometry import Box
from storyboard.layout.characters import place_characters
from storyboard.layout.faces import face_zone, mouth

SHOTS = ("wide", "full", "medium", "close-up", "detail")
stages = st.builds(
    lambda width, aspect: Box(16.0, 18.0, 16.0 + width, 18.0 + width / aspect),
    st.floats(45, 188),
    st.floats(0.45, 2.3),
)
shots = st.sampled_from(SHOTS)
counts = st.integers(1, 4)


@given(stages, shots, counts, st.integers(0, 8), st.booleans())
def test_people_stand_inside_the_stage_in_order_with_faces_apart(stage, shot, count, dialogs, rtl):
    boxes = place_characters(stage, shot, [None] * count, dialogs, from_right=rtl)
    assert len(boxes) == count
    for box in boxes:
        assert box.overlap(stage) == pytest.approx(box.area)
    middles = [box.centre[0] for box in boxes]
    assert middles == sorted(middles, reverse=rtl)
    for first, second in itertools.combinations(boxes, 2):
        assert face_zone(first, shot).overlap(face_zone(second, shot)) < 1e-9


@given(stages, shots, counts, st.integers(0, 8))
def test_people_are_never_stretched(stage, shot, count, dialogs):
    aspect = {"wide": 0.4, "full": 0.4, "medium": 0.8, "close-up": 0.95, "detail": 1.2}[shot]
    for box in place_characters(stage, shot, [None] * count, dialogs, from_right=False):
        assert box.width / box.height == pytest.approx(aspect)


@given(stages, shots, counts, st.integers(0, 8))
def test_right_to_left_is_the_mirror_image(stage, shot, count, dialogs):
    ltr = place_characters(stage, shot, [None] * count, dialogs, from_right=False)
    rtl = place_characters(stage, shot, [None] * count, dialogs, from_right=True)
    for one, other in zip(ltr, rtl, strict=True):
        assert one.left - stage.left == pytest.approx(stage.right - other.right)


@given(stages, shots, counts)
def test_more_balloons_never_make_people_taller(stage, shot, count):
    heights = [
        place_characters(stage, shot, [None] * count, dialogs, from_right=False)[0].height
        for dialogs in range(8)
    ]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.parametrize("shot", ["medium", "close-up"])
def test_the_frame_cuts_the_bodies_of_close_shots(shot):
    stage = Box(0, 0, 70, 70)
    for box in place_characters(stage, shot, [None, None], 2, from_right=False):
        assert box.bottom == stage.bottom


def test_a_given_box_is_obeyed_and_the_others_keep_off_its_face():
    stage, given_box = Box(0, 0, 150, 70), Box(10, 10, 60, 70)
    first, second = place_characters(stage, "medium", [None, given_box], 1, from_right=False)
    assert second == given_box
    assert face_zone(first, "medium").overlap(face_zone(second, "medium")) == 0


def test_nobody_needs_no_box():
    assert place_characters(Box(0, 0, 10, 10), "wide", [], 3, from_right=True) == ()


@pytest.mark.parametrize("shot", ["wide", "full", "medium", "close-up"])
def test_the_mouth_lies_in_the_lower_half_of_the_face(shot):
    box = Box(0.2, 0.1, 0.6, 0.9)
    face = face_zone(box, shot)
    x, y = mouth(box, shot)
    assert face.left < x < face.right
    assert face.centre[1] < y < face.bottom
    assert face.overlap(box) == pytest.approx(face.area)


def test_a_detail_has_no_face():
    assert face_zone(Box(0, 0, 1, 1), "detail").area == 0
