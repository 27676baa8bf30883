"""Reads pose, expression, place and time out of the story's words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

EXPRESSIONS = (
    "happy", "laughing", "sad", "angry", "afraid", "surprised", "calm", "serious", "tired",
    "suspicious",
)  # fmt: skip
POSES = (
    "standing", "sitting", "walking", "running", "kneeling", "pointing", "arms crossed",
    "lying down", "reaching out", "waving",
)  # fmt: skip

_EXPRESSION_WORDS: Mapping[str, str] = {
    "laughing": r"laugh\w*|giggl\w+|chuckl\w+|grinn\w+|jolly|jollily|merry",
    "angry": (
        r"angr\w+|furious\w*|rage|scowl\w+|glar\w+|growl\w+|snapped|snarl\w+|hiss\w+|"
        r"cross(?:ly)?\b(?! the)|hold your tongue|rascal|how dare"
    ),
    "afraid": (
        r"afraid|fear\w*|frighten\w*|terrif\w+|trembl\w+|shiver\w*|scared|danger|"
        r"scamper\w+|panic\w*|help!"
    ),
    "sad": (
        r"sad\w*|wept|weep\w*|cried (?!out)\w*|tears?|sobb?\w*|sorrow\w*|alas|rueful|"
        r"sigh\w*|lonely|poor me|ah,? me|gone for ever"
    ),
    "surprised": (
        r"surpris\w+|astonish\w+|amaz\w+|gasp\w*|stared|what is that|what's that|"
        r"good heavens|bravo|heaven forbid"
    ),
    "suspicious": (
        r"suspicio\w+|doubt\w*|odd\b|narrow\w+ (?:his|her|their) eyes|strange|who are you"
    ),
    "tired": r"tired|yawn\w*|sleep\w*|weary|exhaust\w+|asleep|panting",
    "happy": (
        r"happ\w+|smil\w+|glad\w*|pleased|cheer\w*|delight\w*|joy\w*|satisf\w+|"
        r"with all my heart|thank you|thanks|hurrah|wonderful|lovely"
    ),
    "serious": r"serious\w*|grave\w*|stern\w*|firm\w*|resolv\w+|determin\w+|must|never",
}  # fmt: skip
_POSE_WORDS: Mapping[str, str] = {
    "lying down": (
        r"l(?:ay|ies|ie|ying)\b|laid (?:him|her|them)sel\w+|stretched|asleep|rolled|"
        r"curled|fell ill|in bed"
    ),
    "kneeling": r"kn?e?lt|kneel\w*|crouch\w*|squat\w*|bent down",
    "sitting": r"sat|sit|sits|sitting|seated|perched",
    "running": (
        r"ran|runs?|running|fled|rushed|dashed|scamper\w+|chas\w+|sprang|jump\w*|leapt|"
        r"hurr\w+"
    ),
    "walking": (
        r"walk\w*|went|march\w*|travell?\w+|came|stepped|wander\w+|journey|crept|jogged|"
        r"strolled|climb\w*|cross(?:ed|ing)"
    ),
    "pointing": r"point(?:ed|ing|s)",
    "arms crossed": r"(?:folded|crossed) (?:his|her|their) arms",
    "reaching out": (
        r"reach(?:ed|es|ing)? (?:out|for|up)|held|holds?|took|takes|gave|grabb\w+|seized|"
        r"hand(?:ed|s) (?:over|out|him|her|it)|offered|carr\w+|pull\w*|push\w*|lick\w*|"
        r"open(?:ed|s)|knock\w*"
    ),
    "waving": r"wav(?:ed|es|ing)|greet\w*|goodbye|farewell",
    "standing": r"st(?:ood|and|ands|anding)|wait\w*|upright|look(?:ed|s)|watch\w*",
}  # fmt: skip
_PLACE_NOUNS = (
    "altar attic bakery balcony barn beach bed bedroom bench boat bridge cabin castle cave cellar "
    "church city classroom cliff coast corner corridor cottage court courtyard desert door farm "
    "farmyard field fire forest garden gate hall harbour harbor hearth hill house hut inn island "
    "kitchen lake library lighthouse market meadow mill mountain office palace park path pier "
    "platform pond porch prison river road roadside roof roofs room school sea ship shop shore "
    "stable stairs station stream street table temple tower town train tree trees tunnel valley "
    "village wall walls well window wood woods workshop yard"
).split()
_PLACE = re.compile(
    r"\b(?P<where>in|into|inside|at|on|onto|under|near|by|beside|through|along|outside|behind|"
    r"upon|to|towards?|before)\s+(?P<noun>(?:the|an?|his|her|their|its)\s+(?:[a-z-]+\s+){0,2}?(?:"
    + "|".join(_PLACE_NOUNS)
    + r")\b(?:\s+of\s+the\s+[a-z]+)?)",
    re.IGNORECASE,
)
_HOME = re.compile(r"\b(?:went|came|come|go|goes|return|returned|at|back|got|ran) home\b")
_STAYS = {"into": "in", "to": "at", "toward": "near", "towards": "near", "onto": "on", "upon": "on"}
_TIMES: Mapping[str, str] = {
    "at night": r"night|midnight|dark|moon\w*|stars|evening",
    "in the morning": r"morning|dawn|sunrise",
    "in the rain": r"in the (?:rain|storm)|raining|rain (?:fell|poured|came)|storm",
    "in the snow": r"snow\w*",
}
_CHANGES = re.compile(
    r"^(?:(?:but|and|so)\s+)?(?:soon|after(?:wards)?|later|then one|the next|"
    r"(?:one|next|that) (?:day|night|morning|evening)|at (?:last|night|midnight|dawn|noon)|"
    r"when|meanwhile|before long|in the (?:morning|evening)|about|not long|as soon|from this|"
    r"suddenly|they set out|by (?:morning|evening|night)|once|the coast)\b",
    re.IGNORECASE,
)


def expression_in(words: str) -> str:
    """Return the expression that the words name or betray, or nothing."""
    return _first(_EXPRESSION_WORDS, words)


def pose_in(words: str) -> str:
    """Return the pose that the words tell, or nothing."""
    return _first(_POSE_WORDS, words)


def place_in(words: str) -> str:
    """Return the last place that the words lead to, such as `in the kitchen`, or nothing."""
    found = list(_PLACE.finditer(words))
    home = list(_HOME.finditer(words))
    if home and (not found or home[-1].start() > found[-1].start()):
        return "at home"
    if not found:
        return ""
    where, noun = found[-1]["where"].lower(), found[-1]["noun"]
    return f"{_STAYS.get(where, where)} {noun[0].lower()}{noun[1:]}"


def time_in(words: str) -> str:
    """Return the time of day or weather that the words tell, or nothing."""
    return _first(_TIMES, words)


def opens_a_change(sentence: str) -> bool:
    """Say whether a sentence begins with words of a new time, place or turn."""
    return bool(_CHANGES.match(sentence))


def _first(table: Mapping[str, str], words: str) -> str:
    hits = [
        (match.start(), name)
        for name, pattern in table.items()
        if (match := re.search(rf"\b(?:{pattern})", words, re.IGNORECASE))
    ]
    return min(hits)[1] if hits else ""


def vary_shots(shots: Sequence[str]) -> list[str]:
    """Return the shots with no three alike in a row: the middle one steps closer or back."""
    other = {"medium": "close-up", "close-up": "medium", "wide": "full", "full": "medium"}
    varied = list(shots)
    for i in range(2, len(varied)):
        if varied[i - 2] == varied[i - 1] == varied[i]:
            varied[i] = other.get(varied[i], varied[i])
    return varied
