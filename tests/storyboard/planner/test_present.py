from __future__ import annotations

import pytest

from storyboard.planner.present import in_present


@pytest.mark.parametrize(
    ("past", "present"),
    [
        ("The ass brayed, and the cat crept away.", "The ass brays, and the cat creeps away."),
        ("Nell stared at him.", "Nell stares at him."),
        ("They jogged on together.", "They jog on together."),
        ("He marched up and peeped in.", "He marches up and peeps in."),
        ("Nell was tired.", "Nell is tired."),
        (
            "The cat began to run, sprang up, then ran home.",
            "The cat begins to run, springs up, then runs home.",
        ),
        ("On the roof, stood a cat.", "On the roof, stood a cat."),
        ("They jogged on, ran home.", "They jog on, ran home."),
        ("Nell looked up, tired and wet.", "Nell looks up, tired and wet."),
        ("She carried the need of it.", "She carries the need of it."),
    ],
)
def test_verbs_after_their_subject_come_into_the_present(past: str, present: str) -> None:
    assert in_present(past, ("ass", "cat", "Nell")) == present
