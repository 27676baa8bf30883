"""Finds who acts in a story, and where the text names them."""

from __future__ import annotations

import functools
import re
from collections import Counter

import msgspec

from storyboard.planner.speech import Prose
from storyboard.story import Character

ANIMALS = frozenset(
    "ant ape ass badger bat bear beaver bee beetle bird boar bull butterfly calf camel cat cock "
    "cow crab crane cricket crocodile crow deer dog donkey dove dragon duck duckling eagle "
    "elephant fish fly fox frog gander goat goose grasshopper hare hawk hedgehog hen heron horse "
    "jackal jay kid kitten lamb lark lion lioness lizard mole monkey mouse mule nightingale otter "
    "owl ox parrot peacock pig pigeon pony puppy rabbit ram rat raven rooster serpent sheep snail "
    "snake sow sparrow spider squirrel stag stork swallow swan tiger toad tortoise turkey turtle "
    "wasp weasel whale wolf worm wren".split()
)
PEOPLE = frozenset(
    "aunt baby baker beggar blacksmith boy bride brother butcher captain carpenter child children "
    "cook cousin daughter doctor driver emperor empress fairy farmer father fisherman friend "
    "gardener ghost giant girl goblin grandfather grandmother guard guest hermit hunter huntsman "
    "husband innkeeper judge keeper king knight lady lad lord maid maiden man master mayor men "
    "merchant messenger miller miser mistress mother neighbour neighbor nurse officer peasant "
    "pirate policeman postman priest prince princess queen robber robot sailor servant shepherd "
    "shopkeeper sister smith soldier son stepmother stranger student tailor teacher thief "
    "traveller traveler troll uncle waiter watchman widow wife witch wizard woman women woodcutter "
    "youth".split()
)
SAME = {"chanticleer": "cock", "donkey": "ass", "puss": "cat", "reynard": "fox", "bruin": "bear"}
PLURALS = {"mice": "mouse", "wolves": "wolf", "geese": "goose", "thieves": "thief", "wives": "wife"}
PRONOUNS = frozenset("he she they it i we you".split())
_PRAISE = frozenset(
    "good bad poor greedy little great big dear kind clever wise foolish silly sly cunning cruel "
    "brave honest certain other same proud happy sad angry tired hungry first second third last "
    "next whole same sweet pretty fine faithful".split()
)
_ARTICLE = re.compile(r"(?i)^(?:the|an?|his|her|their|my|one|another)\s+")
_CAPITAL = "[A-ZÀ-Þ][a-zà-ÿ’-]+"
_PLACES = frozenset(  # `Tanner Street` is nobody called Tanner
    "abbey alley avenue bay beach bridge castle church city court farm field fields forest garden "
    "gardens gate hall harbour hill hills hospital hotel house inn island lake lane library market "
    "mill mountain mountains park pass place road river school sea shop square station street "
    "tower town valley village wood woods".split()
)
_NOT_NAMES = frozenset(
    "I The A An He She It They We You His Her Their My Our Your This That These Those There Then "
    "When While After Before But And So Or If As At In On By For From With To Of What Who Why How "
    "Where Yes No Oh Ah Well Now Not Once Soon One Two Three Four All Some Every Each Mr Mrs Ms Dr "
    "Master Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April "
    "May June July August September October November December God Lord "
    "Heaven English French".split()
)


class Candidate(msgspec.Struct, frozen=True):
    """A word or phrase that may name a character. `kind` is empty where the code cannot tell."""

    name: str
    count: int
    speaks: bool
    kind: str = ""


class Mention(msgspec.Struct, frozen=True):
    """A place in the text where a character is named."""

    start: int
    end: int
    name: str


def bare(subject: str) -> str:
    """Return a noun phrase without article and words of praise: `the greedy cat` -> `cat`."""
    words = _ARTICLE.sub("", subject).split()
    while words and words[-1].endswith("ly"):
        words.pop()
    while len(words) > 1 and words[0].lower() in _PRAISE:
        words.pop(0)
    return " ".join(words)


def singular(noun: str) -> str:
    """Return the singular of a noun that the tables know, else the noun in small letters."""
    noun = noun.lower()
    if noun in PLURALS:
        return PLURALS[noun]
    if noun.endswith("s") and noun[:-1] in ANIMALS | PEOPLE:
        return noun[:-1]
    return noun


def kind_of(name: str) -> str:
    """Return `animal` or `person` for nouns that are surely one, else nothing."""
    head = singular(name.split()[-1]) if name.split() else ""
    head = SAME.get(head, head)
    return "animal" if head in ANIMALS else "person" if head in PEOPLE else ""


def find_candidates(prose: Prose) -> list[Candidate]:
    """Return everyone who may belong to the cast, in the order of their first naming."""
    speakers = [bare(line.report.subject) for line in prose.lines if line.report]
    spoken_by = {word for word in speakers if word and word.lower() not in PRONOUNS}
    counts = Counter(_named_nouns(prose)) + Counter(_capitalised(prose))
    names = {_key(word): word for word in sorted(spoken_by)}
    for word, count in counts.items():
        if _key(word) in names or any(_key(word) == _key(n.split()[-1]) for n in names.values()):
            continue
        if count >= (2 if kind_of(word) or word[0].isupper() else 4):
            names[_key(word)] = word
    candidates = [
        Candidate(
            _written(word, counts),
            _count(prose.text, word),
            any(_key(word) == _key(other) for other in spoken_by),
            kind_of(word),
        )
        for word in names.values()
    ]
    return sorted(candidates, key=lambda c: _first(prose.text, c.name))


def _key(word: str) -> str:
    words = word.lower().split()
    head = singular(words[-1])
    return " ".join([*words[:-1], SAME.get(head, head)])


def _written(word: str, counts: Counter[str]) -> str:
    """Return the commoner of the ways in which the text writes a name."""
    ways = [way for way in counts if _key(way) == _key(word)]
    return max([*ways, word], key=lambda way: (counts[way], way == word))


def _count(text: str, word: str) -> int:
    return len(re.findall(rf"(?i)\b{re.escape(word)}s?\b", text))


def _first(text: str, word: str) -> int:
    found = re.search(rf"(?i)\b{re.escape(word)}", text)
    return found.start() if found else len(text)


def _named_nouns(prose: Prose) -> list[str]:
    """Return the nouns with an article before them, once for each time they stand there."""
    nouns, narration = [], prose.narration()
    for match in re.finditer(r"\b(?:[Tt]he|[Aa]n?)\s+((?:[a-z’'-]+\s+){0,2}?[a-z-]+)\b", narration):
        word = match.group(1).split()[0]
        for later in match.group(1).split():
            if kind_of(later):
                word = later
                break
        nouns.append(word)
    for match in re.finditer(r"\b(?:[Tt]he|[Aa]n?)\s+(?:[a-z-]+\s+){1,2}?([a-z-]+)\b", narration):
        if kind_of(match.group(1)):
            nouns.append(match.group(1))
    return [noun for noun in nouns if noun not in _PRAISE and len(noun) > 2]


def _capitalised(prose: Prose) -> list[str]:
    """Return words with a capital that stand inside a sentence, so that it means something."""
    words = []
    for sentence in prose.sentences:
        for match in re.finditer(rf"(?<=[a-z,;] ){_CAPITAL}(?: {_CAPITAL})*", sentence.text):
            together = match.group().split()
            if len(together) == 1 or together[-1].lower() not in _PLACES:
                words += [word for word in together if word not in _NOT_NAMES]
    return words


def to_character(candidate: Candidate, look: str = "") -> Character:
    """Return a candidate as a member of the cast, with the other ways the text names them."""
    name = candidate.name if candidate.name[0].isupper() else candidate.name.title()
    head = candidate.name.split()[-1]
    same = [w for w, meant in SAME.items() if meant == SAME.get(head.lower(), head.lower())]
    known = SAME.get(head.lower())
    one = singular(head)
    others = {*same, *([known] if known else []), *([one] if " " not in candidate.name else [])}
    aliases = others - {candidate.name.lower()}
    return Character(name=name, aliases=tuple(sorted(aliases)), look=look)


def find_mentions(text: str, cast: tuple[Character, ...]) -> list[Mention]:
    """Return where the cast is named in a text, in order; the longest name at a place wins."""
    names = [
        (name, character.name)
        for character in cast
        for name in (character.name, *character.aliases)
        if name.strip()
    ]
    found: list[Mention] = []
    for written, name in sorted(names, key=lambda pair: -len(pair[0])):
        for match in _pattern(written).finditer(text):
            if all(match.end() <= m.start or match.start() >= m.end for m in found):
                found.append(Mention(match.start(), match.end(), name))
    return sorted(found, key=lambda mention: mention.start)


@functools.lru_cache(maxsize=512)
def _pattern(written: str) -> re.Pattern[str]:
    """Return the pattern of a name: exact case for proper names, any case for nouns."""
    edge = r"\b" if written[0].isascii() else ""
    end = r"s?\b" if written[-1].isascii() and written[-1].isalpha() else ""
    irregular = [plural for plural, one in PLURALS.items() if one == written.lower()]
    words = "|".join(re.escape(word) for word in [written, *irregular])
    is_noun = bool(kind_of(written)) or written[0].islower() or " " in written
    return re.compile(rf"{edge}(?:{words}){end}", re.IGNORECASE if is_noun else 0)


def names_in(text: str, cast: tuple[Character, ...]) -> list[str]:
    """Return the names of the cast that a text names, each once, in order."""
    return list(dict.fromkeys(mention.name for mention in find_mentions(text, cast)))


def resolve_name(subject: str, cast: tuple[Character, ...]) -> str:
    """Return the cast's name for a subject such as `the old woman`, or nothing."""
    wanted = bare(subject).lower()
    for character in cast:
        for name in (character.name, *character.aliases):
            if wanted and wanted in (name.lower(), bare(name).lower()):
                return character.name
    mentioned = names_in(subject, cast)
    return mentioned[0] if mentioned else ""
