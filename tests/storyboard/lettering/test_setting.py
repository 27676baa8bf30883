from __future__ import annotations

from storyboard.lettering.fonts import shipped_font
from storyboard.lettering.natural import natural_text
from storyboard.lettering.outlines import Outline
from storyboard.lettering.runs import EM, Run, ink
from storyboard.lettering.setting import text_outline
from storyboard.lettering.texts import Hand
from storyboard.lettering_style import LetteringStyle

JAPANESE = Hand("ja")
FONT = shipped_font("MPLUSRounded1c-Bold")


def outline(text: str, hand: Hand = JAPANESE) -> Outline:
    return text_outline(natural_text(text, "narration", hand, 99, 99))


def manners(text: str) -> list[tuple[str, str]]:
    (line,) = natural_text(text, "narration", JAPANESE, 99, 200).lines
    return [(run.text, run.manner) for piece in line for part in piece.parts for run in part.runs]


def test_columns_follow_each_other_to_the_left_from_one_height() -> None:
    first, second = outline("山\n川"), outline("山\n川川")
    assert first.bounds.right > 0 > first.bounds.left
    assert second.bounds.height > first.bounds.height
    assert abs((second.bounds.bottom + second.bounds.top) / 2) < 0.1 * EM


def test_two_digits_and_doubled_marks_share_a_square_and_words_are_turned() -> None:
    assert manners("12月!?") == [("12", "cell"), ("月", "upright"), ("!?", "cell")]
    assert manners("３枚！") == [("３", "upright"), ("枚", "upright"), ("！", "upright")]
    assert manners("2024年") == [(digit, "upright") for digit in "２０２４"] + [("年", "upright")]
    assert manners("OKだ") == [("OK", "turned"), ("だ", "upright")]
    assert manners("Tシャツ")[0] == ("Ｔ", "upright")
    assert manners("！！") == [("!!", "cell")]


def test_a_cell_is_one_square() -> None:
    for text in ("12", "!!", "88"):
        drawn = ink(Run(text, FONT, False, "cell"))
        assert drawn.advance == EM
        assert drawn.bounds is not None
        assert drawn.bounds.width <= 0.93 * EM
        assert -EM < drawn.bounds.top < drawn.bounds.bottom < 0


def test_long_marks_stand_along_the_column() -> None:
    for name in ("MPLUSRounded1c-Bold", "NotoSansSC-Bold"):
        for mark in "…—ー〜":
            bounds = ink(Run(mark, shipped_font(name), False, "upright")).bounds
            assert bounds is not None
            assert bounds.height > bounds.width


def test_brackets_open_downwards() -> None:
    bounds = ink(Run("（", FONT, False, "upright")).bounds
    assert bounds is not None
    assert bounds.width > bounds.height


def test_a_reading_stands_right_of_its_column_and_above_a_level_line() -> None:
    plain, read = outline("二十歳"), outline("{二十歳|はたち}")
    assert read.bounds.width > plain.bounds.width + 0.3 * EM
    level = Hand("ja", LetteringStyle(direction="horizontal"))
    plain, read = outline("二十歳", level), outline("{二十歳|はたち}", level)
    assert read.bounds.height > plain.bounds.height + 0.3 * EM


def test_a_long_reading_spreads_its_letters() -> None:
    (line,) = natural_text("{掟|ほうりつ}", "narration", JAPANESE, 99, 99).lines
    (part,) = line[0].parts
    assert part.advance == part.ruby_advance == 2 * EM
    assert part.base_advance == EM


def test_emphasis_in_japanese_is_a_dot_beside_each_letter() -> None:
    (line,) = natural_text("*絶対*に", "narration", JAPANESE, 99, 99).lines
    assert [bool(part.ruby) for piece in line for part in piece.parts] == [True, True, False]
