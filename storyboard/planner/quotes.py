"""Finds quoted speech in prose, word for word, whichever marks the writer uses."""

from __future__ import annotations

import re

import msgspec

PAIRS = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』"}
SINGLES = {"'": "'", "‘": "’"}
ENDING = ".!?…,;:—–-。！？、"
DASH_SPEECH = re.compile(r"^[—–―]\s+")


class Quote(msgspec.Struct, frozen=True):
    """Speech between marks: `text` is `prose[start:end]`, the marks themselves lie outside."""

    start: int
    end: int
    text: str
    paragraph: int


def paragraph_spans(prose: str) -> list[tuple[int, int]]:
    """Return start and end of each paragraph of a text whose paragraphs are single lines."""
    spans, start = [], 0
    for line in prose.split("\n"):
        if line.strip():
            spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def find_quotes(prose: str) -> list[Quote]:
    """Return every quote in order; words quoted inside a sentence without speech are left out."""
    spans = paragraph_spans(prose)
    uses_singles = _uses_single_marks(prose)
    quotes: list[Quote] = []
    open_at_end = ""
    for number, (start, end) in enumerate(spans):
        following = prose[spans[number + 1][0]] if number + 1 < len(spans) else ""
        found, open_at_end = _paragraph_quotes(
            prose, start, end, uses_singles, open_at_end, following
        )
        quotes += [Quote(a, b, prose[a:b], number) for a, b in found if prose[a:b].strip()]
    return [quote for quote in quotes if _is_speech(prose, quote)]


def _uses_single_marks(prose: str) -> bool:
    """Say whether single marks are the text's speech marks; else they are apostrophes."""
    singles = len(re.findall(r"(?:^|(?<=[\s(—–]))['‘](?=\w)", prose, re.MULTILINE))
    closings = len(re.findall(r"[.,!?…—;:]['’](?=\s|$|[;:,.)—])", prose))
    doubles = len(re.findall(r'["“„«»「『]', prose)) / (2 if '"' in prose else 1)
    return min(singles, closings) > doubles


def _paragraph_quotes(
    prose: str, start: int, end: int, uses_singles: bool, carried: str, following: str
) -> tuple[list[tuple[int, int]], str]:
    """Return the spans quoted in one paragraph and the mark still open at its end, if any.

    A speech over several paragraphs opens each of them and closes only the last.
    """
    dash = DASH_SPEECH.match(prose[start:end])
    if dash:
        return [(start + dash.end(), _dash_speech_end(prose, start + dash.end(), end))], ""
    marks = {**PAIRS, **SINGLES} if uses_singles else PAIRS
    if uses_singles and '"' in marks:
        marks = {key: value for key, value in marks.items() if key in SINGLES or key in "「『«"}
    spans: list[tuple[int, int]] = []
    position = start
    while position < end:
        mark = prose[position]
        if mark in marks and _opens(prose, position, start, mark):
            closing = _closing(prose, position + 1, end, mark, marks[mark])
            if closing is None:
                if mark not in SINGLES or following == mark:
                    spans.append((position + 1, end))
                    return spans, mark if following == mark else ""
                position += 1
                continue
            spans.append((position + 1, closing))
            position = closing
        position += 1
    del carried
    return spans, ""


def _opens(prose: str, position: int, start: int, mark: str) -> bool:
    """Say whether the mark at this place opens a quote rather than being an apostrophe."""
    if mark not in "'\"»":
        return mark != "‘" or prose[position + 1 : position + 2].strip() != ""
    before = prose[position - 1] if position > start else " "
    after = prose[position + 1 : position + 2]
    return not before.isalnum() and before not in ".,!?…" and bool(after.strip())


def _closing(prose: str, begin: int, end: int, mark: str, closers: str) -> int | None:
    """Return the place of the closing mark, or None when the paragraph has none."""
    candidates = [i for i in range(begin, end) if prose[i] in closers]
    if mark not in SINGLES:
        depth = 0
        for i in range(begin, end):
            if prose[i] == mark and mark not in closers:
                depth += 1
            elif prose[i] in closers:
                if depth == 0:
                    return i
                depth -= 1
        return None
    for order, i in enumerate(candidates):
        before, after = prose[i - 1], prose[i + 1 : i + 2] or " "
        if after.isalnum() or before.isspace():
            continue
        if before == "s" and after.isspace() and _closes_later(prose, candidates[order + 1 :]):
            continue
        return i
    return None


def _closes_later(prose: str, candidates: list[int]) -> bool:
    """Say whether the next mark that is no apostrophe closes, so that this one does not."""
    for i in candidates:
        before, after = prose[i - 1], prose[i + 1 : i + 2] or " "
        if before.isalnum() and after.isalnum():
            continue
        return not before.isspace() and before not in "(—–"
    return False


def _dash_speech_end(prose: str, begin: int, end: int) -> int:
    """Return where speech opened by a dash ends: before its reporting clause, else at the end."""
    report = re.compile(
        r"[,!?….]\s+(?=(?:—\s*)?(?:dit|demanda|répondit|cria|murmura|dijo|preguntó|respondió|"
        r"gritó|said|asked|cried|whispered|replied)\b)"
    )
    found = report.search(prose, begin, end)
    return found.start() + 1 if found else end


def _is_speech(prose: str, quote: Quote) -> bool:
    """Tell speech from a name or word in quotes: speech is pointed, introduced or stands alone."""
    if quote.text.rstrip()[-1:] in ENDING:
        return True
    if prose[quote.start - 1] in "「『":
        return True
    before = prose[: quote.start - 1].rstrip(" ")[-1:]
    after = prose[quote.end + 1 :].lstrip(" ")[:1]
    return before in ",:" or (before in "\n" and after in "\n.") or after in ("", "—")
