"""A one-byte encoding for European dialogue, as PDF fonts take it.

A field's font must be able to draw what a reader types, so the whole font is embedded, with an
encoding that starts from WinAnsi and gives slots of signs rare in dialogue to the letters of
Polish, Czech, Slovak, Hungarian, Romanian, Croatian and Turkish.
"""

from __future__ import annotations

from collections.abc import Iterator

FIRST_CODE = 0x10
_LETTERS = "ĄąĆćĘęŁłŃńŚśŹźŻżČčĎďĚěŇňŘřŤťŮůŐőŰűĂăȚțŞşıĐđĹĺĽľŔŕĞğİ"
_SLOTS = (
    # codes WinAnsi leaves empty, then marks, fractions and signs, then control codes
    *(0x7F, 0x81, 0x8D, 0x8F, 0x90, 0x9D, 0x83, 0x86, 0x87, 0x88, 0x89, 0x98),
    *(0xA2, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAC, 0xAD, 0xAE, 0xAF, 0xB1),
    *(0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB8, 0xB9, 0xBC, 0xBD, 0xBE, 0xD7, 0xF7),
    *range(0x10, 0x20),
)


def european_letters() -> dict[int, str]:
    """Return the characters that differ from WinAnsi, by code, in the order of codes."""
    return dict(sorted(zip(_SLOTS, _LETTERS, strict=False)))


def characters() -> Iterator[tuple[int, str]]:
    """Yield every code that stands for a character, with the character, in the order of codes."""
    letters = european_letters()
    for code in range(FIRST_CODE, 256):
        if code in letters:
            yield code, letters[code]
        elif code >= 0x20:
            character = bytes([code]).decode("cp1252", errors="ignore")
            if character:
                yield code, character


def glyph_name(character: str) -> str:
    """Return the Adobe glyph name that stands for a character in /Differences."""
    return _NAMES.get(character) or f"uni{ord(character):04X}"


_BASES = {
    "ogonek": "ĄAąaĘEęe",
    "acute": "ĆCćcŃNńnŚSśsŹZźzĹLĺlŔRŕr",
    "caron": "ČCčcĎDďdĚEěeŇNňnŘRřrŤTťtĽLľl",
    "ring": "ŮUůu",
    "hungarumlaut": "ŐOőoŰUűu",
    "breve": "ĂAăaĞGğg",
    "cedilla": "ŞSşs",
    "dotaccent": "ŻZżz",
}
_NAMES = {
    pairs[index]: pairs[index + 1] + accent
    for accent, pairs in _BASES.items()
    for index in range(0, len(pairs), 2)
} | {"Ł": "Lslash", "ł": "lslash", "Đ": "Dcroat", "đ": "dcroat", "ı": "dotlessi", "İ": "Idotaccent"}
