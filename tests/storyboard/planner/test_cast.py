from __future__ import annotations

from storyboard.planner.cast import find_candidates
from storyboard.planner.speech import read_prose

STORY = """It ran the length of Tanner Street. "This is silly," said Nell.
Nell walked up to Mrs Otto, and Nell waved. There was not one cloud over Tanner Street."""


def test_a_street_is_nobody_but_who_speaks_or_is_named_again_is_somebody() -> None:
    names = [candidate.name for candidate in find_candidates(read_prose(STORY))]
    assert "Nell" in names
    assert not {"Tanner", "Street", "Tanner Street"} & set(names)
