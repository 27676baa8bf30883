"""The questions the planner asks: small, closed, each with examples that show the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storyboard.planner.acting import EXPRESSIONS
from storyboard.planner.llm import Example, Question

KINDS = ("person", "animal", "place", "thing")
SETTINGS = (
    "in a room", "in a house", "in a street", "in a town", "in a field", "in a forest",
    "on a road", "by the water", "in a garden",
)  # fmt: skip


def _one(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field: schema},
        "required": [field],
        "additionalProperties": False,
    }


def _choice(field: str, choices: Sequence[str]) -> dict[str, Any]:
    return _one(field, {"type": "string", "enum": list(choices)})


def ask_kind(name: str) -> Question:
    """Ask what kind of thing a name is: `{"kind": ...}`, one of `KINDS`."""
    known = {
        "baker": "person", "wolf": "animal", "river": "place", "bread": "thing",
        "sisters": "person", "castle": "place", "Anna": "person", "night": "thing",
    }  # fmt: skip
    return Question(
        "cast",
        "Is it a person, an animal, a place or a thing?",
        tuple(Example(f"Name: {word}", {"kind": kind}) for word, kind in known.items()),
        f"Name: {name}",
        _choice("kind", KINDS),
        16,
    )


def ask_look(name: str, kind: str, words: str) -> Question:
    """Ask for a short look to draw a character by: `{"look": ...}`."""
    examples = (
        Example(
            "Story: The baker was too fat for his own door.\nHow does the baker, a person, look?",
            {"look": "fat man, round face, white apron"},
        ),
        Example(
            "Story: A wolf came out of the wood.\nHow does the wolf, an animal, look?",
            {"look": "big grey wolf, shaggy fur, long teeth"},
        ),
        Example(
            "Story: Anna was the youngest of them.\nHow does Anna, a person, look?",
            {"look": "little girl, long braids, checked dress"},
        ),
    )
    return Question(
        "look",
        "Say in a few words how they look.",
        examples,
        f"Story: {words}\nHow does {name}, {'an' if kind == 'animal' else 'a'} {kind}, look?",
        _one("look", {"type": "string", "minLength": 8, "maxLength": 70}),
        40,
    )


def ask_speaker(before: str, line: str, after: str, choices: Sequence[str]) -> Question:
    """Ask who says a line: `{"speaker": ...}`, one of the choices."""
    examples = (
        Example(
            'Story: Tom sat down beside Anna. "Are you cold?" asked Tom.\n'
            'Words: "A little."\nWho says it: Tom or Anna?',
            {"speaker": "Anna"},
        ),
        Example(
            'Story: The king looked at the cook. "Who made this soup?"\n'
            'Words: "Who made this soup?"\nWho says it: Cook or King?',
            {"speaker": "King"},
        ),
    )
    text = f'Story: {before} "{line}" {after}\nWords: "{line}"\nWho says it: '
    return Question(
        "speaker",
        "Say who speaks.",
        examples,
        text + " or ".join(choices) + "?",
        _choice("speaker", choices),
        24,
    )


def ask_change(before: str, after: str) -> Question:
    """Ask whether a new moment begins with a sentence: `{"new": "yes" | "no"}`."""
    examples = (
        Example("First: Tom sat by the fire.\nThen: He rubbed his feet.", {"new": "no"}),
        Example(
            "First: Tom fell asleep by the fire.\nThen: The next day he came to a river.",
            {"new": "yes"},
        ),
        Example(
            "First: Anna was very hungry.\nThen: Far away, her brother opened the door.",
            {"new": "yes"},
        ),
        Example("First: The dog barked.\nThen: It pulled at the rope.", {"new": "no"}),
    )
    return Question(
        "beats",
        "Does a new scene begin, at another time or place?",
        examples,
        f"First: {before}\nThen: {after}",
        _choice("new", ("yes", "no")),
        16,
    )


def ask_place(words: str) -> Question:
    """Ask where something happens: `{"place": ...}`, one of `SETTINGS`."""
    examples = (
        Example("Story: Tom put more wood in the stove.", {"place": "in a room"}),
        Example("Story: The wolf hid behind a fir and waited.", {"place": "in a forest"}),
        Example("Story: They met a man with a cart.", {"place": "on a road"}),
        Example("Story: Carriages rolled past the shops.", {"place": "in a street"}),
    )
    return Question(
        "place",
        "Where does it happen?",
        examples,
        f"Story: {words}",
        _choice("place", SETTINGS),
        16,
    )


def ask_feeling(line: str, speaker: str) -> Question:
    """Ask how the speaker of a line feels: `{"feeling": ...}`, one of `EXPRESSIONS`."""
    known = {
        "Go away, I never want to see you again!": "angry",
        "Oh, how lovely!": "happy",
        "Is someone there?": "afraid",
        "She is gone, and I am alone.": "sad",
        "Well, sit down and eat your soup.": "calm",
        "What? You can talk?": "surprised",
        "We leave tonight, all of us.": "serious",
        "And what have you got in that bag?": "suspicious",
    }
    return Question(
        "feeling",
        "How does the speaker feel?",
        tuple(
            Example(f'Words: "{words}"', {"feeling": feeling}) for words, feeling in known.items()
        ),
        f'Words: "{line}" ({speaker})',
        _choice("feeling", EXPRESSIONS),
        16,
    )


def ask_picture(words: str, names: Sequence[str]) -> Question:
    """Ask what the picture of some telling shows: `{"picture": ...}`, in the present tense."""
    examples = (
        Example(
            "Story: Old Tom had taken off his boots, and was rubbing his feet by the fire.\n"
            "Who: Tom",
            {"picture": "Tom sits by the fire and rubs his feet"},
        ),
        Example(
            "Story: Then Anna ran across the bridge and called for her brother.\nWho: Anna",
            {"picture": "Anna runs across the bridge, one hand at her mouth"},
        ),
        Example(
            "Story: The crow dropped the cheese, and the fox snapped it up.\nWho: Crow, Fox",
            {"picture": "Fox snaps up the cheese below Crow"},
        ),
    )
    return Question(
        "picture",
        "Say in the present tense what the picture shows.",
        examples,
        f"Story: {words}\nWho: {', '.join(names) or 'nobody'}",
        _one("picture", {"type": "string", "minLength": 10, "maxLength": 100}),
        48,
    )
