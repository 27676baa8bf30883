"""A mannequin in a box: construction head, expression, body and pose, and the name it stands for.

Everything is built in head units: a standing figure is `_HEADS_TALL` heads high, so that the head
lies where `face_zone` says it does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from storyboard.artist import ArtCharacter
from storyboard.geometry import Box, Point
from storyboard.layout.faces import face_zone
from storyboard.lettering.fonts import shipped_font
from storyboard.mannequin_words import Expression, Pose, expression_of, pose_of
from storyboard.plan import Shot

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

_INK = 40
_GUIDE = 185
_SKIN = 250
_CLOTH = 226
_FONTS = ("MPLUSRounded1c-Bold", "NotoSansSC-Bold")  # for names beyond ASCII


class Pen:
    """Draws with round strokes of one width on a picture."""

    def __init__(self, draw: ImageDraw, width: float) -> None:
        """Draw on `draw`, with strokes of `width` pixels."""
        self.draw = draw
        self.width = width

    def line(self, points: Sequence[Point], *, grey: int = _INK, scale: float = 1.0) -> None:
        """Draw a bent line with round ends."""
        width = max(1, round(self.width * scale))
        self.draw.line(list(points), fill=grey, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            r = width / 2
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=grey)

    def ellipse(self, box: Box, *, fill: int | None = None, outline: int | None = _INK) -> None:
        """Draw an ellipse; one without height or width is left out."""
        if box.width >= 1 and box.height >= 1:
            edges = (box.left, box.top, box.right, box.bottom)
            self.draw.ellipse(edges, fill=fill, outline=outline, width=round(self.width))

    def shape(self, points: Sequence[Point], *, fill: int = _CLOTH) -> None:
        """Draw a filled outline."""
        self.draw.polygon(list(points), fill=fill)
        self.line([*points, points[0]])

    def limb(self, points: Sequence[Point], thickness: float) -> None:
        """Draw an arm or leg: a filled tube with an outline."""
        self._tube(points, thickness + 2 * self.width, _INK)
        self._tube(points, thickness, _SKIN)

    def _tube(self, points: Sequence[Point], thickness: float, grey: int) -> None:
        self.draw.line(list(points), fill=grey, width=max(1, round(thickness)), joint="curve")
        r = thickness / 2
        for x, y in points:
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill=grey)


class _Body(msgspec.Struct, frozen=True):
    """Where a body's joints are. `unit` is the head's height, all in pixels."""

    x: float
    chin: float
    hip: float
    foot: float
    unit: float
    shoulder: float
    towards: float

    @property
    def collar(self) -> float:
        """Height of the shoulders."""
        return self.chin + 0.28 * self.unit


def draw_mannequin(
    pen: Pen, character: ArtCharacter, box: Box, shot: Shot, *, towards: float
) -> None:
    """Draw a character's mannequin so that it fills its box, framed as the shot frames it.

    Args:
        pen: what to draw with.
        character: whose look, acting and name are shown.
        box: where, in pixels.
        shot: which part of the body the box holds.
        towards: where they look, -1 left to 1 right.
    """
    if shot == "detail":
        _draw_hand(pen, box)
        _write_name(pen, character.name, box.centre[0], box.bottom - 0.12 * box.height, box)
        return
    zone = face_zone(box, shot)
    unit = min(zone.height * 0.98, zone.width / 0.78)
    head = _head_box(zone, unit, pose_of(character.acting))
    body = _body_of(box, head, shot, unit, towards)
    pose = pose_of(character.acting)
    _draw_hair_behind(pen, head, character.look.lower())
    _draw_body(pen, body, pose, shot)
    _draw_head(pen, head, character, towards)
    _write_name(pen, character.name, body.x, body.collar + 0.62 * unit, box)


def _head_box(zone: Box, unit: float, pose: Pose) -> Box:
    lean = {"bowing": 0.25}.get(pose, 0.0) * unit
    middle, half = zone.centre[0] + lean, unit * 0.37
    return Box(middle - half, zone.top + lean * 0.4, middle + half, zone.top + unit + lean * 0.4)


def _body_of(box: Box, head: Box, shot: Shot, unit: float, towards: float) -> _Body:
    """Return the joints; a body that the frame cuts goes on below its box."""
    shoulder = min(0.5 * box.width, {"medium": 0.86, "close-up": 0.8}.get(shot, 0.72) * unit)
    if shot in ("wide", "full"):
        hip = box.top + 0.53 * box.height
        return _Body(box.centre[0], head.bottom, hip, box.bottom, unit, shoulder, towards)
    hip = head.bottom + 2.0 * unit
    return _Body(box.centre[0], head.bottom, hip, hip + 3 * unit, unit, shoulder, towards)


def _draw_body(pen: Pen, body: _Body, pose: Pose, shot: Shot) -> None:
    unit, x = body.unit, body.x
    if shot in ("wide", "full"):
        _draw_legs(pen, body, pose)
    pen.limb([(x, body.chin - 0.15 * unit), (x, body.collar)], 0.26 * unit)
    waist = 0.62 * body.shoulder
    hip = min(body.hip, body.foot)
    pen.shape(
        [
            (x - 0.3 * body.shoulder, body.collar - 0.12 * unit),
            (x + 0.3 * body.shoulder, body.collar - 0.12 * unit),
            (x + body.shoulder, body.collar + 0.1 * unit),
            (x + waist, (body.collar + hip) / 2),
            (x + 0.72 * body.shoulder, hip),
            (x - 0.72 * body.shoulder, hip),
            (x - waist, (body.collar + hip) / 2),
            (x - body.shoulder, body.collar + 0.1 * unit),
        ]
    )
    for side in (-1.0, 1.0):
        _draw_arm(pen, body, pose, side)


def _draw_arm(pen: Pen, body: _Body, pose: Pose, side: float) -> None:
    """Draw one arm: shoulder, elbow and hand, as the pose holds them."""
    unit = body.unit
    shoulder = (body.x + side * body.shoulder * 0.92, body.collar + 0.2 * unit)
    ahead = math.copysign(1.0, body.towards or 1.0)
    reach = {
        "crossed": ((0.12, 0.85), (-0.75, 0.8)),
        "raised": ((0.5, -0.25), (0.35, -1.05)),
        "hips": ((0.55, 0.6), (0.0, 1.15)),
        "thinking": ((0.1, 0.95), (-0.55, -0.05)) if side == ahead else ((0.1, 0.9), (-0.8, 0.9)),
    }.get(pose)
    if pose == "pointing" and side == ahead:
        reach = ((0.5, 0.25), (1.15, -0.05))
    if pose == "waving" and side == ahead:
        reach = ((0.5, 0.1), (0.55, -0.9))
    if pose == "reaching":
        reach = ((0.35 * side * ahead, 0.5), (0.95 * side * ahead, 0.35))
    if reach is None:
        reach = ((0.16, 0.8), (0.1, 1.55))
    points = [shoulder]
    points += [(shoulder[0] + side * dx * unit, shoulder[1] + dy * unit) for dx, dy in reach]
    pen.limb(points, 0.24 * unit)
    hand, size = points[-1], 0.17 * unit
    pen.ellipse(Box(hand[0] - size, hand[1] - size, hand[0] + size, hand[1] + size), fill=_SKIN)


def _draw_legs(pen: Pen, body: _Body, pose: Pose) -> None:
    leg, unit = body.foot - body.hip, body.unit
    ahead = math.copysign(1.0, body.towards or 1.0)
    for side in (-1.0, 1.0):
        hip = (body.x + side * 0.38 * body.shoulder, body.hip)
        knee, foot = (hip[0] + side * 0.06 * unit, body.hip + leg * 0.5), (hip[0], body.foot)
        if pose == "walking":
            knee = (hip[0] + (0.3 + 0.25 * side) * ahead * unit, knee[1])
            foot = (hip[0] + side * 0.75 * ahead * unit, body.foot - (side < 0) * 0.12 * leg)
        elif pose in ("sitting", "kneeling"):
            knee = (hip[0] + 0.85 * ahead * unit, body.hip + leg * 0.12)
            foot = (knee[0], body.foot)
            if pose == "kneeling" and side * ahead < 0:
                knee = (hip[0] + 0.2 * ahead * unit, body.foot - 0.08 * leg)
                foot = (hip[0] - 0.9 * ahead * unit, body.foot - 0.05 * leg)
        pen.limb([hip, knee, (foot[0], foot[1] - 0.1 * unit)], 0.3 * unit)
        pen.limb(
            [
                (foot[0], foot[1] - 0.1 * unit),
                (foot[0] + 0.22 * ahead * unit, foot[1] - 0.08 * unit),
            ],
            0.17 * unit,
        )
    if pose == "sitting":
        seat = body.hip + 0.2 * unit
        pen.line([(body.x - 0.9 * unit, seat), (body.x + 1.1 * unit, seat)])


def _draw_head(pen: Pen, head: Box, character: ArtCharacter, towards: float) -> None:
    """Draw an egg with its construction cross, hair, hat, beard, glasses and the face."""
    look = character.look.lower()
    pen.ellipse(head, fill=_SKIN)
    turn = towards * 0.14 * head.width
    middle, eyes = head.centre[0] + turn, head.top + 0.52 * head.height
    pen.line([(middle, head.top + 4), (middle, head.bottom - 4)], grey=_GUIDE, scale=0.5)
    pen.line([(head.left + 4, eyes), (head.right - 4, eyes)], grey=_GUIDE, scale=0.5)
    if not any(word in look for word in ("bald", "shaved")):
        _draw_hair(pen, head, dark="black" in look or "dark" in look)
    if any(word in look for word in (" hat", "cap", "helmet", "hood")) or look.startswith("hat"):
        _draw_hat(pen, head)
    if "beard" in look:
        edges = (head.left, head.top, head.right, head.bottom)
        pen.draw.chord(edges, 24, 156, fill=170, outline=_INK, width=round(pen.width))
    _draw_face(pen, head, middle, eyes, expression_of(character.acting))
    if "glasses" in look or "spectacles" in look:
        for side in (-1, 1):
            _ring(pen, (middle + side * 0.21 * head.width, eyes), 0.15 * head.width)


def _ring(pen: Pen, centre: Point, radius: float) -> None:
    x, y = centre
    pen.ellipse(Box(x - radius, y - radius, x + radius, y + radius))


def _draw_hair_behind(pen: Pen, head: Box, look: str) -> None:
    if "long" in look:
        aside, below = 0.12 * head.width, 0.4 * head.height
        top = head.top - 0.03 * head.height
        pen.ellipse(
            Box(head.left - aside, top, head.right + aside, head.bottom + below),
            fill=90 if "black" in look or "dark" in look else 195,
        )


def _draw_hair(pen: Pen, head: Box, *, dark: bool) -> None:
    edges = (head.left, head.top, head.right, head.bottom)
    grey = 90 if dark else 195
    pen.draw.chord(edges, 205, 335, fill=grey, outline=_INK, width=round(pen.width))


def _draw_hat(pen: Pen, head: Box) -> None:
    brim = head.top + 0.24 * head.height
    crown = (head.left + 0.05 * head.width, head.top)
    right = head.right - 0.05 * head.width
    pen.draw.rectangle((*crown, right, brim), fill=150, outline=_INK, width=round(pen.width))
    pen.line([(head.left - 0.2 * head.width, brim), (head.right + 0.2 * head.width, brim)], scale=2)


def _draw_face(pen: Pen, head: Box, x: float, y: float, expression: Expression) -> None:
    """Draw brows, eyes and mouth."""
    width, height = head.width, head.height
    for side in (-1, 1):
        eye_x = x + side * 0.21 * width
        tilt = expression.brow_tilt * 0.08 * height * side
        brow = y - (0.13 + expression.brow_lift * 0.07) * height
        half = 0.11 * width
        pen.line([(eye_x - half, brow - tilt), (eye_x + half, brow + tilt)], scale=1.2)
        _draw_eye(pen, (eye_x, y), 0.085 * width, expression)
    mouth, half = y + 0.28 * height, expression.mouth_width * 0.17 * width
    if expression.mouth_open:
        tall = expression.mouth_open * 0.12 * height
        pen.ellipse(Box(x - half, mouth - tall, x + half, mouth + tall), fill=120)
        return
    bend = expression.smile * 0.09 * height
    steps = [n / 6 for n in range(-6, 7)]
    pen.line([(x + half * t, mouth + bend * (0.5 - t * t)) for t in steps], scale=1.2)


def _draw_eye(pen: Pen, centre: Point, radius: float, expression: Expression) -> None:
    x, y = centre
    if expression.eyes_open <= 0:
        bend = -radius * (0.8 if expression.smile > 0 else -0.8)
        pen.line([(x - radius, y), (x, y + bend), (x + radius, y)])
        return
    tall = radius * 1.25 * expression.eyes_open
    if expression.eyes_open > 1.2:
        pen.ellipse(Box(x - radius * 1.2, y - tall, x + radius * 1.2, y + tall), fill=255)
        radius, tall = radius * 0.4, radius * 0.4
    pen.ellipse(Box(x - radius * 0.8, y - tall, x + radius * 0.8, y + tall), fill=_INK)


def _draw_hand(pen: Pen, box: Box) -> None:
    """Draw a hand that comes up from the foot of the box."""
    width, height = box.width, box.height
    x, palm = box.centre[0], box.top + 0.55 * height
    pen.limb([(x, box.bottom + 0.2 * height), (x, palm + 0.1 * height)], 0.3 * width)
    for number in range(4):
        spread = (number - 1.5) * 0.1 * width
        tip = (x + 1.5 * spread, box.top + (0.06 + 0.05 * abs(number - 1.5)) * height)
        pen.limb([(x + spread, palm), tip], 0.075 * width)
    pen.limb(
        [(x - 0.16 * width, palm + 0.1 * height), (x - 0.36 * width, palm - 0.12 * height)],
        0.085 * width,
    )
    pen.ellipse(
        Box(x - 0.23 * width, palm - 0.14 * height, x + 0.23 * width, palm + 0.24 * height),
        fill=_SKIN,
    )


def _font_with(name: str, size: float) -> FreeTypeFont | ImageFont:
    """Return a font that has the characters of a name."""
    from PIL import ImageFont as PillowFonts

    for font in map(shipped_font, () if name.isascii() else _FONTS):
        if all(character in font.characters for character in name):
            return PillowFonts.truetype(str(font.path), size)
    return PillowFonts.load_default(size)


def _write_name(pen: Pen, name: str, x: float, y: float, box: Box) -> None:
    """Write a name on the chest, as wide as the box allows."""
    size = max(8.0, min(box.width * 1.5 / max(len(name), 4), 14 * pen.width))
    font = _font_with(name, size)
    pen.draw.text(
        (x, y),
        name,
        fill=_INK,
        anchor="mm",
        font=font,
        stroke_width=round(size / 8),
        stroke_fill=255,
    )
