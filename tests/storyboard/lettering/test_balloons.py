from __future__ import annotations

import pathops
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.geometry import Box
from storyboard.lettering.balloons import body, neck, tapered
from storyboard.lettering.outlines import Outline, polygon, rectangle, united
from storyboard.plan import DialogKind

BODIES: tuple[DialogKind, ...] = ("speech", "whisper", "thought", "shout", "radio", "narration")


def area(outline: Outline) -> float:
    path = pathops.Path()
    for operator, numbers in outline.commands:
        {"M": path.moveTo, "L": path.lineTo, "C": path.cubicTo, "Z": path.close}[operator](*numbers)
    return abs(float(path.area))


def contours(outline: Outline) -> int:
    return sum(operator == "M" for operator, _ in outline.commands)


@given(st.sampled_from(BODIES), st.floats(9, 70), st.floats(6, 50))
@settings(deadline=None, max_examples=50)
def test_a_body_is_one_contour_that_fills_its_box(
    kind: DialogKind, width: float, height: float
) -> None:
    box = Box(10, 20, 10 + width, 20 + height)
    outline = body(kind, box)
    assert contours(outline) == 1
    assert area(outline) > 0.5 * box.area
    bounds = outline.bounds
    assert bounds.left > box.left - 0.3
    assert bounds.right < box.right + 0.3
    assert bounds.top > box.top - 0.3
    assert bounds.bottom < box.bottom + 0.3


@pytest.mark.parametrize("turned", [False, True])
def test_a_union_counts_what_is_covered_once_whatever_way_round_it_is_drawn(turned: bool) -> None:
    corners = [(5.0, 0.0), (15.0, 0.0), (15.0, 10.0), (5.0, 10.0)]
    other = polygon(corners[::-1] if turned else corners)
    joined = united([rectangle(Box(0, 0, 10, 10)), other])
    assert contours(joined) == 1
    assert area(joined) == pytest.approx(150, rel=1e-4)


def test_a_tail_narrows_to_its_tip() -> None:
    outline = tapered((0, 0), (0, 6), (3, 12), 2.0)
    assert outline.commands[1][1][-2:] == (3, 12)
    assert area(outline) < 2 * 2.0 * 12 * 0.6


def test_a_neck_joins_two_bodies() -> None:
    one, other = Box(0, 0, 20, 12), Box(15, 15, 35, 27)
    parts = [body("speech", one), body("speech", other)]
    assert contours(united(parts)) == 2
    assert contours(united([*parts, neck(one.centre, other.centre, 1.5)])) == 1
