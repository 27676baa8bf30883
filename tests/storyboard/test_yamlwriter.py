from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import StoryError
from storyboard.yamlfile import NOT_PRINTABLE
from storyboard.yamlwriter import WIDTH, to_yaml

NASTY = [
    *("", " ", "yes", "No", "12:30", "null", "~", "1_000", "0x1F", "1e3", "2024-01-01", "=", "<<"),
    *(
        "- a",
        "? a",
        "a: b",
        "a #b",
        "#",
        "'",
        '"',
        "\\",
        "{a}",
        "[a]",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
    ),
    *(" leading", "trailing ", "a\n", "\na", "a\n\n", "a\n b", "a \nb", "a\tb", "\t", "---", "..."),
    *("a\r\nb", "a\x85b", "a\u2028b", "a\u2029b", "\ufeff", "🦊", "狐 の 雪", "e\u0301", "\ufffd"),
    "word " * 60,
    "word " * 30 + "# word " * 30 + "- word" * 30,
    "x" * 300,
]
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=60),
    st.lists(st.sampled_from([*NASTY, "\n", " ", "word"]), max_size=40).map(" ".join),
).filter(lambda text: not NOT_PRINTABLE.search(text))
VALUES = st.one_of(
    TEXTS,
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)
FIELDS = st.dictionaries(st.sampled_from("abcdef"), st.one_of(VALUES, st.lists(VALUES, max_size=4)))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), st.one_of(VALUES, FIELDS, st.lists(FIELDS))))
def test_any_other_reader_gets_the_same_data(data: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(data, one_line=("a", "b"))) == data


@pytest.mark.parametrize("text", NASTY)
def test_nasty_texts_are_read_back(text: str) -> None:
    data = {"a": [{"b": text, "c": [text]}], "d": text}
    assert yaml.safe_load(to_yaml(data, one_line=("a",))) == data


def test_short_mappings_stand_on_one_line_where_asked_and_long_ones_do_not() -> None:
    short, long = {"b": "x", "c": [0.1, 1.0]}, {"b": "x " * 60 + "x"}
    written = to_yaml({"a": [short, long], "d": [short]}, one_line=("a",))
    assert "  - {b: x, c: [0.1, 1.0]}\n  - b: x x" in written
    assert "d:\n  - b: x\n    c: [0.1, 1.0]\n" in written


def test_long_text_is_folded_and_text_of_several_lines_stays_readable() -> None:
    written = to_yaml({"a": "word " * 60 + "end", "b": "one\n\ntwo\n"})
    assert max(map(len, written.splitlines())) <= WIDTH + len("word ")
    assert "b: |\n  one\n\n  two\n" in written


def test_a_control_character_is_refused_with_its_place() -> None:
    with pytest.raises(StoryError, match=r"^a\[0\]\.b: .*U\+0007"):
        to_yaml({"a": [{"b": "x\x07"}]})


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(StoryError, match="not a finite number"):
        to_yaml({"a": math.nan})
