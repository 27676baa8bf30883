"""Make the lettering fonts again from pinned packages, and check every byte of them.

For maintainers: the fonts are in the repository, and the tool never fetches anything.

    python tools/make_fonts.py [folder]      # default: storyboard/fonts

needs npm and the release of fontTools named below; another one may write the same font with other
bytes. With --write-sums the list of checksums is written instead of checked.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import fontTools
from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parent.parent
SUMS = Path(__file__).with_name("fonts.sha256")
FONTTOOLS = "4.68.0"

# what European languages and letterers need beside a national set; taken where the font has it
EUROPE = (
    (0x0020, 0x024F),  # Latin
    (0x0300, 0x036F),  # combining marks
    (0x0370, 0x03FF),  # Greek
    (0x0400, 0x052F),  # Cyrillic
    (0x1E00, 0x1EFF),  # more Latin: Welsh, the capital sharp s, Vietnamese
    (0x1F00, 0x1FFF),  # Greek of older spelling
    (0x2000, 0x206F),  # punctuation, doubled marks as ‼ and ⁉ among it
    (0x20A0, 0x20CF),  # currencies
    (0x2100, 0x214F),  # №, ™ and the like
    (0x2190, 0x21FF),  # arrows
    (0x25A0, 0x27BF),  # ♥ ♪ ★ and their kin
)
ASIA = (
    (0x3000, 0x30FF),  # marks and kana
    (0xFF00, 0xFFEF),  # wide Latin, narrow kana
)


class Source(NamedTuple):
    """Where a font comes from, and the characters it is cut to; "" keeps it whole."""

    name: str
    package: str
    version: str
    file: str
    cut: str = ""


SOURCES = (
    Source("ComicNeue-Bold", "comic-neue", "0.4.1", "700Bold/ComicNeue_700Bold.ttf"),
    Source(
        "ComicNeue-BoldItalic",
        "comic-neue",
        "0.4.1",
        "700Bold_Italic/ComicNeue_700Bold_Italic.ttf",
    ),
    Source("Bangers-Regular", "bangers", "0.4.1", "400Regular/Bangers_400Regular.ttf"),
    Source(
        "MPLUSRounded1c-Bold",
        "m-plus-rounded-1c",
        "0.4.4",
        "700Bold/MPLUSRounded1c_700Bold.ttf",
        cut="japanese",
    ),
    Source(
        "NotoSansSC-Bold",
        "noto-sans-sc",
        "0.4.3",
        "700Bold/NotoSansSC_700Bold.ttf",
        cut="chinese",
    ),
)


def main() -> None:
    """Fetch, cut and check the fonts."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--write-sums"]
    if fontTools.version != FONTTOOLS:
        sys.exit(f"fontTools is {fontTools.version}; pip install fonttools=={FONTTOOLS}")
    folder = Path(arguments[0]) if arguments else ROOT / "storyboard" / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for source in SOURCES:
            package = fetched(source, Path(work))
            font, licence = package / source.file, package / "LICENSE_FONT"
            (folder / f"{source.name}.ttf").write_bytes(made(font, source.cut, folder))
            (folder / f"{source.name}.OFL.txt").write_bytes(licence.read_bytes())
    sums = "".join(f"{digest(folder / name)}  {name}\n" for name in sorted(names()))
    if "--write-sums" in sys.argv:
        SUMS.write_text(sums)
    elif sums != SUMS.read_text():
        sys.exit(f"the files in {folder} are not those of {SUMS}:\n{sums}")
    print(f"{len(SOURCES)} fonts in {folder}")


def names() -> Iterator[str]:
    """Yield the names of all files."""
    for source in SOURCES:
        yield f"{source.name}.ttf"
        yield f"{source.name}.OFL.txt"


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetched(source: Source, work: Path) -> Path:
    """Return the folder of the unpacked package."""
    folder = work / f"{source.package}-{source.version}"
    if not folder.exists():
        name = f"@expo-google-fonts/{source.package}@{source.version}"
        packed = subprocess.run(
            ["npm", "pack", "--silent", name], cwd=work, check=True, capture_output=True, text=True
        )
        with tarfile.open(work / packed.stdout.strip()) as archive:
            archive.extractall(folder, filter="data")
    return folder / "package"


def made(font: Path, cut: str, folder: Path) -> bytes:
    """Return the font's bytes, cut to the characters of a language where `cut` names one."""
    if not cut:
        return font.read_bytes()
    options = subset.Options()
    options.layout_features = ["vert", "vrt2", "kern", "mark", "ccmp"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.hinting = False
    options.drop_tables += ["BASE", "STAT", "gasp"]
    with TTFont(font) as opened:
        there = frozenset(opened.getBestCmap())
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=wanted(cut, folder) & there)
        cutter.subset(opened)
        opened["head"].modified = opened["head"].created  # the same bytes whenever it is made
        opened.recalcTimestamp = False
        path = folder / f".{font.name}"
        opened.save(path)
    data = path.read_bytes()
    path.unlink()
    return data


def wanted(cut: str, folder: Path) -> frozenset[int]:
    """Return the characters a cut font should have.

    The Chinese one also gets the Japanese characters that the Japanese one lacks, so that both
    together have all of JIS X 0208.
    """
    if cut == "japanese":
        return frozenset({*two_bytes("euc_jp"), *ranges(EUROPE), *ranges(ASIA)})
    with TTFont(folder / "MPLUSRounded1c-Bold.ttf") as japanese:
        rest = set(two_bytes("euc_jp")) - set(japanese.getBestCmap())
    latin = ranges(((0x0020, 0x017F), (0x2010, 0x203F)))
    return frozenset({*two_bytes("gb2312"), *rest, *latin, *ranges(ASIA)})


def ranges(pairs: Iterable[tuple[int, int]]) -> set[int]:
    """Return all characters from the first to the last of each pair."""
    return {code for first, last in pairs for code in range(first, last + 1)}


def two_bytes(encoding: str) -> Iterator[int]:
    """Yield the characters of a national set of 94 rows of 94: JIS X 0208, or GB 2312."""
    for row in range(0xA1, 0xFF):
        for cell in range(0xA1, 0xFF):
            character = bytes((row, cell)).decode(encoding, errors="ignore")
            if character:
                yield ord(character)


if __name__ == "__main__":
    main()
