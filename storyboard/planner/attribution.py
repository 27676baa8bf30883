"""Gives each line its speaker by rule, as far as the text says it."""

from __future__ import annotations

import re
from collections import Counter

import msgspec

from storyboard.planner.cast import PRONOUNS, find_mentions, names_in, resolve_name
from storyboard.planner.speech import Line, Prose
from storyboard.story import Character

NARRATOR = "Narrator"  # the name of an "I" who tells the story and speaks in it
_OBJECT = re.compile(
    r"\b(?:to|of|at|for|with|from|upon|on|by|against|behind|beside)\s+(?:\w+\s+){0,2}$"
)
_GENDER = {"he": "m", "his": "m", "himself": "m", "she": "f", "herself": "f", "hers": "f"}
_OWN = frozenset(("his", "himself", "hers", "herself"))


class Attribution(msgspec.Struct, frozen=True):
    """Who says a line; `speaker` is empty and `choices` are likely first where no rule is sure."""

    speaker: str
    rule: str
    choices: tuple[str, ...] = ()


def attribute(prose: Prose, cast: tuple[Character, ...]) -> list[Attribution]:
    """Return for each line its speaker, or the choices where the text leaves it open."""
    narration = prose.narration()
    genders = _genders(prose, narration, cast)
    said = [_reported(prose, narration, line, cast, genders) for line in prose.lines]
    for number, line in enumerate(prose.lines):
        if said[number] is None:
            said[number] = _by_turn(prose, said, number)
        if said[number] is None and line.report is None:
            said[number] = _by_action(prose, narration, line, cast)
    return [
        done or Attribution("", "open", _choices(prose, said, number, cast))
        for number, done in enumerate(said)
    ]


def _reported(
    prose: Prose,
    narration: str,
    line: Line,
    cast: tuple[Character, ...],
    genders: dict[str, str],
) -> Attribution | None:
    report = line.report
    if report is None:
        return None
    if report.subject == "I":
        name = resolve_name(NARRATOR, cast)
        return Attribution(name, "first person") if name else None
    if report.subject and report.subject.lower() not in PRONOUNS:
        name = resolve_name(report.subject, cast)
        return Attribution(name, "named") if name else None
    sentence = prose.sentences[prose.sentence_at(report.start) - 1]
    gender = _GENDER.get(report.subject.lower(), "")
    at = line.start if not report.leads else report.start
    same = _subject(narration, sentence.start, at, cast, genders, gender, nearest=report.leads)
    if same:
        return Attribution(same, "pronoun")
    for earlier in range(sentence.number - 2, max(sentence.number - 6, -1), -1):
        before = prose.sentences[earlier]
        name = _subject(narration, before.start, before.end, cast, genders, gender, nearest=True)
        if name:
            return Attribution(name, "pronoun")
    return None


def _subject(
    narration: str,
    start: int,
    end: int,
    cast: tuple[Character, ...],
    genders: dict[str, str],
    gender: str,
    *,
    nearest: bool = False,
) -> str:
    """Return who acts in a stretch of narration: the first named there who is no object."""
    text = narration[start:end]
    mentions = find_mentions(text, cast)
    acting = [m.name for m in mentions if not _OBJECT.search(text[: m.start])]
    fitting = [n for n in acting if not gender or genders.get(n, gender) == gender]
    if not fitting:
        return ""
    return fitting[-1] if nearest else fitting[0]


def _genders(prose: Prose, narration: str, cast: tuple[Character, ...]) -> dict[str, str]:
    """Return `m` or `f` where the pronouns around a character agree.

    Heard are `his` and the like in a sentence that names only one, and the `he` or `she` that
    begins a sentence after it; `him` and `her` may be anybody.
    """
    votes: dict[str, Counter[str]] = {}
    last = ""
    for sentence in prose.sentences:
        text = narration[sentence.start : sentence.end]
        names = names_in(text, cast)
        words = re.findall(r"[a-z]+", text.lower())
        if len(names) == 1:
            heard = [_GENDER[word] for word in words if word in _OWN]
            votes.setdefault(names[0], Counter()).update(heard)
        elif not names and last and words[:1] and words[0] in ("he", "she"):
            votes[last][_GENDER[words[0]]] += 1
        last = names[0] if len(names) == 1 else last if not names and last else ""
    return {
        name: count.most_common(1)[0][0]
        for name, count in votes.items()
        if count and count.most_common(1)[0][1] >= 0.8 * count.total()
    }


def _by_turn(prose: Prose, said: list[Attribution | None], number: int) -> Attribution | None:
    """Give an unreported line to whoever's turn it is."""
    line = prose.lines[number]
    before = said[number - 1] if number else None
    if before is None or not before.speaker:
        return None
    previous = prose.lines[number - 1]
    following = _adjacent_speaker(prose, said, number)
    other = _other_voice(prose, said, number, before.speaker)
    if line.report is not None:
        return None
    if line.paragraph == previous.paragraph:
        between = prose.text[previous.end : line.start]
        touching = len(between.strip(" \"'“”‘’«»「」『』")) == 0
        continues = previous.report is not None and not previous.report.leads and not touching
        if continues and following != before.speaker and not _echoes(previous.text, line.text):
            return Attribution(before.speaker, "continued")
        return Attribution(other, "turn") if other and (touching or continues) else None
    if line.paragraph == previous.paragraph + 1 and other:
        return Attribution(other, "turn")
    return None


def _adjacent_speaker(prose: Prose, said: list[Attribution | None], number: int) -> str:
    """Return who says the next line where nothing stands between: it cannot be this speaker."""
    if number + 1 >= len(prose.lines):
        return ""
    following: Attribution | None = said[number + 1]
    between = prose.text[prose.lines[number].end : prose.lines[number + 1].start]
    touching = not between.strip(" \n\"'“”‘’«»「」『』")
    return following.speaker if following and touching else ""


def _echoes(before: str, after: str) -> bool:
    """Say whether a line takes up the last words of the one before, as an answer does."""
    first = re.split(r"[.!?]", after)[0].lower().strip()
    return len(after) > len(first) + 1 and bool(first) and before.lower().rstrip(".,!? ") == first


def _other_voice(prose: Prose, said: list[Attribution | None], number: int, speaker: str) -> str:
    """Return the other voice of the talk: heard last before, else first after, close by."""
    near = [*range(number - 2, max(number - 7, -1), -1), *range(number + 1, number + 3)]
    for other in near:
        if 0 <= other < len(said):
            known: Attribution | None = said[other]
            close = abs(prose.lines[other].paragraph - prose.lines[number].paragraph) < 7
            if close and known and known.speaker and known.speaker != speaker:
                return known.speaker
    return ""


def _by_action(
    prose: Prose, narration: str, line: Line, cast: tuple[Character, ...]
) -> Attribution | None:
    """Give a line to the only one who acts in the sentences of its paragraph."""
    start = prose.text.rfind("\n", 0, line.start) + 1
    end = prose.text.find("\n", line.end)
    text = narration[start : end if end >= 0 else len(prose.text)]
    names = [
        mention.name
        for mention in find_mentions(text, cast)
        if not _OBJECT.search(text[: mention.start])
    ]
    return Attribution(names[0], "action") if len(set(names)) == 1 else None


def _choices(
    prose: Prose, said: list[Attribution | None], number: int, cast: tuple[Character, ...]
) -> tuple[str, ...]:
    """Return the cast, those first who are named or speak nearest to a line."""
    line = prose.lines[number]
    near = prose.text[max(line.start - 600, 0) : line.start]
    names = [mention.name for mention in reversed(find_mentions(near, cast))]
    before = said[number - 1] if number else None
    likely = [name for name in names if before is None or name != before.speaker]
    return tuple(dict.fromkeys([*likely, *(character.name for character in cast)]))
