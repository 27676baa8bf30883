from __future__ import annotations

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from storyboard.geometry import Box
from storyboard.lettering.tails import Course, Speaker, Wanted, speaker_in, tail_courses

FIGURE = Box(50, 40, 80, 100)
PANEL = Box(0, 0, 90, 100)


def course_to(box: Box, speaker: Speaker | None, *others: Box, panel: Box = PANEL) -> Course | None:
    faces = [speaker.face] if speaker else []
    return tail_courses([Wanted(box, speaker, others)], faces, panel)[0]


def inside(face: Box, course: Course) -> bool:
    x, y = face.centre
    return any(
        math.hypot((px - x) / face.width * 2, (py - y) / face.height * 2) < 0.9
        for px, py in course.points[1:]
    )


@given(st.floats(0, 50), st.floats(0, 70))
@settings(deadline=None, max_examples=30)
def test_a_tail_points_at_its_speaker_and_stops_short_of_the_face(x: float, y: float) -> None:
    box = Box(x, y, x + 24, y + 14)
    speaker = speaker_in(FIGURE, "medium")
    assume(box.overlap(speaker.face) == 0)
    course = course_to(box, speaker)
    assert course is not None
    assert math.dist(course.tip, speaker.mouth) < math.dist(course.base, speaker.mouth)
    to_mouth = math.atan2(speaker.mouth[1] - course.tip[1], speaker.mouth[0] - course.tip[0])
    heading = math.atan2(course.tip[1] - course.base[1], course.tip[0] - course.base[0])
    assert abs(math.remainder(to_mouth - heading, math.tau)) < math.radians(30)
    assert math.dist(course.base, course.tip) < 2.5 or not inside(speaker.face, course)


def test_a_tail_goes_round_another_balloon_where_it_can() -> None:
    speaker = speaker_in(Box(30, 60, 60, 120), "medium")
    between = Box(40, 25, 52, 33)
    course = course_to(Box(30, 2, 60, 18), speaker, between, panel=Box(0, 0, 90, 130))
    assert course is not None
    assert not any(
        between.left < x < between.right and between.top < y < between.bottom
        for x, y in course.points
    )


def test_a_tail_crosses_no_face_of_others() -> None:
    speaker = speaker_in(Box(60, 40, 80, 100), "full")
    other = speaker_in(Box(34, 20, 58, 80), "medium").face
    wanted = Wanted(Box(2, 22, 26, 36), speaker, ())
    (course,) = tail_courses([wanted], [speaker.face, other], PANEL)
    assert course is not None
    assert not inside(other, course)


def test_tails_do_not_cross_each_other() -> None:
    left, right = (
        speaker_in(Box(5, 50, 35, 100), "medium"),
        speaker_in(Box(55, 50, 85, 100), "medium"),
    )
    wanted = [
        Wanted(Box(46, 5, 80, 20), left, (Box(5, 8, 40, 22),)),
        Wanted(Box(5, 8, 40, 22), right, (Box(46, 5, 80, 20),)),
    ]
    one, other = tail_courses(wanted, [left.face, right.face], PANEL)
    assert one is not None
    assert other is not None
    lines = [list(zip(course.points, course.points[1:], strict=False)) for course in (one, other)]

    def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    assert not any(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for a, b in lines[0]
        for c, d in lines[1]
    )


def test_a_balloon_on_the_mouth_has_no_tail() -> None:
    speaker = speaker_in(FIGURE, "medium")
    x, y = speaker.mouth
    assert course_to(Box(x - 10, y - 6, x + 10, y + 6), speaker) is None


@given(st.floats(0, 66), st.floats(0, 80))
@settings(deadline=None, max_examples=30)
def test_an_unseen_speakers_tail_stays_in_the_panel(x: float, y: float) -> None:
    course = course_to(Box(x, y, x + 24, y + 14), None)
    assert course is not None
    assert PANEL.left <= course.tip[0] <= PANEL.right
    assert PANEL.top <= course.tip[1] <= PANEL.bottom


def test_an_unseen_speakers_tail_points_at_the_nearest_edge() -> None:
    course = course_to(Box(60, 20, 84, 34), None)
    assert course is not None
    assert PANEL.right - course.tip[0] < 1
