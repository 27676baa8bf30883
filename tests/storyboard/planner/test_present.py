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
        ("She carried the need of it.", "She carries the need of it."),
    ],
)
def test_verbs_after_their_subject_come_into_the_present(past: str, present: str) -> None:
    assert in_present(past, ("ass", "cat", "Nell")) == present
