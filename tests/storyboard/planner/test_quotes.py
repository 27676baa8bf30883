from __future__ import annotations

import pytest

from storyboard.planner.quotes import find_quotes


def quotes(prose: str) -> list[str]:
    return [quote.text for quote in find_quotes(prose)]


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ('"Hold still," said Mika.', ["Hold still,"]),
        ("“Hold still,” said Mika.", ["Hold still,"]),
        ("‘Don’t move,’ said Mika.", ["Don’t move,"]),
        (
            "'Don't move,' said Mika. 'It's the robbers' house.'",
            ["Don't move,", "It's the robbers' house."],
        ),
        ("« Ne bouge pas », dit Mika.", [" Ne bouge pas "]),
        ("„Halt still“, sagte Mika.", ["Halt still"]),
        ("ミカは言った。「動かないで」", ["動かないで"]),
        ("\"Never say 'never' to me,\" said Tom.", ["Never say 'never' to me,"]),
        ("— Bonjour, dit Marie.", ["Bonjour,"]),
    ],
)
def test_every_style_of_marks_is_read(prose: str, expected: list[str]) -> None:
    assert quotes(prose) == expected


def test_a_word_in_quotes_is_no_speech() -> None:
    assert quotes('They called it "progress" and went home.') == []


def test_a_quote_holds_several_sentences() -> None:
    assert quotes('"Wait. Who is there? Answer!" cried Tom.') == ["Wait. Who is there? Answer!"]


def test_apostrophes_are_no_quotes() -> None:
    assert quotes("The dogs' bowls weren't full. 'Twas a pity.") == []


def test_a_speech_over_paragraphs_opens_each_and_closes_the_last() -> None:
    assert quotes('"First this.\n"Then that," said Tom.') == ["First this.", "Then that,"]


def test_a_quote_that_is_never_closed_ends_with_its_paragraph() -> None:
    assert quotes('"I am lost.\nThe rain fell.') == ["I am lost."]


def test_quotes_are_slices_of_the_text() -> None:
    prose = 'Tom said, "One." Then: "Two!"'
    assert all(prose[quote.start : quote.end] == quote.text for quote in find_quotes(prose))
