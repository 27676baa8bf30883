"""What a character's acting, told in words, asks of a mannequin: expression and pose."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal, TypeVar

import msgspec

Found = TypeVar("Found")
Pose = Literal[
    "standing",
    "walking",
    "sitting",
    "kneeling",
    "pointing",
    "waving",
    "raised",
    "crossed",
    "hips",
    "thinking",
    "reaching",
    "bowing",
]


class Expression(msgspec.Struct, frozen=True):
    """A face. 0 is calm.

    Attributes:
        brow_tilt: 1 inner ends down (angry), -1 inner ends up (sad).
        brow_lift: 1 raised.
        eyes_open: 1 open, 0 closed, above 1.2 staring.
        smile: 1 corners up, -1 corners down.
        mouth_open: 1 wide open.
        mouth_width: 1 as usual.
    """

    brow_tilt: float = 0.0
    brow_lift: float = 0.0
    eyes_open: float = 1.0
    smile: float = 0.15
    mouth_open: float = 0.0
    mouth_width: float = 1.0


_CALM = Expression()
_EXPRESSIONS: Mapping[str, Expression] = {
    "laugh|grin|cheer|delight|overjoyed|excited": Expression(
        brow_lift=0.6, eyes_open=0, smile=1, mouth_open=0.8, mouth_width=1.1
    ),
    "angry|anger|furious|glar|rage|annoyed|frown|scowl|mad": Expression(brow_tilt=1, smile=-0.9),
    "shout|scream|yell": Expression(brow_tilt=0.7, eyes_open=1.3, mouth_open=1.2, mouth_width=0.9),
    "cry|weep|sob|tear|grief": Expression(brow_tilt=-1, eyes_open=0, smile=-1),
    "surpris|shock|astonish|amaz|startl|gasp|stare|wide-eyed": Expression(
        brow_lift=1, eyes_open=1.5, mouth_open=0.9, mouth_width=0.5
    ),
    "afraid|fear|scared|terrif|fright|panic": Expression(
        brow_tilt=-0.9, brow_lift=0.7, eyes_open=1.5, smile=-0.8, mouth_width=0.9
    ),
    "sad|sorrow|lonely|disappoint|gloom|asham|regret": Expression(brow_tilt=-0.9, smile=-0.8),
    "worr|anxious|nervous|unsure|doubt|concern|uneasy": Expression(brow_tilt=-0.7, smile=-0.4),
    "smil|happy|glad|joy|cheerful|pleased|proud|relie|friendly|warm|kind": Expression(
        brow_lift=0.4, smile=1
    ),
    "sleep|asleep|closed eyes|eyes closed|tired|calm eyes|dozing": Expression(eyes_open=0),
    "talk|speak|say|call|ask|explain|sing": Expression(mouth_open=0.5, mouth_width=0.6),
    "serious|determin|stern|focus|concentrat|resolute": Expression(brow_tilt=0.6, smile=-0.2),
    "think|wonder|curious|ponder|puzzl|confus": Expression(brow_lift=0.8, mouth_width=0.5),
}
_POSES: Mapping[str, Pose] = {
    "arms crossed|crossed arms|crosses|folds? (his|her|their) arms|arms folded": "crossed",
    "kneel|crouch|squat": "kneeling",
    "sit|sat|seated|perched": "sitting",
    "walk|run|stride|hurr|chas|march|step|stroll|rush|flee": "walking",
    "point": "pointing",
    "wav|greet": "waving",
    "arms raised|raises (his|her|their) (arms|hands)|arms up|hands up|cheer|jump": "raised",
    "hands? on (his|her|their|the )?hips?": "hips",
    "chin|ponder|think": "thinking",
    "reach|offer|hand(s|ing) (over|out)|hold|carry|carries|give|giving|grab|pull|push": "reaching",
    "bow|bend|lean|stoop": "bowing",
}


def expression_of(acting: str) -> Expression:
    """Return the face that the first known word of an acting asks for; calm without one."""
    return _first(_EXPRESSIONS, acting, _CALM)


def pose_of(acting: str) -> Pose:
    """Return the pose that the first known words of an acting ask for; standing without any."""
    standing: Pose = "standing"
    return _first(_POSES, acting, standing)


def acting_in(caption: str, name: str, others: Collection[str]) -> str:
    """Return what a caption says of someone: from their name to the next name or semicolon."""
    _, found, after = caption.partition(name)
    if not found:
        return ""
    ends = [after.index(end) for end in (";", *others) if end and end in after]
    return after[: min(ends, default=len(after))]


def _first(table: Mapping[str, Found], acting: str, default: Found) -> Found:
    """Return the entry whose words come first in the text; of two at once the table's first."""
    hits = []
    for number, (words, entry) in enumerate(table.items()):
        if hit := re.search(rf"\b({words})", acting.lower()):
            hits.append((hit.start(), number, entry))
    return min(hits, key=lambda hit: hit[:2])[2] if hits else default
