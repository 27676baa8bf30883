from __future__ import annotations

from storyboard.lettering.fonts import FONTS_FOLDER, dialogue_font, sound_font


def test_every_font_has_its_licence_beside_it() -> None:
    fonts = sorted(FONTS_FOLDER.glob("*.ttf"))
    assert fonts
    for font in fonts:
        assert "SIL OPEN FONT LICENSE" in font.with_suffix(".OFL.txt").read_text().upper()


def test_pairs_are_kerned() -> None:
    font = dialogue_font()
    assert font.advance("AV") < font.advance("A") + font.advance("V")


def test_an_outline_covers_its_advance() -> None:
    for font in (dialogue_font(), sound_font()):
        bounds = font.outline("HAMBURG").bounds
        assert 0.9 * font.advance("HAMBURG") < bounds.width < 1.05 * font.advance("HAMBURG")
        assert abs(bounds.bottom - font.cap_height) < 0.05 * font.units_per_em


def test_outlines_are_in_whole_font_units() -> None:
    outline = dialogue_font().outline("l")
    assert outline.bounds.right == 166
