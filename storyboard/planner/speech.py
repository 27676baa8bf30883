"""Joins quotes into lines as a reader hears them, with the clauses that report them."""

from __future__ import annotations

import re
from bisect import bisect_right

import msgspec

from storyboard.plan import DialogKind
from storyboard.planner.quotes import Quote, find_quotes
from storyboard.planner.sentences import REPORTING, Sentence, number_sentences

THOUGHT_VERBS = frozenset("thought wondered mused".split())
SHOUT_VERBS = frozenset("shouted yelled screamed roared bellowed cried exclaimed called".split())
_DEEDS = frozenset(
    "began went put sang called laughed smiled sighed told promised continued".split()
)
LOUD_VERBS = frozenset("shouted yelled screamed roared bellowed".split())
WHISPER_VERBS = frozenset("whispered murmured muttered breathed mumbled".split())

_NOUN = r"(?!(?:and|to|in|at|with|as|who|when|from|quite|very|for|on|by|but|that|while)\b)[\w’'-]+"
SUBJECT = (
    r"(?P<subject>(?:[Hh]e|[Ss]he|[Tt]hey|[Ii]t|I|[Ww]e|[Yy]ou)\b"
    rf"|(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Tt]heir|[Mm]y|[Oo]ne|[Aa]nother)\s+(?:{_NOUN}\s+){{0,2}}{_NOUN}"
    r"|(?:(?:Mr|Mrs|Ms|Dr|St)\.\s+)?[A-ZÀ-Þ][\w’-]*(?:\s+[A-ZÀ-Þ][\w’-]*)*)"
)
_VERB = r"\b(?P<verb>" + "|".join(REPORTING) + r")\b"
_ADVERB = r"(?:\w+ly|then|at once|again|also|only|at last|just)"
_VERB_FIRST = re.compile(rf"[\s,;—–-]*{_VERB}(?:\s+(?:out|back|again))?\s+{SUBJECT}")
_SUBJECT_FIRST = re.compile(rf"[\s,;—–-]*{SUBJECT}\s+(?:{_ADVERB}\s+)?{_VERB}")
_LEADING = re.compile(
    rf"{_VERB}(?=(?:\s+(?:out|aloud|again|back|softly|quietly|loudly|{_ADVERB}|(?:to|at|of)\s+[^,:;.]*?))?"
    r"\s*[,:—–]?\s*$)"
)
_BEFORE_VERB = re.compile(
    rf"(?:^|(?<=[\s,;]))(?:and |but |so |then )?{SUBJECT}\s+(?:{_ADVERB}\s+)?$"
)


class Report(msgspec.Struct, frozen=True):
    """A clause such as `said Mika`: who is named in it, by which verb, and where it stands."""

    verb: str
    subject: str
    start: int
    end: int
    leads: bool = False
    to_self: bool = False


class Line(msgspec.Struct, frozen=True):
    """One utterance: its quotes joined where only a reporting clause came between them.

    `text` is what is lettered: the quotes' words, with a full stop for a comma that only led to
    the reporting clause. `sentence` is the number of the sentence it begins in.
    """

    text: str
    quotes: tuple[int, ...]
    start: int
    end: int
    paragraph: int
    sentence: int
    report: Report | None = None
    kind: DialogKind = "speech"


class Prose(msgspec.Struct, frozen=True):
    """A story's text with its sentences, quotes and lines found."""

    text: str
    sentences: tuple[Sentence, ...]
    quotes: tuple[Quote, ...]
    lines: tuple[Line, ...]

    def sentence_at(self, position: int) -> int:
        """Return the number of the sentence that holds a place in the text."""
        starts = [sentence.start for sentence in self.sentences]
        return max(bisect_right(starts, position), 1)

    def narration(self) -> str:
        """Return the text with its quotes blanked out, so that only the narrator speaks."""
        parts, position = [], 0
        for quote in self.quotes:
            parts += [self.text[position : quote.start], " " * (quote.end - quote.start)]
            position = quote.end
        return "".join([*parts, self.text[position:]])


def read_prose(text: str) -> Prose:
    """Return a normalised text with its sentences numbered and its quotes joined into lines."""
    sentences = tuple(number_sentences(text))
    quotes = tuple(find_quotes(text))
    prose = Prose(text, sentences, quotes, ())
    return Prose(text, sentences, quotes, tuple(_join(prose)))


def spoken(quotes: tuple[Quote, ...]) -> str:
    """Return what is lettered of quotes that make one utterance."""
    text = " ".join(quote.text.strip() for quote in quotes)
    return text[:-1] + "." if text.endswith(",") else text


def _join(prose: Prose) -> list[Line]:
    lines: list[Line] = []
    number = 0
    while number < len(prose.quotes):
        last = number
        while last + 1 < len(prose.quotes) and _goes_on(prose, last, last + 1):
            last += 1
        quotes = prose.quotes[number : last + 1]
        reports = [_report_after(prose, i) for i in range(number, last + 1)]
        found = [report for report in (*reports, _report_before(prose, number)) if report]
        report = found[0] if found else None
        text = spoken(quotes)
        lines.append(
            Line(
                text,
                tuple(range(number, last + 1)),
                quotes[0].start,
                quotes[-1].end,
                quotes[0].paragraph,
                prose.sentence_at(quotes[0].start),
                report,
                _kind(text, report),
            )
        )
        number = last + 1
    return lines


def _goes_on(prose: Prose, number: int, following: int) -> bool:
    """Say whether the next quote is the rest of this one, after `said the cat, `."""
    here, after = prose.quotes[number], prose.quotes[following]
    if here.paragraph != after.paragraph:
        joined = prose.text[here.end : after.start - 1]
        return joined == "\n" and after.start > here.end + 1  # a speech over paragraphs
    report = _report_after(prose, number)
    if report is None:
        return False
    between = prose.text[report.end : after.start - 1].strip()
    return len(between) < 30 and not re.search(r"[.!?…:]", between) and " and " not in between


def _report_after(prose: Prose, number: int) -> Report | None:
    quote = prose.quotes[number]
    start = quote.end + (prose.text[quote.end : quote.end + 1] in "\"'”’»«“」』")
    if number + 1 < len(prose.quotes):
        limit = prose.quotes[number + 1].start - 1
    else:
        limit = len(prose.text)
    newline = prose.text.find("\n", start)
    limit = min(limit, newline if newline >= 0 else limit)
    region = prose.text[start:limit]
    match = _VERB_FIRST.match(region) or _SUBJECT_FIRST.match(region)
    if match is None or _is_own_sentence(quote.text, region):
        return None
    if match["verb"] in _DEEDS and not re.match(r"\s*(?:[.,;:!?—–]|$)", region[match.end() :]):
        return None  # "The cat began to lick" tells of a deed
    stop = re.compile(r"[.;:,!?—–]").search(region, match.end())
    end = stop.start() if stop else len(region)
    tail = region[match.end() : end]
    return Report(
        match["verb"],
        match["subject"],
        start,
        start + end,
        to_self=bool(re.search(r"\bto (?:him|her|it|them)sel(?:f|ves)\b", tail)),
    )


def _is_own_sentence(quoted: str, region: str) -> bool:
    """Say whether what follows a full stop is a sentence that introduces the next quote."""
    return quoted.rstrip()[-1:] == "." and bool(re.search(r"[,:]\s*$", region))


def _report_before(prose: Prose, number: int) -> Report | None:
    quote = prose.quotes[number]
    paragraph_start = prose.text.rfind("\n", 0, quote.start) + 1
    begin = paragraph_start
    if number and prose.quotes[number - 1].end > paragraph_start:
        begin = prose.quotes[number - 1].end + 1
    sentence = prose.sentences[prose.sentence_at(quote.start) - 1]
    begin = max(begin, sentence.start)
    before = prose.text[begin : quote.start - 1]
    matches = list(_LEADING.finditer(before))
    if not matches:
        return None
    verb = matches[-1]
    subject = _BEFORE_VERB.search(before[: verb.start()])
    if subject and re.search(r"\b(?:to|of|at|for|with|from|by)\s*$", before[: subject.start()]):
        subject = None  # "calling to his companions said": the subject stands further ahead
    start = subject.start() if subject else verb.start()
    return Report(
        verb["verb"], subject["subject"] if subject else "", begin + start, quote.start - 1, True
    )


def _kind(text: str, report: Report | None) -> DialogKind:
    verb = report.verb if report else ""
    if verb in THOUGHT_VERBS or (report and report.to_self):
        return "thought"
    if verb in WHISPER_VERBS:
        return "whisper"
    letters = [letter for letter in text if letter.isalpha()]
    capitals = len(letters) > 3 and all(letter.isupper() for letter in letters)
    if verb in LOUD_VERBS or "!!" in text or capitals:
        return "shout"
    return "shout" if verb in SHOUT_VERBS and "!" in text else "speech"
