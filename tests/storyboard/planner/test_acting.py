from __future__ import annotations

import pytest

from storyboard.planner.acting import (
    EXPRESSIONS,
    POSES,
    expression_in,
    opens_a_change,
    place_in,
    pose_in,
    time_in,
)


@pytest.mark.parametrize(
    ("words", "expression"),
    [
        ("She smiled at him.", "happy"),
        ("He looked terrified.", "afraid"),
        ("Alas! It is gone.", "sad"),
        ("the table was long", ""),
    ],
)
def test_words_betray_an_expression(words: str, expression: str) -> None:
    assert expression_in(words) == expression
    assert not expression or expression in EXPRESSIONS


@pytest.mark.parametrize(
    ("words", "pose"), [("Mika knelt beside it.", "kneeling"), ("They sat down.", "sitting")]
)
def test_words_tell_a_pose(words: str, pose: str) -> None:
    assert pose_in(words) == pose
    assert pose in POSES


def test_words_lead_to_a_place_and_time() -> None:
    assert place_in("At midnight he marched into the kitchen.") == "in the kitchen"
    assert time_in("At midnight he marched into the kitchen.") == "at night"
    assert time_in("It had not rained since March.") == ""
    assert place_in("He said nothing.") == ""


def test_a_change_is_heard_in_the_first_words() -> None:
    assert opens_a_change("Soon afterwards, they saw a cock.")
    assert not opens_a_change("The cock crowed.")
