from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.synopsis import split_synopsis, title_from_name


@pytest.mark.parametrize(
    "text",
    [
        "# The Fox #\n\nA fox ran.",
        "\n\nThe Fox\n\nA fox ran.\n",
        "**The Fox**\n\nA fox ran.",
        "The Fox\n=======\nA fox ran.",
        "## The Fox\nA fox ran.",
    ],
)
def test_a_heading_or_a_line_that_stands_alone_is_the_title(text: str) -> None:
    assert split_synopsis(text) == ("The Fox", "A fox ran.")


@pytest.mark.parametrize(
    "text",
    [
        "A fox ran.",
        "A fox ran into the\nforest and was gone.",
        "Once there was a fox.\n\nIt ran.",
        '"Run!"\n\nThe fox ran.',
        f"{'A fox ran and ' * 10}ran\n\nIt ran.",
    ],
)
def test_a_sentence_of_the_story_is_never_taken_for_its_title(text: str) -> None:
    assert split_synopsis(text) == ("", text)


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_no_letter_is_lost(text: str) -> None:
    title, prose = split_synopsis(text)
    kept = [sign for sign in title + prose if sign.isalnum()]
    assert kept == [sign for sign in text if sign.isalnum()]


@pytest.mark.parametrize(
    ("stem", "title"),
    [("the-fox_in.snow", "The fox in snow"), ("", "Untitled"), ("狐", "狐")],
)
def test_a_file_name_makes_a_title(stem: str, title: str) -> None:
    assert title_from_name(stem) == title
