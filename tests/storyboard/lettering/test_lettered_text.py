"""Laws that hold for every text, box and language."""

from __future__ import annotations

import pathops
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from letter_samples import BALLOONS, languages_and_texts

from storyboard.geometry import Box, pt_to_mm
from storyboard.lettering.balloons import body
from storyboard.lettering.break_places import INVISIBLE
from storyboard.lettering.drawn_text import PLAIN_I, drawn_text
from storyboard.lettering.fitting import text_for_balloon
from storyboard.lettering.natural import natural_text
from storyboard.lettering.outlines import Outline
from storyboard.lettering.profiles import FittedText
from storyboard.lettering.runs import EM
from storyboard.lettering.scripts import (
    CJK_NEVER_FIRST,
    CJK_NEVER_LAST,
    NEVER_FIRST,
    NEVER_LAST,
    is_cjk,
)
from storyboard.lettering.setting import text_outline
from storyboard.lettering.texts import Hand, trouble_with
from storyboard.lettering_style import LetteringStyle
from storyboard.plan import DialogKind

KINDS = st.sampled_from(BALLOONS)
DIRECTIONS = st.sampled_from([None, "horizontal", "vertical"])


def skia(outline: Outline) -> pathops.Path:
    path = pathops.Path()
    for operator, numbers in outline.commands:
        {"M": path.moveTo, "L": path.lineTo, "C": path.cubicTo, "Z": path.close}[operator](
            *(64 * number for number in numbers)
        )
    return path


def outside(fitted: FittedText, kind: DialogKind) -> float:
    """How much ink, in square millimetres, lies outside the balloon."""
    scale = pt_to_mm(fitted.size_pt) / EM
    ink = text_outline(fitted).scaled(scale, -scale)
    width, height = fitted.width_mm / 2, fitted.height_mm / 2
    box = Box(-width, -height, width, height)
    shape = body(kind, box, is_vertical=fitted.is_vertical)
    rest = pathops.op(skia(ink), skia(shape), pathops.PathOp.DIFFERENCE)
    return abs(float(rest.area)) / 64**2


def drawn(fitted: FittedText) -> str:
    return "".join("".join(fitted.texts).split())


@given(languages_and_texts(), KINDS, DIRECTIONS)
@settings(max_examples=20, deadline=None)
@example(("ja", "「{約束|やくそく}」だからな……*絶対*に！！"), "speech", None)
@example(("zh", "“我从来没*这么*想过……”"), "thought", "horizontal")
@example(("en", "*I never* said {that|this}!"), "shout", None)
def test_all_ink_lies_inside_the_balloon(
    said: tuple[str, str], kind: DialogKind, direction: str | None
) -> None:
    language, text = said
    hand = Hand(language, LetteringStyle(direction=direction))  # type: ignore[arg-type]
    natural = natural_text(text, kind, hand, 45.0, 45.0)
    assert outside(natural, kind) < 0.02
    fitted = text_for_balloon(text, kind, hand, natural.width_mm, natural.height_mm)
    assert fitted is not None
    assert outside(fitted, kind) < 0.02


@given(languages_and_texts(), KINDS, st.floats(10, 60), st.floats(8, 50))
@settings(max_examples=20, deadline=None)
def test_text_in_a_given_box_stays_inside_and_loses_no_character(
    said: tuple[str, str], kind: DialogKind, width: float, height: float
) -> None:
    language, text = said
    hand = Hand(language)
    fitted = text_for_balloon(text, kind, hand, width, height)
    assume(fitted is not None)
    assert fitted is not None
    assert outside(fitted, kind) < 0.02
    expected = "".join(drawn_text(text, language).replace(PLAIN_I, "I").split())
    hyphens = sum(1 for line in fitted.lines if line[-1].hyphen)
    assert len(drawn(fitted)) == len(expected) + hyphens
    assert hyphens or drawn(fitted) == expected


@given(languages_and_texts(), KINDS, DIRECTIONS)
@settings(max_examples=20, deadline=None)
def test_no_line_begins_or_ends_with_a_forbidden_character(
    said: tuple[str, str], kind: DialogKind, direction: str | None
) -> None:
    language, text = said
    hand = Hand(language, LetteringStyle(direction=direction))  # type: ignore[arg-type]
    fitted = natural_text(text, kind, hand, 30.0, 30.0)
    for line, following in zip(fitted.texts, fitted.texts[1:], strict=False):
        last, first = line[-1], following[0]
        assert first not in NEVER_FIRST
        assert last not in NEVER_LAST
        if is_cjk(first) or is_cjk(last):
            assert first not in CJK_NEVER_FIRST
            assert last not in CJK_NEVER_LAST


@given(languages_and_texts(), KINDS, st.floats(16, 60), st.floats(12, 50), st.data())
@settings(max_examples=20, deadline=None)
def test_a_longer_text_never_gets_a_larger_size(
    said: tuple[str, str], kind: DialogKind, width: float, height: float, data: st.DataObject
) -> None:
    language, text = said
    ends = [end for end in range(1, len(text)) if text[end] == " "] or [*range(1, len(text))]
    assume(ends)
    shorter = text[: data.draw(st.sampled_from(ends))]
    assume(shorter.strip())
    hand = Hand(language)
    sizes = [
        fitted.size_pt if fitted else 0.0
        for fitted in (
            text_for_balloon(each, kind, hand, width, height) for each in (shorter, text)
        )
    ]
    assert sizes[0] >= sizes[1]


@given(languages_and_texts())
@settings(max_examples=20, deadline=None)
def test_every_character_is_drawn(said: tuple[str, str]) -> None:
    language, text = said
    assert trouble_with(text, "speech", Hand(language)) == ""
    fitted = natural_text(text, "speech", Hand(language), 60.0, 60.0)
    runs = [
        run for line in fitted.lines for piece in line for part in piece.parts for run in part.runs
    ]
    for run in runs:
        assert all(
            character in run.font.characters or run.font.has(character) for character in run.text
        )
    letters = [c for c in drawn_text(text, language) if not c.isspace() and c not in INVISIBLE]
    assert runs
    assert sum(len(run.text.strip()) for run in runs) >= len(set(letters))
