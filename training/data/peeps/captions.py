"""Says in plain words what a synthetic panel shows: shot, people, pose, expression, place."""

from __future__ import annotations

import random
from collections.abc import Sequence

from training.data.peeps.figures import EXPRESSIONS, Figure
from training.data.peeps.settings import SETTINGS

SHOTS = {
    "wide": ("wide shot", "long shot", "far away"),
    "full": ("full shot", "full figure", "full body shot"),
    "medium": ("medium shot", "waist up", "medium view"),
    "close-up": ("close-up", "close up of the face", "face close-up"),
}

SYNONYMS = {
    "smiling": ("smiling", "happy", "with a smile", "pleased", "glad"),
    "laughing": ("laughing", "laughing out loud", "very happy"),
    "cheerful": ("cheerful", "merry", "happy"),
    "grinning": ("grinning", "with a broad grin"),
    "angry": ("angry", "cross", "annoyed"),
    "furious": ("furious", "very angry"),
    "shouting": ("shouting", "yelling", "in a rage"),
    "sad": ("sad", "unhappy", "sorrowful"),
    "worried": ("worried", "concerned", "anxious"),
    "afraid": ("afraid", "scared", "frightened"),
    "amazed": ("amazed", "surprised", "astonished"),
    "calm": ("calm", "peaceful", "relaxed"),
    "serious": ("serious", "stern"),
    "determined": ("determined", "resolute"),
    "suspicious": ("suspicious", "doubtful", "wary"),
    "scornful": ("scornful", "with contempt"),
    "tired": ("tired", "weary"),
    "nervous": ("nervous", "hectic"),
    "cheeky": ("cheeky", "mischievous"),
    "in love": ("in love", "enchanted"),
    "eyes closed": ("eyes closed", "with closed eyes"),
    "talking": ("talking", "explaining", "speaking"),
    "blank": ("blank", "without expression"),
}

HAIR_WORDS = {
    "Afro": "an afro", "Bald": "a bald head", "BaldSides": "a bald head", "BaldTop": "a bald head",
    "Bangs": "short hair with bangs", "BangsFilled": "short black hair with bangs",
    "BantuKnots": "bantu knots", "Beanie": "a beanie", "Bun": "a hair bun",
    "BunCurly": "a curly bun", "BunFancy": "a fancy bun", "Buns": "two buns",
    "CornRows": "braids", "CornRowsFilled": "black braids", "FlatTop": "a flat top",
    "FlatTopLong": "a long flat top", "GrayBun": "a gray bun", "GrayMedium": "gray hair",
    "GrayShort": "short gray hair", "HatHip": "a hat", "Hijab": "a hijab", "Long": "long hair",
    "LongAfro": "a long afro", "LongBangs": "long hair with bangs", "LongCurly": "long curly hair",
    "Mohawk": "a mohawk", "MohawkDino": "a spiky mohawk", "Pomp": "a quiff", "Turban": "a turban",
    "Twists": "twists", "TwistsVolumed": "full twists", "ShortCurly": "short curly hair",
    "ShavedSides": "shaved sides", "ShavedRight": "a shaved side", "ShavedWavy": "wavy hair",
}  # fmt: skip

NAMES = (
    "Mika Ren Noor Jonas Ada Tom Lena Yuki Omar Ines Paul Rosa Kenji Amira Felix Nora Hana Leo Maya"
    " Igor Sara Bruno Elif Otto Mina Zoe Karim Vera Hugo Aiko Samir Dora Emil Naomi Viktor Lucia"
).split()


def _hair(name: str) -> str:
    return HAIR_WORDS.get(
        name, "long hair" if "Long" in name else "medium hair" if "Medium" in name else "short hair"
    )


def look(figure: Figure) -> str:
    """Return what marks the person: hair, glasses, beard."""
    identity = figure.identity
    words = [_hair(identity.hair)]
    if identity.accessory:
        is_patch = identity.accessory == "Eyepatch"
        words.append(
            "an eyepatch"
            if is_patch
            else "sunglasses"
            if identity.accessory.startswith("Sun")
            else "glasses"
        )
    if identity.beard:
        thin = identity.beard in {
            "MoustacheThin",
            "Dali",
            "Handlebars",
            "Painters",
            "PaintersFilled",
            "Imperial",
        }
        words.append("a moustache" if thin else "a beard")
    return " and ".join(words)


def _side(index: int, count: int) -> str:
    if count == 1:
        return ""
    if count == 2:
        return ("on the left", "on the right")[index]
    return ("on the left", "in the middle", "on the right")[index]


def _person(figure: Figure, index: int, count: int, rng: random.Random) -> str:
    name = rng.choice(
        (rng.choice(NAMES), "a person", "a man" if figure.identity.beard else "a woman")
    )
    if rng.random() < 0.45:
        name += f" with {look(figure)}"
    words = [name]
    side = _side(index, count)
    if side and rng.random() < 0.75:
        words[0] += f" {side}"
    acting = [figure.pose] if figure.pose and rng.random() < 0.9 else []
    acting.append(rng.choice(SYNONYMS[EXPRESSIONS[figure.face]]))
    if rng.random() < 0.3:
        acting.reverse()
    return ", ".join([*words, *acting])


def caption(shot: str, figures: Sequence[Figure], setting: str, rng: random.Random) -> str:
    """Return a caption for a panel with these figures, given from left to right."""
    place = rng.choice(SETTINGS[setting][2])
    people = [_person(figure, index, len(figures), rng) for index, figure in enumerate(figures)]
    count = ("no people", "one person", "two people", "three people")[len(figures)]
    opening = rng.choice(SHOTS[shot]) if rng.random() < 0.9 else ""
    if not people or rng.random() < 0.4:
        opening = f"{opening}, {count}" if opening else count
    parts = [part for part in (opening, "; ".join(people), place) if part]
    if rng.random() < 0.25 and place:
        parts = [place, *parts[:-1]]
    return ", ".join(parts)
