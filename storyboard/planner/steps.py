"""The planner's first steps: who is in the story, who says what, where a new moment begins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storyboard.planner.acting import opens_a_change
from storyboard.planner.asking import Asker
from storyboard.planner.attribution import NARRATOR, Attribution, attribute
from storyboard.planner.cast import (
    Candidate,
    bare,
    find_candidates,
    names_in,
    resolve_name,
    to_character,
)
from storyboard.planner.pieces import Piece
from storyboard.planner.prompts import ask_change, ask_kind, ask_look, ask_speaker
from storyboard.planner.speech import Prose
from storyboard.planner.telling import Telling, spoken_lines
from storyboard.story import Character, Story

SOMEONE = "Someone"
_WINDOW = 260  # characters of the story that a question quotes at most


def find_cast(story: Story, telling: Telling, asker: Asker) -> tuple[Character, ...]:
    """Return the writer's cast, and after it everyone else who speaks or, without one, acts."""
    cast = list(story.characters)
    for candidate in find_candidates(telling.prose):
        if resolve_name(candidate.name, tuple(cast)):
            continue
        if candidate.speaks or (not story.characters and _acts(candidate, asker)):
            cast.append(_with_look(candidate, telling.prose, asker))
    subjects = {line.report.subject for line in telling.prose.lines if line.report}
    if "I" in subjects and not resolve_name(NARRATOR, tuple(cast)):
        cast.append(Character(NARRATOR))
    for scene in telling.scenes:
        for line in spoken_lines(scene):
            if line.speaker and not resolve_name(line.speaker, tuple(cast)):
                cast.append(Character(line.speaker))
    if telling.prose.lines and not cast:
        asker.note("cast", f"nobody is named; {SOMEONE} speaks")
        cast.append(Character(SOMEONE))
    return tuple(cast)


def _acts(candidate: Candidate, asker: Asker) -> bool:
    """Say whether someone who never speaks belongs to the cast: people and animals do."""
    if candidate.kind:
        return True
    rule = "person" if candidate.name[0].isupper() else "thing"
    return asker.ask(ask_kind(candidate.name), rule) in ("person", "animal")


def _with_look(candidate: Candidate, prose: Prose, asker: Asker) -> Character:
    character = to_character(candidate)
    kind = candidate.kind or "person"
    first = next(
        (s.text for s in prose.sentences if names_in(s.text, (character,))), candidate.name
    )
    question = ask_look(candidate.name, kind, first[:_WINDOW])
    shown = {example.answer["look"] for example in question.examples}

    def check(look: str) -> str:
        if look in shown or re.search(r"[\"“”{}]|\d", look):
            return "say how this one looks, in plain words"
        words = bare(character.name).lower().split()
        return "" if kind != "animal" or words[-1] in look.lower() else f"name the {words[-1]}"

    return to_character(candidate, asker.ask(question, candidate.name.lower(), check))


def find_speakers(telling: Telling, cast: tuple[Character, ...], asker: Asker) -> list[str]:
    """Return the speaker of every quoted line, by rule where the text says it, else by the model.

    The rule for a line that neither settles is whoever is named or spoke last before it, but not
    the speaker of the line before.
    """
    speakers: list[str] = []
    for number, found in enumerate(attribute(telling.prose, cast)):
        speakers.append(found.speaker or _asked(telling.prose, number, found, asker))
    return speakers


def _asked(prose: Prose, number: int, found: Attribution, asker: Asker) -> str:
    line = prose.lines[number]
    choices = found.choices[:6]
    if len(choices) == 1:
        return choices[0]
    before = prose.text[max(line.start - _WINDOW, 0) : line.start - 1].replace("\n", " ")
    after = prose.text[line.end + 1 : line.end + 120].replace("\n", " ")
    return asker.ask(ask_speaker(before, line.text[:_WINDOW], after, choices), choices[0])


def find_beats(telling: Telling, pieces: Sequence[Piece], asker: Asker) -> list[int]:
    """Return for each piece the number of its beat, from 0, rising.

    A beat begins with a scene, with a narrated paragraph, with words of a change ("The next
    morning ..."), and where the model sees a new scene inside a long stretch without any.
    """
    starts = _beat_starts(telling, asker)
    beats: list[int] = []
    beat, scene, seen = -1, -1, 0
    for piece in pieces:
        first = piece.sentences[0] if piece.sentences else 0
        opens = first > seen and first in starts
        if beat < 0 or piece.scene != scene or opens:
            beat += 1
        scene, seen = piece.scene, max(seen, first)
        beats.append(beat)
    return beats


def _beat_starts(telling: Telling, asker: Asker) -> set[int]:
    prose = telling.prose
    quoted = {
        number
        for quote in prose.quotes
        for number in range(prose.sentence_at(quote.start), prose.sentence_at(quote.end - 1) + 1)
    }
    starts: set[int] = set()
    since = 0
    for before, sentence in zip(prose.sentences, prose.sentences[1:], strict=False):
        since += 1
        if sentence.number in quoted:
            continue
        new = sentence.paragraph != before.paragraph or opens_a_change(sentence.text)
        if not new and since >= 4:
            question = ask_change(before.text[:_WINDOW], sentence.text[:_WINDOW])
            new = asker.ask(question, "no") == "yes"
        if new and (since >= 2 or sentence.paragraph != before.paragraph):
            starts.add(sentence.number)
            since = 0
    return starts
