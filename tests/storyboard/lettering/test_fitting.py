from __future__ import annotations

import pytest
from letter_samples import BALLOONS

from storyboard.lettering.fitting import text_for_balloon
from storyboard.lettering.natural import natural_text
from storyboard.lettering.texts import Hand
from storyboard.lettering_style import LetteringStyle, Squeeze
from storyboard.plan import DialogKind

ENGLISH, JAPANESE, CHINESE = Hand("en"), Hand("ja"), Hand("zh")
TEXT = "I never thought the harbour would be so quiet at dawn. Do you hear it?"


@pytest.mark.parametrize("kind", BALLOONS)
def test_a_longer_text_is_never_set_larger(kind: DialogKind) -> None:
    sizes = []
    for count in range(1, 40, 3):
        fitted = text_for_balloon(" ".join(["word"] * count), kind, ENGLISH, 36.0, 24.0)
        sizes.append(fitted.size_pt if fitted else 0.0)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Are you sure this is the way?",
        "If I stay here until morning he will surely find me.",
    ],
)
def test_balloons_have_pleasant_proportions(text: str) -> None:
    natural = natural_text(text, "speech", ENGLISH, 100.0, 100.0)
    assert 1.2 <= natural.width_mm / natural.height_mm <= 2.2


def test_balloons_around_vertical_lines_are_upright() -> None:
    natural = natural_text("まさか、本当に来るとは思わなかった！", "speech", JAPANESE, 100.0, 100.0)
    assert natural.is_vertical
    assert natural.texts == ("まさか、", "本当に来るとは", "思わなかった！")
    assert 0.45 <= natural.width_mm / natural.height_mm <= 0.95


def test_lines_swell_towards_the_middle() -> None:
    lengths = [len(line) for line in natural_text(TEXT, "speech", ENGLISH, 99, 99).texts]
    assert lengths.index(max(lengths)) not in (0, len(lengths) - 1)


def test_chinese_is_level_and_broken_between_words() -> None:
    natural = natural_text("你以为这样就能打败我吗？别做梦了！", "speech", CHINESE, 100.0, 100.0)
    assert not natural.is_vertical
    assert natural.texts == ("你以为这样", "就能打败我吗？", "别做梦了！")


@pytest.mark.parametrize(
    ("language", "direction", "text", "expected"),
    [
        ("ja", None, "雨だ", True),
        ("ja", "horizontal", "雨だ", False),
        ("zh", None, "下雨了", False),
        ("zh", "vertical", "下雨了", True),
        ("ja", None, "OK!", False),
        ("ja", None, "……!?", True),
        ("en", None, "Rain", False),
    ],
)
def test_the_direction_follows_language_style_and_text(
    language: str, direction: str | None, text: str, expected: bool
) -> None:
    hand = Hand(language, LetteringStyle(direction=direction))  # type: ignore[arg-type]
    assert natural_text(text, "speech", hand, 50, 50).is_vertical == expected


def test_text_gets_smaller_before_its_balloon_gets_too_large() -> None:
    text = "I never thought the harbour would be so quiet at dawn."
    tight = natural_text(text, "speech", ENGLISH, 28.0, 18.5)
    assert tight.width_mm <= 28.0
    assert tight.height_mm <= 18.5
    assert 7.0 <= tight.size_pt < 8.5


def test_without_squeeze_size_and_proportions_are_kept() -> None:
    kept = natural_text(TEXT, "speech", ENGLISH, 20.0, 20.0, Squeeze.NOTHING)
    assert kept.size_pt == 8.5
    assert 0.9 <= kept.width_mm / kept.height_mm <= 2.5
    assert natural_text(TEXT, "speech", ENGLISH, 20.0, 20.0, Squeeze.SMALLER).size_pt == 7.0


def test_a_text_too_long_for_its_box_gets_none() -> None:
    assert text_for_balloon("far too much to say here", "speech", ENGLISH, 9.0, 6.0) is None


def test_a_word_is_divided_only_when_nothing_else_fits() -> None:
    text = "An understanding"
    wide = text_for_balloon(text, "speech", ENGLISH, 32.0, 24.0)
    assert wide is not None
    assert "UNDERSTANDING" in " ".join(wide.texts)
    narrow = text_for_balloon(text, "speech", ENGLISH, 19.0, 22.0)
    assert narrow is not None
    assert narrow.size_pt == 7.0
    assert any(line.endswith("-") for line in narrow.texts)
    whole = Hand("en", LetteringStyle(hyphens=False))
    assert text_for_balloon(text, "speech", whole, 19.0, 22.0) is None


def test_a_short_text_in_a_large_balloon_is_set_larger_but_not_huge() -> None:
    fitted = text_for_balloon("No.", "speech", ENGLISH, 60.0, 40.0)
    assert fitted is not None
    assert fitted.size_pt == 11.0


def test_the_style_sets_sizes() -> None:
    large = Hand("en", LetteringStyle(size_pt=10.0))
    assert natural_text("No.", "speech", large, 99, 99).size_pt == 10.0
    assert natural_text("No.", "whisper", large, 99, 99).size_pt == pytest.approx(9.41, abs=0.01)
    legible = Hand("en", LetteringStyle(smallest_pt=8.25))
    assert natural_text(TEXT, "speech", legible, 20.0, 15.0, Squeeze.SMALLER).size_pt == 8.25


def test_readings_widen_the_lines_apart() -> None:
    plain = natural_text("二十歳の冬、\n雨が降った", "narration", JAPANESE, 99, 99)
    read = natural_text("{二十歳|はたち}の冬、\n雨が降った", "narration", JAPANESE, 99, 99)
    assert read.width_mm > plain.width_mm + 1
    assert read.texts == plain.texts
