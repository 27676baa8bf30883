"""Numbers the sentences of a story, and cuts long text into pieces that fit a balloon."""

from __future__ import annotations

import re

import msgspec

from storyboard.planner.quotes import paragraph_spans

ABBREVIATIONS = frozenset(
    "mr mrs ms dr st prof rev sr jr capt col gen lt sgt vs etc e.g i.e no vol hon messrs mme mlle "
    "bzw z.b u.s a.m p.m".split()
)
CLOSERS = "\"'”’»«」』)]“"
REPORTING = (
    "said says asked answered replied cried shouted yelled screamed whispered murmured muttered "
    "thought wondered called exclaimed added went continued began inquired enquired demanded "
    "remarked observed returned sighed laughed growled sobbed begged pleaded snapped hissed "
    "breathed mumbled roared bellowed told insisted agreed announced suggested promised repeated "
    "warned admitted declared grumbled groaned moaned gasped stammered chuckled giggled smiled "
    "ordered commanded protested retorted responded explained interrupted concluded mused "
    "croaked squeaked barked purred howled chirped quacked brayed snarled whimpered wailed urged "
    "teased joked sneered boasted bragged complained confessed sang rejoined put"
).split()
# what may follow a quote that ends in ! or ? without a new sentence beginning
_TAIL = re.compile(
    r"\s+(?:[a-zà-ÿ]|(?:[A-ZÀ-Þ][\w’'-]*\s+){1,3}(?:softly |then |quietly )?(?:"
    + "|".join(REPORTING)
    + r")\b)"
)
_END = re.compile(r"[.!?…。！？]+")

# where speech may be cut, best first
_BREAKS = (
    r"[.!?…]+[\"'”’)]*\s+|[。！？]",
    r"[;:—–]\s+",
    r",\s+(?=(?:and|but|or|so|who|which|that|because|when|while|if|as|for|till|until|then)\b)",
    r",\s+|、",
    r"\s+",
)


class Sentence(msgspec.Struct, frozen=True):
    """One numbered sentence, from 1; `text` is `prose[start:end]`."""

    number: int
    start: int
    end: int
    text: str
    paragraph: int


def normalise(prose: str) -> str:
    """Return the text with one paragraph a line and single spaces, its words untouched."""
    paragraphs = re.split(r"\n[^\S\n]*\n\s*", prose.replace("\r\n", "\n").replace("\r", "\n"))
    lines: list[str] = []
    for paragraph in paragraphs:
        joined = " ".join(paragraph.split())
        if joined:
            lines.append(joined)
    return "\n".join(lines)


def number_sentences(prose: str) -> list[Sentence]:
    """Return the sentences of a normalised text; together they hold every word of it, in order."""
    sentences: list[Sentence] = []
    for paragraph, (start, end) in enumerate(paragraph_spans(prose)):
        position = start
        for cut in [*_sentence_ends(prose, start, end), end]:
            text = prose[position:cut]
            stripped = text.strip()
            if stripped:
                begin = position + len(text) - len(text.lstrip())
                sentences.append(
                    Sentence(len(sentences) + 1, begin, begin + len(stripped), stripped, paragraph)
                )
            position = cut
    return sentences


def _sentence_ends(prose: str, start: int, end: int) -> list[int]:
    ends = []
    for match in _END.finditer(prose, start, end):
        cut = match.end()
        while cut < end and prose[cut] in CLOSERS and not _opens_next(prose, cut, end):
            cut += 1
        wide = match.group()[-1] in "。！？"
        if cut >= end or _is_abbreviation(prose, start, match):
            continue
        closed = cut > match.end()
        parted = prose[cut].isspace() and not _continues(prose, cut, end, closed)
        if parted or (wide and not closed):
            ends.append(cut)
    return ends


def _opens_next(prose: str, at: int, end: int) -> bool:
    """Say whether a straight mark opens what follows: it stands after a space, before a word."""
    return prose[at - 1].isspace() and at + 1 < end and prose[at + 1].isalnum()


def _continues(prose: str, at: int, end: int, closed: bool) -> bool:
    """Say whether the sentence goes on: with a reporting clause, or in small letters."""
    following = prose[at:end].lstrip()
    if not following:
        return True
    if closed:
        return bool(_TAIL.match(prose, at, end))
    return following[0].islower()


def _is_abbreviation(prose: str, start: int, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return False
    word = re.search(r"[\w.]+$", prose[start : match.start()])
    if word is None:
        return False
    letters = word.group().lower()
    initial = len(letters) == 1 and letters != "i" and word.group().isupper()
    return letters in ABBREVIATIONS or initial


def split_speech(text: str, longest: int) -> list[str]:
    """Cut text into pieces of at most about `longest` characters at sentence or clause ends.

    Joined with single spaces (nothing in scripts written without them) the pieces are the text,
    word for word. A stretch without any place to break is cut between words, and a word longer
    than `longest` stays whole.
    """
    text = text.strip()
    if len(text) <= longest:
        return [text] if text else []
    middle = len(text) / -(-len(text) // longest)
    for pattern in _BREAKS:
        cuts = [m.end() for m in re.finditer(pattern, text)]
        cuts = [cut for cut in cuts if 0.25 * longest <= cut <= longest and cut < len(text)]
        if cuts:
            best = min(cuts, key=lambda cut: abs(cut - middle))
            return [text[:best].rstrip(), *split_speech(text[best:], longest)]
    if not re.search(r"\s", text):
        return [text[i : i + longest] for i in range(0, len(text), longest)]
    first = re.search(r"\s+", text)
    cut = first.end() if first else len(text)
    return [text[:cut].rstrip(), *split_speech(text[cut:], longest)]
