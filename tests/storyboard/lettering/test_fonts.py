from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from storyboard.errors import MissingError, StoryError
from storyboard.lettering.fonts import FONTS_FOLDER, dialogue_font, shipped_font, sound_font
from storyboard.lettering.typefaces import editing_font, typeface, writers_font
from storyboard.lettering_style import LetteringStyle

SUMS = Path(__file__).parents[3] / "tools" / "fonts.sha256"


def with_licence_bits(path: Path, bits: int) -> Path:
    with TTFont(FONTS_FOLDER / "ComicNeue-Bold.ttf") as font:
        font["OS/2"].fsType = bits
        font.save(path)
    return path


def test_every_font_has_its_licence_beside_it() -> None:
    fonts = sorted(FONTS_FOLDER.glob("*.ttf"))
    assert len(fonts) == 5
    for font in fonts:
        assert "SIL OPEN FONT LICENSE" in font.with_suffix(".OFL.txt").read_text().upper()


def test_the_fonts_are_those_that_the_maintainers_program_makes() -> None:
    listed = dict(line.split("  ")[::-1] for line in SUMS.read_text().splitlines())
    for path in [*FONTS_FOLDER.glob("*.ttf"), *FONTS_FOLDER.glob("*.txt")]:
        assert listed[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_pairs_are_kerned() -> None:
    font = dialogue_font()
    assert font.advance("AV") < font.advance("A") + font.advance("V")


def test_an_outline_covers_its_advance() -> None:
    for font in (dialogue_font(), sound_font()):
        bounds = font.outline("HAMBURG").bounds
        assert 0.9 * font.advance("HAMBURG") < bounds.width < 1.05 * font.advance("HAMBURG")
        assert abs(bounds.bottom - font.cap_height) < 0.05 * font.units_per_em


def test_letters_are_put_together_from_letter_and_mark() -> None:
    font = dialogue_font()
    assert "ğ" not in font.characters
    assert font.has("ğ")
    assert not font.has("ж")


def test_japanese_and_chinese_have_forms_for_vertical_lines() -> None:
    for name in ("MPLUSRounded1c-Bold", "NotoSansSC-Bold"):
        font = shipped_font(name)
        assert all(font.upright(mark)[2] for mark in "「」、。ーっ（）")
        assert not font.upright("山")[2]


def test_the_national_sets_are_whole() -> None:
    japanese, chinese = (
        {
            bytes((row, cell)).decode(name, errors="ignore")
            for row in range(0xA1, 0xFF)
            for cell in range(0xA1, 0xFF)
        }
        - {""}
        for name in ("euc_jp", "gb2312")
    )
    ours = shipped_font("NotoSansSC-Bold").characters
    assert chinese <= ours
    assert japanese <= ours | shipped_font("MPLUSRounded1c-Bold").characters


def test_a_letter_is_drawn_by_the_first_font_that_has_it() -> None:
    face = typeface("speech", "en", LetteringStyle(), "")
    assert [face.face_for(letter).font.name for letter in "Aжç♥们"] == [  # type: ignore[union-attr]
        "ComicNeue-Bold",
        "MPLUSRounded1c-Bold",
        "ComicNeue-Bold",
        "MPLUSRounded1c-Bold",
        "NotoSansSC-Bold",
    ]
    assert face.face_for("\U0001f600") is None


@pytest.mark.parametrize(
    ("language", "kind", "text", "expected"),
    [
        ("en", "speech", "", "ComicNeue-Bold"),
        ("ru", "speech", "", "MPLUSRounded1c-Bold"),
        ("ja", "speech", "", "MPLUSRounded1c-Bold"),
        ("zh", "speech", "", "NotoSansSC-Bold"),
        ("ja", "sound", "BOOM", "Bangers-Regular"),
        ("ja", "sound", "ドーン", "MPLUSRounded1c-Bold"),
        ("zh", "sound", "轰", "NotoSansSC-Bold"),
    ],
)
def test_each_language_has_its_font(language: str, kind: str, text: str, expected: str) -> None:
    face = typeface(kind, language, LetteringStyle(), text)  # type: ignore[arg-type]
    assert face.main.name == expected


def test_emphasis_is_bold_italic_or_slanted() -> None:
    face = typeface("speech", "en", LetteringStyle(), "")
    latin = face.face_for("A", is_emphasised=True)
    cyrillic = face.face_for("ж", is_emphasised=True)
    assert latin is not None
    assert cyrillic is not None
    assert (latin.font.name, latin.is_slanted) == ("ComicNeue-BoldItalic", False)
    assert (cyrillic.font.name, cyrillic.is_slanted) == ("MPLUSRounded1c-Bold", True)


def test_a_writers_font_comes_first(tmp_path: Path) -> None:
    own = with_licence_bits(tmp_path / "My Font.ttf", 0)
    style = LetteringStyle(font="My Font.ttf").within(tmp_path)
    face = typeface("speech", "en", style, "")
    assert face.main.path == own
    assert face.main.name == "My-Font"
    assert typeface("sound", "en", style, "BOOM").main.name == "Bangers-Regular"
    assert editing_font(face, "abc").path == own
    assert editing_font(face, "жук").name == "MPLUSRounded1c-Bold"


@pytest.mark.parametrize("bits", [0x2, 0x200])
def test_a_font_that_may_not_be_embedded_is_refused(tmp_path: Path, bits: int) -> None:
    with pytest.raises(StoryError, match="forbids embedding"):
        writers_font(with_licence_bits(tmp_path / f"{bits}.ttf", bits))


def test_a_font_for_viewing_only_draws_but_does_not_edit(tmp_path: Path) -> None:
    own = with_licence_bits(tmp_path / "view.ttf", 0x4)
    face = typeface("speech", "en", LetteringStyle(font=str(own)), "")
    assert face.main.path == own
    assert editing_font(face, "abc").name == "ComicNeue-Bold"


def test_what_is_no_font_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no font"):
        writers_font(tmp_path / "none.ttf")
    wrong = tmp_path / "wrong.ttf"
    wrong.write_bytes(b"no font")
    with pytest.raises(MissingError, match="is no font that can be used"):
        writers_font(wrong)
