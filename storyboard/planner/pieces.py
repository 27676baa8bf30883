"""Cuts a story into the smallest things a panel can hold, a balloon's worth of words each."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from storyboard.plan import DialogKind
from storyboard.planner.sentences import split_speech
from storyboard.planner.speech import Line, Prose
from storyboard.story import ScenePanel

LONGEST_SPEECH = 140
LONGEST_NARRATION = 118
_DEPENDENT = re.compile(
    r"(?i)^(?:(?:and |but |so )?(?:when|as|while|after|if|before(?! long))\b[^,]*"
    r"|(?:at|in|on|with|from|to|for|by|then)\b(?:\W*\w+){0,6}\W*)$"
)
_LAST_CLAUSE = re.compile(r"(?:[,;]|\s(?=and\b|but\b))(?!.*(?:[,;]|\s(?:and|but)\b))", re.DOTALL)
_FRAGMENT = re.compile(r"^(?:and|or|who|which|that|with|to|of|as|pointing)\b")


class Piece(msgspec.Struct, frozen=True):
    """A stretch of the story: one balloon, one narration box, or telling that stays unlettered.

    `sentences` are the numbers of the sentences it takes part in. `text` is what is lettered,
    empty where nothing is. `told` is the prose itself, for the picture. `line` is the number of
    the line that a spoken piece belongs to, else -1. `clause` counts the pieces of one sentence's
    telling from 0. `speaker` and `voice` say who speaks and how. Pieces of different scenes share
    no panel; a `ready` one is a panel that the writer has decided on.
    """

    kind: Literal["spoken", "told"]
    sentences: tuple[int, ...]
    start: int
    end: int
    text: str
    told: str
    line: int = -1
    clause: int = 0
    speaker: str = ""
    voice: DialogKind = "narration"
    scene: int = 0
    ready: ScenePanel | None = None


def cut_pieces(prose: Prose) -> list[Piece]:
    """Return the pieces of a story in order; every sentence takes part in at least one."""
    pieces: list[Piece] = []
    for number, line in enumerate(prose.lines):
        pieces += _spoken_pieces(prose, number, line)
    for sentence in prose.sentences:
        pieces += _told_pieces(prose, sentence.start, sentence.end, sentence.number)
    pieces.sort(key=lambda piece: (piece.start, piece.end))
    return pieces


def _spoken_pieces(prose: Prose, number: int, line: Line) -> list[Piece]:
    places = [
        quote_start + offset
        for index in line.quotes
        for quote_start, text in [(prose.quotes[index].start, prose.quotes[index].text)]
        for offset, letter in enumerate(text)
        if not letter.isspace()
    ]
    pieces, counted = [], 0
    for text in split_speech(line.text, LONGEST_SPEECH):
        letters = len("".join(text.split()))
        start, end = places[counted], places[min(counted + letters, len(places)) - 1] + 1
        counted += letters
        sentences = tuple(range(prose.sentence_at(start), prose.sentence_at(end - 1) + 1))
        pieces.append(
            Piece(
                "spoken",
                sentences,
                start,
                end,
                text,
                prose.text[start:end],
                number,
                voice=line.kind,
            )
        )
    return pieces


def _told_pieces(prose: Prose, start: int, end: int, sentence: int) -> list[Piece]:
    """Return what a sentence tells outside its quotes and reporting clauses."""
    spans = [(quote.start - 1, quote.end + 1) for quote in prose.quotes]
    spans += [(line.report.start, line.report.end) for line in prose.lines if line.report]
    pieces: list[Piece] = []
    position = start
    has_speech = False
    for left, right in [*sorted(s for s in spans if s[1] > start and s[0] < end), (end, end)]:
        if left > position:
            pieces += _telling(prose, position, min(left, end), sentence, len(pieces), start)
        has_speech = has_speech or right > left
        position = max(position, right)
    if not pieces and not has_speech:
        told = prose.text[start:end]
        pieces.append(Piece("told", (sentence,), start, end, "", told))
    return pieces


def _telling(
    prose: Prose, start: int, end: int, sentence: int, before: int, sentence_start: int
) -> list[Piece]:
    told = prose.text[start:end]
    core = told.strip(" ,;:—–-\n")
    elided = [line for line in prose.lines if line.report and line.report.start == end]
    if elided and elided[0].report and elided[0].report.leads:
        core = _without_reporter(core, elided[0].report.subject)
    if not re.search(r"\w", core):
        return []
    begin = start + told.index(core)
    whole = begin == sentence_start or told[: begin - start].strip()[:1] in (
        ";",
        ":",
        ".",
        "!",
        "?",
    )
    if not whole or _DEPENDENT.match(core) or _FRAGMENT.match(core) or before:
        return [Piece("told", (sentence,), begin, begin + len(core), "", core, clause=before)]
    cut = end < len(prose.text) and core[-1] not in ".!?…。！？\"'”’"
    lettered = core[0].upper() + core[1:] + ("." if cut else "")
    pieces, position = [], begin
    for clause, text in enumerate(split_speech(lettered, LONGEST_NARRATION)):
        length = len(text)
        pieces.append(
            Piece(
                "told", (sentence,), position, min(position + length, end), text, text, -1, clause
            )
        )
        position += length + 1
    return pieces


def _without_reporter(core: str, subject: str) -> str:
    """Return telling without the start of the clause that goes on to report speech."""
    joined = re.sub(r"[,;]?\s*\b(?:and|but|then|so)$", "", core)
    if joined == core and not subject:  # "and calling to his companions said"
        last = _LAST_CLAUSE.search(core)
        joined = core[: last.start()] if last else ""
    return joined.rstrip(" ,;:")
