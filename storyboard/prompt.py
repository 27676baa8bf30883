"""What a panel's picture is asked for with: one line in the words that models learnt from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from storyboard.artist import ArtCharacter, ArtRequest

PROMPT_FORM = 4  # one more whenever a panel is put differently: panels are drawn anew

ReadsWhole = Callable[[str], bool]
"""Tells whether a model reads a prompt to its end."""

_SHOT_WORDS = {
    "wide": "wide shot",
    "full": "full shot",
    "medium": "medium shot",
    "close-up": "close-up",
    "detail": "close-up",
}
_COUNT_WORDS = ("no people", "one person", "two people", "three people", "four people")
_SIDE_WORDS: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("on the left", "on the right"),
    ("on the left", "in the middle", "on the right"),
)
_MANY = 99
_CLAUSE_END = re.compile(r"(?<=[.;!?])\s+")


def prompt_for(request: ArtRequest, reads_whole: ReadsWhole = lambda _: True) -> str:
    """Return the fullest text for a panel that the model reads whole.

    It says shot, number of people, caption, people and style, nothing twice. If it is too long,
    looks are shortened first, then the end of the caption goes, then what people do; the style and
    who stands where stay. The shortest form is returned even if that is too long.
    """
    form = ""
    for form in _forms(request):
        if reads_whole(form):
            break
    return form


def _forms(request: ArtRequest) -> Iterator[str]:
    """Give the ways to put a panel, each shorter than the one before."""
    clauses = _CLAUSE_END.split(request.caption.strip())
    for looks in (_MANY, 2, 1):
        yield _put(request, request.caption, looks=looks)
    for count in range(len(clauses) - 1, 0, -1):
        yield _put(request, " ".join(clauses[:count]), looks=1)
    yield _put(request, clauses[0], looks=0)
    yield _put(request, clauses[0], looks=0, with_acting=False)


def _put(request: ArtRequest, caption: str, *, looks: int, with_acting: bool = True) -> str:
    shot = _SHOT_WORDS[request.shot]
    said = caption.casefold()
    opening = [] if shot in said or said.startswith("close") else [shot]
    count = _COUNT_WORDS[min(len(request.characters), 4)]
    across = sorted(request.characters, key=lambda character: character.box.centre)
    people = [
        _person(one, across, caption, looks=looks, with_acting=with_acting)
        for one in request.characters
    ]
    parts = [*opening, count, caption, "; ".join(filter(None, people)), request.style]
    return ", ".join(part.strip().rstrip(".,;") for part in parts if part.strip())


def _person(
    one: ArtCharacter,
    across: Sequence[ArtCharacter],
    caption: str,
    *,
    looks: int,
    with_acting: bool,
) -> str:
    """Return what the caption leaves out: where, doing what, and for want of a picture how."""
    of_them = " ".join(
        clause
        for clause in re.split(r"[.;]", caption.casefold())
        if one.name.casefold() in clause
    )  # fmt: skip
    words = _unsaid(one.acting, of_them) if with_acting else []
    if not one.images:  # last: past what is read it matters least
        words += _unsaid(one.look, of_them)[:looks]
    sides = _SIDE_WORDS[len(across)] if len(across) < len(_SIDE_WORDS) else ()
    if sides:
        side = sides[across.index(one)]
        if f"{one.name} {side}".casefold() not in of_them:
            words.insert(0, side)
    return f"{one.name} {', '.join(words)}" if words else ""


def _unsaid(text: str, said: str) -> list[str]:
    """Return the parts of a description, split at its commas, that have not been said."""
    parts = [part.strip() for part in text.split(",")]
    return [part for part in parts if part and not _says(said, part.casefold())]


def _says(said: str, part: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", said) is not None
