"""Balloons are read in order, lie in their panel, and off the faces."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.geometry import Box, Polygon
from storyboard.layout.balloon_costs import Surroundings, crosses, reads_before
from storyboard.layout.cutting import edges_of
from storyboard.layout.dialogs import NoRoomError, place_dialogs
from storyboard.layout.faces import face_zone, mouth
from storyboard.lettering_style import Squeeze
from storyboard.plan import Dialog


def measure(
    dialog: Dialog, max_width_mm: float, max_height_mm: float, _squeeze: Squeeze
) -> tuple[float, float]:
    """A balloon as large as its text: 3 mm letters, smaller ones where the room is short."""
    longest = max(len(word) for word in dialog.text.split())
    for size in (3.0, 2.5, 2.0):
        area = 25 + len(dialog.text) * size * size * 1.3
        width = max(min(max_width_mm, math.sqrt(1.6 * area)), longest * size * 0.6 + 4)
        if width <= max_width_mm and area / width <= max_height_mm:
            break
    return width, area / width


def around(room: Box, boxes: dict[str, Box], reading="ltr", frame=None) -> Surroundings:
    return Surroundings(
        room=room,
        edges=tuple(edge for edge in edges_of(frame) if edge.is_slanted) if frame else (),
        faces={name: face_zone(box, "medium") for name, box in boxes.items()},
        bodies=boxes,
        mouths={name: mouth(box, "medium") for name, box in boxes.items()},
        taken=(),
        reading=reading,
    )


ROOM = Box(1.5, 1.5, 98.5, 78.5)
TWO = {"Mika": Box(8, 34, 44, 80), "Ren": Box(56, 34, 92, 80)}
lines = st.lists(
    st.tuples(st.sampled_from(["Mika", "Ren"]), st.sampled_from(["No.", "Hold still, will you?"])),
    min_size=1,
    max_size=4,
)


@given(lines, st.sampled_from(["ltr", "rtl"]))
@settings(max_examples=25, deadline=None)
def test_balloons_read_in_order_off_the_faces_and_apart(spoken, reading):
    dialogs = [Dialog(text, speaker) for speaker, text in spoken]
    boxes = place_dialogs(dialogs, [None] * len(dialogs), around(ROOM, TWO, reading), measure)
    for first, second in itertools.combinations(boxes, 2):
        assert reads_before(first, second, reading)
        assert first.overlap(second) == 0
    for box in boxes:
        assert box.overlap(ROOM) == pytest.approx(box.area)
        assert all(face_zone(body, "medium").overlap(box) == 0 for body in TWO.values())


def test_a_balloon_lies_nearer_to_its_speaker_than_to_the_other():
    for speaker, other in (("Mika", "Ren"), ("Ren", "Mika")):
        heeding = around(ROOM, TWO)
        (box,) = place_dialogs([Dialog("Hold still.", speaker)], [None], heeding, measure)
        x, _ = heeding.mouths[speaker]
        assert abs(box.centre[0] - x) < abs(box.centre[0] - heeding.mouths[other][0])


def test_in_a_slanted_frame_the_whole_balloon_lies_inside():
    frame = Polygon(((0, 0), (100, 0), (60, 80), (0, 80)))
    heeding = around(ROOM, {"Ren": TWO["Mika"]}, frame=frame)
    boxes = place_dialogs([Dialog("Hold still!"), Dialog("Go.")], [None] * 2, heeding, measure)
    for box in boxes:
        for corner in ((box.right, box.bottom), (box.right, box.top)):
            assert all(edge.depth(corner) >= -1e-6 for edge in edges_of(frame))


@pytest.mark.parametrize("reading", ["ltr", "rtl"])
def test_narration_stands_where_reading_starts(reading):
    dialogs = [Dialog("That was the winter.", kind="narration"), Dialog("No.", "Ren")]
    box = place_dialogs(dialogs, [None] * 2, around(ROOM, TWO, reading), measure)[0]
    assert box.top < 5
    assert (box.left if reading == "ltr" else 100 - box.right) < 5


def test_a_given_box_stays_and_the_others_keep_off_it():
    wanted = Box(2, 2, 60, 20)
    dialogs = [Dialog("No.", "Mika"), Dialog("Yes.", "Ren")]
    boxes = place_dialogs(dialogs, [wanted, None], around(ROOM, TWO), measure)
    assert boxes[0] == wanted
    assert boxes[1].overlap(wanted) == 0


def test_a_balloon_without_room_is_named():
    small = around(Box(1, 1, 20, 12), {})
    dialogs = [Dialog("No."), Dialog("An extraordinarily long complaint. " * 4)]
    with pytest.raises(NoRoomError) as caught:
        place_dialogs(dialogs, [None] * 2, small, measure)
    assert caught.value.number == 1


def test_the_same_input_gives_the_same_boxes():
    dialogs = [Dialog("Hold still.", "Mika"), Dialog("No!", "Ren"), Dialog("CRACK", kind="sound")]
    first = place_dialogs(dialogs, [None] * 3, around(ROOM, TWO), measure)
    assert first == place_dialogs(dialogs, [None] * 3, around(ROOM, TWO), measure)


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h), *[st.floats(0, 80)] * 2, *[st.floats(5, 30)] * 2
)


@given(boxes, boxes, st.sampled_from(["ltr", "rtl"]))
def test_two_boxes_are_never_each_before_the_other(first, second, reading):
    assert not (reads_before(first, second, reading) and reads_before(second, first, reading))


def test_side_by_side_the_reading_direction_decides():
    left, right = Box(0, 0, 10, 10), Box(20, 1, 30, 11)
    assert reads_before(left, right, "ltr")
    assert reads_before(right, left, "rtl")


def test_below_each_other_the_upper_comes_first_in_both_directions():
    upper, lower = Box(20, 0, 30, 10), Box(0, 12, 10, 22)
    assert reads_before(upper, lower, "ltr")
    assert reads_before(upper, lower, "rtl")


def test_a_line_crosses_a_box_only_where_it_meets_it():
    assert crosses((0, 5), (20, 5), Box(8, 0, 12, 10))
    assert not crosses((0, 5), (6, 5), Box(8, 0, 12, 10))
    assert not crosses((0, 12), (20, 12), Box(8, 0, 12, 10))
