from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.lettering.breaking import break_text

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=14)
PROFILES = st.lists(st.floats(1, 20), min_size=1, max_size=6)


def width_of(text: str) -> float:
    return float(len(text))


@given(WORDS, PROFILES)
@settings(deadline=None, max_examples=50)
def test_breaking_keeps_every_word_in_order(words: list[str], profile: list[float]) -> None:
    broken = break_text(" ".join(words), profile, width_of)
    if len(words) < len(profile):
        assert broken is None
    else:
        assert broken is not None
        assert " ".join(broken.lines) == " ".join(words)
        assert len(broken.lines) == len(profile)


@given(WORDS, PROFILES)
@settings(deadline=None, max_examples=50)
def test_the_scale_says_how_much_of_the_profile_the_lines_need(
    words: list[str], profile: list[float]
) -> None:
    broken = break_text(" ".join(words), profile, width_of)
    if broken is not None:
        pairs = zip(broken.lines, profile, strict=True)
        assert broken.scale == max(len(line) / free for line, free in pairs)


def test_lines_follow_the_profile() -> None:
    broken = break_text("aa aaaa aaaaaa aaaa aa", [2, 4, 6, 4, 2], width_of)
    assert broken is not None
    assert broken.lines == ("aa", "aaaa", "aaaaaa", "aaaa", "aa")
    assert broken.scale == 1


def test_a_line_does_not_end_in_a_single_letter_where_it_can_be_helped() -> None:
    broken = break_text("now then I am sure of it", [12, 12], width_of, may_widen=True)
    assert broken is not None
    assert not broken.lines[0].endswith(" I")


def test_the_writers_own_line_breaks_are_kept() -> None:
    broken = break_text("one two\nthree", [50, 50], width_of)
    assert broken is not None
    assert broken.lines == ("one two", "three")
    assert break_text("one two\nthree", [50], width_of) is None
