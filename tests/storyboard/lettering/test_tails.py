from __future__ import annotations

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from storyboard.geometry import Box
from storyboard.lettering.tails import course_to_edge, course_to_speaker, speaker_in

FIGURE = Box(50, 40, 80, 100)
PANEL = Box(0, 0, 90, 100)


@given(st.floats(0, 50), st.floats(0, 70))
@settings(deadline=None, max_examples=50)
def test_a_tail_points_at_its_speaker_and_stops_short_of_the_face(x: float, y: float) -> None:
    box = Box(x, y, x + 24, y + 14)
    speaker = speaker_in(FIGURE, "medium")
    assume(box.overlap(speaker.face) == 0)
    course = course_to_speaker(box, speaker, [])
    assert course is not None
    assert math.dist(course.tip, speaker.mouth) < math.dist(course.base, speaker.mouth)
    to_mouth = math.atan2(speaker.mouth[1] - course.tip[1], speaker.mouth[0] - course.tip[0])
    heading = math.atan2(course.tip[1] - course.base[1], course.tip[0] - course.base[0])
    assert abs(math.remainder(to_mouth - heading, math.tau)) < math.radians(30)
    is_short = math.dist(course.base, course.tip) < 2.5
    x_share = (course.tip[0] - speaker.face.centre[0]) / (speaker.face.width / 2)
    y_share = (course.tip[1] - speaker.face.centre[1]) / (speaker.face.height / 2)
    assert is_short or math.hypot(x_share, y_share) > 1


def test_a_tail_goes_round_another_balloon_where_it_can() -> None:
    speaker = speaker_in(Box(30, 60, 60, 120), "medium")
    between = Box(40, 25, 52, 33)
    course = course_to_speaker(Box(30, 2, 60, 18), speaker, [between])
    assert course is not None
    points = [course.at(step / 20) for step in range(21)]
    assert not any(
        between.left < x < between.right and between.top < y < between.bottom for x, y in points
    )


def test_a_balloon_on_the_mouth_has_no_tail() -> None:
    speaker = speaker_in(FIGURE, "medium")
    x, y = speaker.mouth
    assert course_to_speaker(Box(x - 10, y - 6, x + 10, y + 6), speaker, []) is None


@given(st.floats(0, 66), st.floats(0, 80))
@settings(deadline=None, max_examples=50)
def test_an_unseen_speakers_tail_stays_in_the_panel(x: float, y: float) -> None:
    course = course_to_edge(Box(x, y, x + 24, y + 14), PANEL)
    assert PANEL.left <= course.tip[0] <= PANEL.right
    assert PANEL.top <= course.tip[1] <= PANEL.bottom


def test_an_unseen_speakers_tail_points_at_the_nearest_edge() -> None:
    course = course_to_edge(Box(60, 20, 84, 34), PANEL)
    assert PANEL.right - course.tip[0] < 1
