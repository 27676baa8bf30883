"""How each kind of dialog is set: sizes, margins, and the proportions that look right."""

from __future__ import annotations

import math

import msgspec

from storyboard.plan import DialogKind

ROUND_EXPONENT = 2.15  # a little squarer than an ellipse, which is 2
UPRIGHT_EXPONENT = 2.35  # columns of about one length want a squarer one
SPEECH_PT = 8.5
LARGEST_PT = 11.0


class BalloonStyle(msgspec.Struct, frozen=True):
    """How one kind of dialog is set.

    `inner_share` is how much of the body's half axes the innermost edge of its outline leaves;
    `margin_mm` the white between that edge and the text; `aspects` the range of width / height
    that looks right around level lines, `upright_aspects` around vertical ones; `leading` is for
    capitals two thirds of an em high; `exponent` that of the superellipse that the body is, and
    `upright_exponent` that around vertical lines, where it is another.
    """

    size_pt: float
    largest_pt: float
    leading: float
    margin_mm: float
    edge_mm: float = 0.0
    inner_share: float = 1.0
    exponent: float = ROUND_EXPONENT
    upright_exponent: float | None = None
    aspects: tuple[float, float] = (1.35, 2.0)
    upright_aspects: tuple[float, float] = (0.5, 0.9)

    def exponent_around(self, *, is_vertical: bool) -> float:
        """Return the exponent of the body around level or vertical lines."""
        return (self.upright_exponent if is_vertical else None) or self.exponent

    @property
    def is_round(self) -> bool:
        """Whether the text follows a curve instead of filling a rectangle."""
        return math.isfinite(self.exponent)


_SPEECH = BalloonStyle(size_pt=SPEECH_PT, largest_pt=LARGEST_PT, leading=1.06, margin_mm=2.0)
_ROUND = msgspec.structs.replace(_SPEECH, upright_exponent=UPRIGHT_EXPONENT)
STYLES: dict[DialogKind, BalloonStyle] = {
    "speech": _ROUND,
    "whisper": msgspec.structs.replace(_ROUND, size_pt=8.0),
    "thought": msgspec.structs.replace(_SPEECH, edge_mm=1.3, margin_mm=1.7),
    "shout": msgspec.structs.replace(_SPEECH, size_pt=9.5, inner_share=0.8, margin_mm=1.3),
    "radio": msgspec.structs.replace(_SPEECH, inner_share=0.92, exponent=3.4, margin_mm=1.9),
    "narration": msgspec.structs.replace(
        _SPEECH,
        exponent=math.inf,
        margin_mm=1.9,
        aspects=(1.8, 8.0),
        upright_aspects=(0.12, 0.55),
    ),
}

SOUND_PT, LARGEST_SOUND_PT, SMALLEST_SOUND_PT = 26.0, 150.0, 11.0
SOUND_TILT_DEG = 5.0
