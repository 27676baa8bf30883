"""Lettering a panel: from its staged dialogs to finished balloons."""

from __future__ import annotations

import msgspec

from storyboard.geometry import Box, Point, pt_to_mm
from storyboard.layout.staging import StagedPanel
from storyboard.lettering.fonts import Font
from storyboard.lettering.joining import panel_shapes, speakers_in
from storyboard.lettering.markup import plain_text
from storyboard.lettering.outlines import Outline
from storyboard.lettering.pieces import Piece
from storyboard.lettering.rooms import Room, natural_size, rooms
from storyboard.lettering.runs import EM, turned
from storyboard.lettering.setting import text_outline, text_starts
from storyboard.lettering.sounds import SoundText
from storyboard.lettering.texts import Hand, check_text, prepared
from storyboard.lettering.typefaces import editing_font
from storyboard.lettering_style import LetteringStyle, Squeeze
from storyboard.plan import Dialog, DialogKind

STROKE_MM = 0.45
BARE_RIM_MM = 0.55
_DASH_MM = (1.5, 1.0)
_FIELD_WIDTH_SHARE = 0.75


class Balloon(msgspec.Struct, frozen=True):
    """One lettered dialog, in millimetres on the page, y down.

    Attributes:
        id: the panel's id, ".b" and the dialog's number from 1.
        value: the text as the writer wrote it.
        lines: the text as drawn, line by line or column by column.
        starts: where each line begins, in the measure of `glyphs`: on its baseline, or at the top
            of its middle if it goes down.
        pieces: what each line consists of: fonts, emphasis, readings.
        stretch: how much wider and higher than in the font the letters are.
        is_vertical: whether the lines go down, the first at the right.
        shape: body and tail; empty for sounds and where a book has no balloons, and where an
            earlier balloon of the same speaker carries both bodies in its shape.
        joined_to: the id of that earlier balloon; "" for all others.
        dash_mm: lengths of stroke and gap; empty for a solid stroke.
        glyphs: the drawn text in font units, y up, (0, 0) in the middle of its block.
        origin_mm: where the middle of the block is on the page.
        angle_deg: how far the text is turned, anticlockwise.
        outline_mm: width of the white rim around the letters; 0 for none.
        editing_font: what a viewer should set an edited text with.
        field_mm: the form field's rectangle; holds all of the drawn text.
    """

    id: str
    value: str
    speaker: str
    kind: DialogKind
    lines: tuple[str, ...]
    is_vertical: bool
    body_mm: Box
    shape: Outline
    joined_to: str
    stroke_mm: float
    dash_mm: tuple[float, ...]
    glyphs: Outline
    origin_mm: Point
    angle_deg: float
    outline_mm: float
    editing_font: Font
    size_pt: float
    field_mm: Box
    units_per_em: int = EM
    starts: tuple[Point, ...] = ()
    pieces: tuple[tuple[Piece, ...], ...] = ()
    stretch: tuple[float, float] = (1.0, 1.0)

    @property
    def font(self) -> str:
        """The name of the font that a viewer should set an edited text with."""
        return self.editing_font.name

    @property
    def text(self) -> str:
        """The text as it is read aloud, without marks for emphasis and readings."""
        return plain_text(self.value)


def measure(
    dialog: Dialog,
    max_width_mm: float,
    max_height_mm: float,
    squeeze: Squeeze = Squeeze.ANYTHING,
    *,
    language: str = "en",
    style: LetteringStyle | None = None,
) -> tuple[float, float]:
    """Return width and height in millimetres of the balloon a dialog wants, without its tail.

    A dialog too long for the limits gets a balloon that exceeds them.

    Args:
        dialog: what is said, and how.
        max_width_mm: the greatest width that is wanted.
        max_height_mm: the greatest height that is wanted.
        squeeze: how much the text may lose before its balloon exceeds the limits.
        language: of the book.
        style: of its lettering.

    Raises:
        StoryError: the text cannot be lettered.
        MissingError: a font of the writer's is not there.
    """
    hand = Hand(language, style or LetteringStyle())
    check_text(dialog.text, dialog.kind, hand)
    fitted = natural_size(dialog, hand, max_width_mm, max_height_mm, squeeze)
    return fitted.width_mm, fitted.height_mm


def letter_panel(page_number: int, staged: StagedPanel, language: str) -> tuple[Balloon, ...]:
    """Return the panel's balloons in reading order.

    Args:
        page_number: for messages.
        staged: the panel; all of its dialogs have boxes.
        language: of the book.

    Raises:
        StoryError: a text cannot be lettered, or does not fit into the box that the plan gives it,
            or not even into the whole panel.
        MissingError: a font of the writer's is not there.
        ValueError: a dialog has no box.
    """
    panel, hand = staged.panel, Hand(language, staged.lettering)
    for number, dialog in enumerate(panel.dialogs, start=1):
        check_text(dialog.text, dialog.kind, hand, balloon=f"{panel.id}.b{number}")
        if dialog.box is None:
            raise ValueError(f"{panel.id}.b{number} is not staged: it has no box")
    found = rooms(
        panel.dialogs,
        hand,
        staged.bounds_mm,
        [speaker.face for speaker in speakers_in(staged).values()],
        may_grow=[not given for given in staged.explicit_dialogs],
        name_of=lambda index: f"{panel.id}.b{index + 1} (page {page_number})",
    )
    boxes, vertical = [room.box for room in found], [room.text.is_vertical for room in found]
    shapes, joined_to = panel_shapes(staged, boxes, vertical, hand.style)
    balloons = (
        _balloon(f"{panel.id}.b{number}", dialog, hand, room, shape, first)
        for number, (dialog, room, shape, first) in enumerate(
            zip(panel.dialogs, found, shapes, joined_to, strict=True), start=1
        )
    )
    return tuple(map(_blank, balloons) if hand.style.balloons == "blank" else balloons)


def _blank(balloon: Balloon) -> Balloon:
    """Return a balloon left for lettering by hand: no letters, nothing to edit."""
    return msgspec.structs.replace(balloon, value="", lines=(), glyphs=Outline(), pieces=())


def _balloon(
    name: str, dialog: Dialog, hand: Hand, room: Room, shape: Outline, joined_to: str
) -> Balloon:
    text, box = room.text, room.box
    if isinstance(text, SoundText):
        glyphs, angle, rim_mm = text.outline, text.angle_deg, text.rim_mm
        starts, stretch = text.starts, text.stretch
    else:
        glyphs, angle, starts = text_outline(text), 0.0, text_starts(text)
        stretch = (1.0, 1.0)
        rim_mm = BARE_RIM_MM if hand.style.balloons == "none" else 0.0
    ink = turned(glyphs.scaled(pt_to_mm(text.size_pt) / EM), angle).bounds
    face = prepared(dialog.text, dialog.kind, hand).face
    return Balloon(
        id=name,
        value=dialog.text,
        speaker=dialog.speaker,
        kind=dialog.kind,
        lines=text.texts,
        is_vertical=text.is_vertical,
        body_mm=box,
        shape=shape,
        joined_to=joined_to,
        stroke_mm=STROKE_MM,
        dash_mm=_DASH_MM if dialog.kind == "whisper" else (),
        glyphs=glyphs,
        origin_mm=box.centre,
        angle_deg=angle,
        outline_mm=rim_mm,
        editing_font=editing_font(face, dialog.text),
        size_pt=text.size_pt,
        field_mm=_field(dialog.kind, box, ink, text.size_pt, rim_mm),
        starts=starts,
        pieces=text.lines,
        stretch=stretch,
    )


def _field(kind: DialogKind, box: Box, ink: Box, size_pt: float, rim_mm: float) -> Box:
    """Return the form field's rectangle: the text block, a spare line, and room to type.

    Viewers set an edited text from the rectangle's top, so it starts a little above the block.
    """
    x, y = box.centre
    line_mm = pt_to_mm(size_pt)
    above, below = (0.35, 0.6) if kind != "sound" else (0.05, 0.05)
    width = max(box.width * _FIELD_WIDTH_SHARE, 2 * max(-ink.left, ink.right) + 2 * rim_mm + 0.6)
    return Box(
        x - width / 2,
        y - ink.bottom - rim_mm - above * line_mm,
        x + width / 2,
        y - ink.top + rim_mm + below * line_mm,
    )
