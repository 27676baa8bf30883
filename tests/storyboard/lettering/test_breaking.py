from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.lettering.breaking import break_lines, fill_lines, line_advance
from storyboard.lettering.fonts import dialogue_font
from storyboard.lettering.pieces import Piece
from storyboard.lettering.runs import Run

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=14)
PROFILES = st.lists(st.floats(1, 20), min_size=1, max_size=6)


def written(text: str, *, costs: dict[str, float] | None = None) -> list[list[Piece]]:
    """Words whose width is the number of their letters, spaces included."""
    return [
        [
            Piece(word, (), float(len(word)), 1.0, (costs or {}).get(word, 0.0), None, False)
            for word in line.split(" ")
        ]
        for line in text.split("\n")
    ]


def said(lines: object) -> tuple[str, ...]:
    assert isinstance(lines, tuple)
    return tuple(" ".join(piece.text for piece in line) for line in lines)


@given(WORDS, PROFILES)
@settings(deadline=None, max_examples=50)
def test_breaking_keeps_every_word_in_order(words: list[str], profile: list[float]) -> None:
    broken = break_lines(written(" ".join(words)), profile)
    if len(words) < len(profile):
        assert broken is None
    else:
        assert broken is not None
        assert " ".join(said(broken.lines)) == " ".join(words)
        assert len(broken.lines) == len(profile)


@given(WORDS, PROFILES)
@settings(deadline=None, max_examples=50)
def test_the_scale_says_how_much_of_the_profile_the_lines_need(
    words: list[str], profile: list[float]
) -> None:
    broken = break_lines(written(" ".join(words)), profile)
    if broken is not None:
        pairs = zip(broken.lines, profile, strict=True)
        assert broken.scale == max(line_advance(line) / free for line, free in pairs)


def test_lines_follow_the_profile() -> None:
    broken = break_lines(written("aa aaaa aaaaaa aaaa aa"), [2, 4, 6, 4, 2])
    assert broken is not None
    assert said(broken.lines) == ("aa", "aaaa", "aaaaaa", "aaaa", "aa")
    assert broken.scale == 1


def test_a_dear_break_is_avoided_where_it_can_be() -> None:
    text = "now then I am sure of it"
    broken = break_lines(written(text, costs={"I": 0.35}), [12, 12], may_widen=True)
    assert broken is not None
    assert not said(broken.lines)[0].endswith(" I")


def test_the_writers_own_line_breaks_are_kept() -> None:
    broken = break_lines(written("one two\nthree"), [50, 50])
    assert broken is not None
    assert said(broken.lines) == ("one two", "three")
    assert break_lines(written("one two\nthree"), [50]) is None


def test_a_hyphen_counts_where_a_line_ends_with_it() -> None:
    hyphen = Run("-", dialogue_font())
    divided = Piece("Schiff", (), 6.0, 0.0, 0.9, hyphen, False)
    assert line_advance([divided]) > 6.0
    assert line_advance([divided, divided._replace(hyphen=None)]) == 12.0


def test_lines_can_be_filled_one_after_the_other() -> None:
    assert said(fill_lines(written("a bb ccc"), [4, 4, 4])) == ("a bb", "ccc")
    assert fill_lines(written("a bb ccccc"), [4, 4, 4]) is None
