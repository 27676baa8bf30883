"""A synopsis: a plain text whose title has to be told from its prose."""

from __future__ import annotations

import re

MAX_TITLE_LENGTH = 100

_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(?P<title>.*?)[\s#]*")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*")
_ENDS_A_SENTENCE = tuple(".,;:\"'\u2019\u201d\u300d\u3002\u3001")


def split_synopsis(text: str) -> tuple[str, str]:
    """Return title and prose; the title is empty where the text begins without one.

    A title is a Markdown heading (`# Title`, or underlined with `===`), or a first line that
    cannot be part of the prose: of at most `MAX_TITLE_LENGTH` characters, without the end of a
    sentence, with a blank line below it. So no sentence of the story is ever taken for a title.
    """
    lines = text.strip("\n").lstrip().split("\n")
    first, rest = lines[0].strip(), lines[1:]
    if heading := _HEADING.fullmatch(lines[0]):
        return _bare(heading["title"]), _prose(rest)
    if first and rest and _UNDERLINE.fullmatch(rest[0]):
        return _bare(first), _prose(rest[1:])
    stands_alone = len(rest) > 1 and not rest[0].strip()
    if stands_alone and len(first) <= MAX_TITLE_LENGTH and not first.endswith(_ENDS_A_SENTENCE):
        return _bare(first), _prose(rest)
    return "", _prose(lines)


def title_from_name(stem: str) -> str:
    """Return a file's name as a title: `the-fox_in_snow` as `The fox in snow`."""
    words = " ".join(re.split(r"[-_.\s]+", stem)).strip()
    return words[:1].upper() + words[1:] or "Untitled"


def _bare(title: str) -> str:
    """Take the signs of emphasis off a title."""
    return title.strip().strip("*_").strip()


def _prose(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n")
