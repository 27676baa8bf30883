from __future__ import annotations

import pytest

from storyboard.planner.attribution import attribute
from storyboard.planner.cast import find_candidates, names_in, to_character
from storyboard.planner.sentences import normalise
from storyboard.planner.speech import read_prose
from storyboard.story import Character

CAST = (Character("Mika", aliases=("the girl",)), Character("Jun"), Character("Old Woman"))


def speakers(prose: str) -> list[str]:
    return [found.speaker for found in attribute(read_prose(normalise(prose)), CAST)]


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ('"Hold still," said Mika.', ["Mika"]),
        ('Jun asked softly, "Why?"', ["Jun"]),
        ('"Come in!" the old woman cried.', ["Old Woman"]),
        ('"Yes," the girl whispered.', ["Mika"]),
        ('Mika knelt. "It hurts," she said.', ["Mika"]),
        ('Mika stared at him. "Your shoe?" she said. "Yes," said Jun.', ["Mika", "Jun"]),
        ('"One," said Mika, "and two."', ["Mika"]),
        ('"One," said Mika. "And two."', ["Mika", "Mika"]),
        ('"A?" asked Mika.\n\n"B," said Jun.\n\n"C?"\n\n"D."', ["Mika", "Jun", "Mika", "Jun"]),
        ('Mika pointed at the door. "Look!"', ["Mika"]),
    ],
)
def test_the_text_says_who_speaks(prose: str, expected: list[str]) -> None:
    assert speakers(prose) == expected


def test_a_line_nobody_reports_is_left_open_with_the_nearest_first() -> None:
    (found,) = attribute(read_prose('Mika met Jun. "Hello."'), CAST)
    assert found.speaker == ""
    assert set(found.choices[:2]) == {"Mika", "Jun"}


@pytest.mark.parametrize(
    ("prose", "kind"),
    [
        ('"Help!" shouted Mika.', "shout"),
        ('"Hush," whispered Mika.', "whisper"),
        ('"Odd," thought Mika.', "thought"),
        ('"Odd," said Mika to herself.', "thought"),
        ('"NO MORE!" said Mika.', "shout"),
        ('"Hello," said Mika.', "speech"),
    ],
)
def test_a_line_is_spoken_as_the_verb_says(prose: str, kind: str) -> None:
    assert read_prose(prose).lines[0].kind == kind


def test_an_interrupted_speech_is_one_line_and_ends_with_a_full_stop() -> None:
    lines = read_prose('"For there," thought he, "I may sing," and he left.').lines
    assert [line.text for line in lines] == ["For there, I may sing."]


def test_animals_of_a_fable_are_found_with_their_other_names() -> None:
    prose = read_prose('"Come," said the ass. The Donkey met a cat. "No," said the cat.')
    found = find_candidates(prose)
    assert [candidate.name for candidate in found if candidate.speaks] == ["ass", "cat"]
    cast = tuple(to_character(candidate) for candidate in found)
    assert names_in("The donkey sang to two cats.", cast) == ["Ass", "Cat"]
