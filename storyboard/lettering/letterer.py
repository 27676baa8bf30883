"""Lettering a panel: from its staged dialogs to finished balloons."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec

from storyboard.errors import StoryError
from storyboard.geometry import Box, Point, pt_to_mm
from storyboard.layout.staging import StagedPanel
from storyboard.lettering.balloons import body, neck
from storyboard.lettering.drawn_text import check_text, font_for
from storyboard.lettering.fitting import (
    STYLES,
    FittedText,
    block_height_mm,
    natural_text,
    text_for_balloon,
)
from storyboard.lettering.outlines import Outline, united
from storyboard.lettering.tails import (
    Course,
    Speaker,
    course_to_edge,
    course_to_speaker,
    speaker_in,
    tail,
)
from storyboard.plan import Dialog, DialogKind

STROKE_MM = 0.45
SOUND_OUTLINE_MM = 1.1
_JOIN_GAP_MM = 5.0
_NECK_MM = 1.5
_DASH_MM = (1.5, 1.0)
_FIELD_WIDTH_SHARE = 0.75
_PANEL_MARGIN_MM = 0.8


class Balloon(msgspec.Struct, frozen=True):
    """One lettered dialog, in millimetres on the page, y down.

    Attributes:
        id: the panel's id, ".b" and the dialog's number from 1.
        value: the text as the writer wrote it.
        shape: body and tail; empty for sounds, and where an earlier balloon of the same speaker
            carries both bodies in its shape.
        dash_mm: lengths of stroke and gap; empty for a solid stroke.
        glyphs: the drawn text in font units, y up, (0, 0) in the middle of its block.
        origin_mm: where the middle of the block is on the page.
        angle_deg: how far the text is turned, anticlockwise.
        outline_mm: width of the white rim around the letters; 0 for none.
        field_mm: the form field's rectangle; holds all of the drawn text.
    """

    id: str
    value: str
    speaker: str
    kind: DialogKind
    body_mm: Box
    shape: Outline
    stroke_mm: float
    dash_mm: tuple[float, ...]
    glyphs: Outline
    origin_mm: Point
    angle_deg: float
    outline_mm: float
    font: str
    units_per_em: int
    size_pt: float
    field_mm: Box


def measure(
    dialog: Dialog, max_width_mm: float, max_height_mm: float, language: str = "en"
) -> tuple[float, float]:
    """Return width and height in millimetres of the balloon a dialog wants, without its tail.

    A dialog too long for the limits even at the smallest size gets a balloon that exceeds them.

    Raises:
        StoryError: the text cannot be lettered.
    """
    check_text(dialog.text, dialog.kind, language)
    fitted = natural_text(dialog.text, dialog.kind, language, max_width_mm, max_height_mm)
    return fitted.width_mm, fitted.height_mm


def letter_panel(page_number: int, staged: StagedPanel, language: str) -> tuple[Balloon, ...]:
    """Return the panel's balloons in reading order.

    Raises:
        StoryError: a text cannot be lettered, or does not fit even into the whole panel.
        ValueError: a dialog has no box.
    """
    panel = staged.panel
    settings = []
    for number, dialog in enumerate(panel.dialogs, start=1):
        name = f"{panel.id}.b{number}"
        check_text(dialog.text, dialog.kind, language, balloon=name)
        if dialog.box is None:
            raise ValueError(f"{name} is not staged: it has no box")
        box = dialog.box.within(staged.bounds_mm)
        settings.append(
            _set(dialog, box, staged.bounds_mm, language, f"{name} (page {page_number})")
        )
    boxes = [box for box, _ in settings]
    shapes = _shapes(staged, boxes)
    return tuple(
        _balloon(f"{panel.id}.b{number}", dialog, box, fitted, shape)
        for number, (dialog, (box, fitted), shape) in enumerate(
            zip(panel.dialogs, settings, shapes, strict=True), start=1
        )
    )


def _set(dialog: Dialog, box: Box, panel: Box, language: str, name: str) -> tuple[Box, FittedText]:
    """Return the balloon's final box and its text; the box grows only where the text must."""
    text, kind = dialog.text, dialog.kind
    fitted = text_for_balloon(text, kind, language, box.width, box.height)
    if fitted is not None:
        return box, fitted
    width = panel.width - 2 * _PANEL_MARGIN_MM
    height = panel.height - 2 * _PANEL_MARGIN_MM
    for step in range(1, 40):
        grown_width = min(box.width * 1.05**step, width)
        grown_height = min(box.height * 1.05**step, height)
        fitted = text_for_balloon(text, kind, language, grown_width, grown_height)
        if fitted is not None:
            return _kept_within(panel, box.centre, grown_width, grown_height), fitted
    raise StoryError(
        f"balloon {name}: the text does not fit into its panel at {STYLES[kind].smallest_pt:g} pt",
        hint="shorten the text, split it over two balloons, or give the panel more room",
    )


def _kept_within(panel: Box, centre: Point, width: float, height: float) -> Box:
    margin = _PANEL_MARGIN_MM
    left = centre[0] - width / 2
    top = centre[1] - height / 2
    left = max(panel.left + margin, min(left, panel.right - margin - width))
    top = max(panel.top + margin, min(top, panel.bottom - margin - height))
    return Box(left, top, left + width, top + height)


def _shapes(staged: StagedPanel, boxes: Sequence[Box]) -> list[Outline]:
    """Return each balloon's shape; a group of joined balloons has its shape at the first."""
    dialogs = staged.panel.dialogs
    shapes = [Outline()] * len(dialogs)
    for group in _groups(dialogs, boxes):
        first = dialogs[group[0]]
        parts = [body(first.kind, boxes[index]) for index in group]
        parts += [
            neck(boxes[one].centre, boxes[other].centre, _NECK_MM)
            for one, other in itertools.pairwise(group)
        ]
        parts += _tail(staged, group, boxes)
        if first.kind != "sound":
            shapes[group[0]] = united(parts) if len(parts) > 1 else parts[0]
    return shapes


def _groups(dialogs: Sequence[Dialog], boxes: Sequence[Box]) -> list[list[int]]:
    """Return the numbers of dialogs whose balloons are joined: one speaker, close together."""
    groups: list[list[int]] = []
    for index, dialog in enumerate(dialogs):
        before = groups[-1][-1] if groups else -1
        joins = (
            before >= 0
            and dialog.kind == "speech"
            and dialogs[before].kind == "speech"
            and dialog.speaker == dialogs[before].speaker
            and _gap(boxes[before], boxes[index]) < _JOIN_GAP_MM
        )
        if joins:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _gap(one: Box, other: Box) -> float:
    across = max(one.left, other.left) - min(one.right, other.right)
    down = max(one.top, other.top) - min(one.bottom, other.bottom)
    return math.hypot(max(across, 0.0), max(down, 0.0))


def _tail(staged: StagedPanel, group: Sequence[int], boxes: Sequence[Box]) -> list[Outline]:
    dialog = staged.panel.dialogs[group[0]]
    if dialog.kind in {"narration", "sound"}:
        return []
    speaker = _speaker(staged, dialog.speaker)
    others = [box for index, box in enumerate(boxes) if index not in group]
    start = boxes[group[-1]]
    if speaker is None:
        course: Course | None = course_to_edge(start, staged.bounds_mm)
    else:
        mouth = speaker.mouth
        start = min((boxes[index] for index in group), key=lambda box: math.dist(box.centre, mouth))
        course = course_to_speaker(start, speaker, others)
    return tail(dialog.kind, start, course) if course else []


def _speaker(staged: StagedPanel, name: str) -> Speaker | None:
    """Return where a speaker's face is; None when they are outside the picture."""
    for placement in staged.panel.characters:
        if placement.name == name and placement.box is not None:
            return speaker_in(placement.box.within(staged.bounds_mm), staged.panel.shot)
    return None


def _balloon(name: str, dialog: Dialog, box: Box, fitted: FittedText, shape: Outline) -> Balloon:
    font = font_for(dialog.kind)
    glyphs = _glyphs(dialog.kind, fitted)
    is_sound = dialog.kind == "sound"
    outline_mm = SOUND_OUTLINE_MM if is_sound else 0.0
    angle = STYLES[dialog.kind].tilt_deg
    mm_per_unit = pt_to_mm(fitted.size_pt) / font.units_per_em
    ink = _turned(glyphs.scaled(mm_per_unit).bounds, angle)
    return Balloon(
        id=name,
        value=dialog.text,
        speaker=dialog.speaker,
        kind=dialog.kind,
        body_mm=box,
        shape=shape,
        stroke_mm=STROKE_MM,
        dash_mm=_DASH_MM if dialog.kind == "whisper" else (),
        glyphs=glyphs,
        origin_mm=box.centre,
        angle_deg=angle,
        outline_mm=outline_mm,
        font=font.name,
        units_per_em=font.units_per_em,
        size_pt=fitted.size_pt,
        field_mm=_field(dialog.kind, box, ink, fitted, outline_mm),
    )


def _glyphs(kind: DialogKind, fitted: FittedText) -> Outline:
    """Return all lines, each centred, around the middle of the block from cap to baseline."""
    font = font_for(kind)
    units_per_mm = font.units_per_em / pt_to_mm(fitted.size_pt)
    height = block_height_mm(kind, fitted.size_pt, len(fitted.lines)) * units_per_mm
    leading = STYLES[kind].leading * font.units_per_em
    glyphs = Outline()
    for index, line in enumerate(fitted.lines):
        outline = font.outline(line)
        bounds = outline.bounds
        baseline = height / 2 - font.cap_height - index * leading
        glyphs += outline.moved(-round(bounds.centre[0]), round(baseline))
    return glyphs


def _turned(box: Box, angle_deg: float) -> Box:
    """Return the box around an upright box (y up, around 0, 0) turned by an angle, y down."""
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    corners = [(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
    xs = [x * cosine - y * sine for x, y in corners]
    ys = [-(x * sine + y * cosine) for x, y in corners]
    return Box(min(xs), min(ys), max(xs), max(ys))


def _field(kind: DialogKind, box: Box, ink: Box, fitted: FittedText, rim_mm: float) -> Box:
    """Return the form field's rectangle: the text block, a spare line, and room to type.

    Viewers set an edited text from the rectangle's top, so it starts a little above the block.
    """
    x, y = box.centre
    line_mm = pt_to_mm(fitted.size_pt)
    above, below = (0.35, 0.6) if kind != "sound" else (0.2, 0.2)
    width = max(box.width * _FIELD_WIDTH_SHARE, 2 * max(-ink.left, ink.right) + 2 * rim_mm + 0.6)
    return Box(
        x - width / 2,
        y + ink.top - rim_mm - above * line_mm,
        x + width / 2,
        y + ink.bottom + rim_mm + below * line_mm,
    )
