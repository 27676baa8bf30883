"""The lettering fonts: which characters they have, how wide text runs, and its outlines."""

from __future__ import annotations

import functools
import struct
from pathlib import Path

import uharfbuzz

from storyboard.lettering.outlines import Command, Outline, quadratic

FONTS_FOLDER = Path(__file__).parent.parent / "fonts"


class Font:
    """A TrueType font, opened for measuring and drawing. Lengths are in font units."""

    def __init__(self, path: Path) -> None:
        """Open the font file at `path`."""
        self.path = path
        self.name = path.stem
        self._face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
        self._font = uharfbuzz.Font(self._face)
        extents = self._font.get_font_extents("ltr")
        self.units_per_em: int = self._face.upem
        self.ascent: int = extents.ascender
        self.descent: int = extents.descender
        self.cap_height: int = self._top_of("H")

    @functools.cached_property
    def characters(self) -> frozenset[str]:
        """Every character the font has a glyph for."""
        return frozenset(map(chr, self._face.unicodes))

    @functools.cached_property
    def bounds(self) -> tuple[int, int, int, int]:
        """The box around all glyphs: least x and y, greatest x and y."""
        head = self._face.reference_table("head").data
        left, bottom, right, top = struct.unpack(">4h", head[36:44])
        return left, bottom, right, top

    def advance(self, text: str) -> int:
        """Return how far the kerned text runs."""
        return sum(position.x_advance for _, position in self._shaped(text))

    def outline(self, text: str) -> Outline:
        """Return the kerned text as an outline, y up, starting at (0, 0) on the baseline."""
        commands: list[Command] = []
        x = 0
        for glyph, position in self._shaped(text):
            pen = _OutlinePen(x + position.x_offset, position.y_offset)
            self._font.draw_glyph_with_pen(glyph, pen)
            commands.extend(pen.commands)
            x += position.x_advance
        return Outline(tuple(commands))

    def _shaped(self, text: str) -> list[tuple[int, uharfbuzz.GlyphPosition]]:
        """Return glyph number and position for each glyph, kerning applied, ligatures not."""
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        uharfbuzz.shape(self._font, buffer, {"kern": True, "liga": False})
        glyphs = [info.codepoint for info in buffer.glyph_infos]
        return list(zip(glyphs, buffer.glyph_positions, strict=True))

    def _top_of(self, character: str) -> int:
        extents = self._font.get_glyph_extents(self._font.get_nominal_glyph(ord(character)))
        return int(extents.y_bearing)


class _OutlinePen:
    """Collects one glyph's drawing commands, shifted to its place in the line."""

    def __init__(self, dx: float, dy: float) -> None:
        self.commands: list[Command] = []
        self._dx = dx
        self._dy = dy
        self._current = (0.0, 0.0)

    def _placed(self, point: tuple[float, float]) -> tuple[float, float]:
        return point[0] + self._dx, point[1] + self._dy

    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        self._current = self._placed(point)
        self.commands.append(("M", self._current))

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        self._current = self._placed(point)
        self.commands.append(("L", self._current))

    def qCurveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        control, end = map(self._placed, points)  # uharfbuzz gives one control point a curve
        self.commands.append(quadratic(self._current, control, end))
        self._current = end

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802 - the pen's interface
        placed = [self._placed(point) for point in points]
        self.commands.append(("C", tuple(value for point in placed for value in point)))
        self._current = placed[-1]

    def closePath(self) -> None:  # noqa: N802 - the pen's interface
        self.commands.append(("Z", ()))


@functools.cache
def dialogue_font() -> Font:
    """Return the font of balloons and narration boxes."""
    return Font(FONTS_FOLDER / "ComicNeue-Bold.ttf")


@functools.cache
def sound_font() -> Font:
    """Return the font of sound effects."""
    return Font(FONTS_FOLDER / "Bangers-Regular.ttf")
