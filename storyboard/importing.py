"""Bringing words that someone changed in a PDF back into the plan.

Every text is known three times: as the PDF was made, as it stands in the PDF now, and as it stands
in the plan now. Where only the PDF has changed, the plan takes it over; where the plan has changed
as well, the writer is asked. Only the changed words are touched in the plan's file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from storyboard.book.readback import FieldText, ReadBook, read_book
from storyboard.errors import MissingError, StoryError, UsageError
from storyboard.files import write_atomically
from storyboard.plan import Panel, Plan, examine_plan
from storyboard.plantext import TextPlace, with_new_texts
from storyboard.problems import Problem
from storyboard.progress import Progress
from storyboard.report import raise_problems
from storyboard.workspace import PLAN_SUFFIX, Workspace, free_name
from storyboard.yamlfile import NOT_PRINTABLE, Document, parse_yaml, read_text, shortened

_LONGEST_SHOWN = 60


class ChangedText(msgspec.Struct, frozen=True):
    """A balloon whose words came back changed."""

    balloon: str
    before: str
    after: str

    def __str__(self) -> str:
        """Return the change as one line."""
        before, after = (shortened(text, _LONGEST_SHOWN) for text in (self.before, self.after))
        return f"{self.balloon}: {before} -> {after}"


def import_edits(pdf: Path, plan_path: Path | None, progress: Progress) -> tuple[ChangedText, ...]:
    """Put the words that were changed in a PDF into its plan, and return the changes.

    The old plan is kept beside the new one.

    Args:
        pdf: the edited book.
        plan_path: of its plan; None looks for it beside the PDF.
        progress: is told of everything else that was found.

    Raises:
        MissingError: a file is not there or cannot be read.
        UsageError: the PDF has no fields, or was made from another plan.
        StoryError: some changes clash with the plan's; the others have been taken over.
    """
    book = read_book(pdf)
    _check_fields(book, pdf)
    path = plan_path or plan_beside(pdf)
    if not path.is_file():
        raise MissingError(f"there is no file {path}", hint="name the plan with --plan")
    with Workspace.beside(path).held():
        document = parse_yaml(read_text(path), path)
        source = path.read_bytes()
        plan = _plan(document, path)
        base = _base(book, pdf, progress)
        _check_same_book(book, base, plan, pdf, path)
        merge = _Merge(plan, base, document)
        merge.take(book.fields)
        for note in merge.notes:
            progress.say(note)
        if merge.changes:
            changed = with_new_texts(source, merge.changes, path)
            kept = free_name(path, "before")
            write_atomically(kept, source)
            write_atomically(path, changed)
            progress.say(f"The old plan is kept as {kept}")
        elif not merge.problems:
            progress.say(f"{path} has every word of {pdf} already")
    _complain(merge, path)
    return tuple(merge.told)


def plan_beside(pdf: Path) -> Path:
    """Return the plan that a PDF's name tells of, or the only one in its folder.

    Raises:
        UsageError: there is none, or there are several.
    """
    words = pdf.name.removesuffix(".pdf").split(".")
    for count in range(len(words), 0, -1):
        path = pdf.with_name(".".join(words[:count]) + PLAN_SUFFIX)
        if path.is_file():
            return path
    plans = sorted(pdf.parent.glob(f"*{PLAN_SUFFIX}"))
    if len(plans) == 1:
        return plans[0]
    found = f"are {', '.join(plan.name for plan in plans)}" if plans else "is none"
    raise UsageError(
        f"the plan of {pdf} is not known: beside it there {found}",
        hint=f"`storyboard import {pdf} --plan FILE` names it",
    )


class _Merge:
    """Compares field by field, and collects what to change and what to tell."""

    def __init__(self, plan: Plan, base: Plan | None, document: Document) -> None:
        self._panels = _panels(plan)
        self._base = {} if base is None else _panels(base)
        self._document = document
        self.changes: dict[TextPlace, str] = {}
        self.told: list[ChangedText] = []
        self.notes: list[str] = []
        self.problems: list[Problem] = []

    def take(self, fields: Sequence[FieldText]) -> None:
        """Take over all changes that clash with nothing."""
        for field in fields:
            panel_id, _, number = field.name.rpartition(".b")
            if panel_id and number.isdigit():  # else a field that someone added
                self._take(field, panel_id, int(number) - 1)

    def _take(self, field: FieldText, panel_id: str, number: int) -> None:
        before = field.default
        if before is None:
            before = _text_at(self._base, panel_id, number)
        if before is None or _same(field.value, before):
            return
        if panel_id not in self._panels:
            self._clash(field, (), f"panel {panel_id} is not in the plan any more")
            return
        place = self._place(panel_id, number, before, field.value)
        if place is None:
            self._clash(field, (), f"this balloon is not in panel {panel_id} any more")
            return
        path = _path(place)
        now = self._panels[panel_id][1].dialogs[place[2]].text
        if not field.value.strip():
            self.notes.append(
                f"{field.name}: emptied in the PDF; the plan keeps {_shown(now)}. "
                f"To be rid of the balloon, take its dialog out of the plan."
            )
        elif found := NOT_PRINTABLE.search(_broken_plainly(field.value)):
            message = f"the new text holds the control character U+{ord(found[0]):04X}"
            self._clash(field, path, message)
        elif _same(now, before):
            after = _as_written(field.value, now)
            self.changes[place] = after
            self.told.append(ChangedText(field.name, now, after))
        elif not _same(now, field.value):
            self._clash(
                field, path, f"changed in the plan as well, from {_shown(before)} to {_shown(now)}"
            )

    def _place(self, panel_id: str, number: int, before: str, after: str) -> TextPlace | None:
        """Return where a balloon is in the plan now: another may have come or gone before it."""
        (page, index), panel = self._panels[panel_id]
        texts = [dialog.text for dialog in panel.dialogs]
        if number < len(texts) and (_same(texts[number], before) or _same(texts[number], after)):
            return page, index, number
        then = self._base.get(panel_id)
        if then is not None and len(then[1].dialogs) != len(texts):
            alike = [place for place, text in enumerate(texts) if _same(text, before)]
            twins = [dialog for dialog in then[1].dialogs if _same(dialog.text, before)]
            if len(alike) == len(twins) == 1:
                return page, index, alike[0]
        return (page, index, number) if number < len(texts) else None

    def _clash(self, field: FieldText, path: tuple[str | int, ...], message: str) -> None:
        line = self._document.line_of(path) if path else 0
        self.problems.append(
            Problem(
                self._document.file,
                line,
                field.name,
                f"{message}; the PDF says {_shown(field.value)}",
            )
        )


def _check_fields(book: ReadBook, pdf: Path) -> None:
    if book.fields:
        return
    if book.plan_hash:
        raise UsageError(
            f"{pdf} has no fields: it is a final copy, or a program flattened it",
            hint="change the words in the plan, or in a book written without --flatten",
        )
    raise UsageError(
        f"{pdf} has no fields: it was printed to a file, or is not a book of this tool",
        hint="in the viewer use Save or Download, not Print; or change the words in the plan",
    )


def _base(book: ReadBook, pdf: Path, progress: Progress) -> Plan | None:
    """Return the plan as it was when the PDF was made, as far as the PDF has it whole."""
    if book.plan is None:
        progress.say(
            f"Note: the plan attached to {pdf} is missing or was changed; "
            "each balloon's own record of its first text is used instead."
        )
        return None
    document = parse_yaml(_broken_plainly(book.plan.decode("utf-8-sig")), pdf)
    return examine_plan(document, folder=None, templates=None)[0]


def _check_same_book(book: ReadBook, base: Plan | None, plan: Plan, pdf: Path, path: Path) -> None:
    """Refuse a PDF that was made from another plan: most of what both should share differs."""
    now = {name: panel for name, (_, panel) in _panels(plan).items()}
    if base is not None:
        then = {name: panel for name, (_, panel) in _panels(base).items()}
        alike = sum(1 for name in then if name in now and _alike(then[name], now[name]))
        is_same = 2 * alike >= len(then)
    else:
        names = [field.name.rpartition(".b")[0] for field in book.fields]
        is_same = 2 * sum(1 for name in names if name in now) >= len(names)
    if not is_same:
        raise UsageError(
            f"{pdf} ({shortened(book.title)}) was made from another plan than {path} "
            f"({shortened(plan.title)}): most of its panels are not there",
            hint=f"`storyboard import {pdf} --plan FILE` names the plan it was made from",
        )


def _alike(one: Panel, other: Panel) -> bool:
    return one.caption == other.caption or (
        bool(one.dialogs)
        and [dialog.text for dialog in one.dialogs] == [dialog.text for dialog in other.dialogs]
    )


def _complain(merge: _Merge, path: Path) -> None:
    if not merge.problems:
        return
    count = len(merge.problems)
    clashing = "one change clashes" if count == 1 else f"{count} changes clash"
    rest = f"; the other {len(merge.told)} are in the plan now" if merge.told else ""
    raise StoryError(
        f"{clashing} with {path} and {'was' if count == 1 else 'were'} left out{rest}",
        problems=merge.problems,
        hint="put the words that you want into the plan by hand",
    )


def _plan(document: Document, path: Path) -> Plan:
    plan, problems = examine_plan(document, folder=None, templates=None)
    raise_problems(path, problems)
    return plan


def _panels(plan: Plan) -> dict[str, tuple[tuple[int, int], Panel]]:
    return {
        panel.id: ((page, index), panel)
        for page, sheet in enumerate(plan.pages)
        for index, panel in enumerate(sheet.panels)
    }


def _text_at(
    panels: Mapping[str, tuple[tuple[int, int], Panel]], panel_id: str, number: int
) -> str | None:
    dialogs = panels[panel_id][1].dialogs if panel_id in panels else ()
    return dialogs[number].text if number < len(dialogs) else None


def _path(place: TextPlace) -> tuple[str | int, ...]:
    page, panel, dialog = place
    return ("pages", page, "panels", panel, "dialogs", dialog, "text")


def _same(one: str, other: str) -> bool:
    """Return whether two texts are the same but for how their lines and letters are stored."""
    first, second = (unicodedata.normalize("NFC", _tidy(text)) for text in (one, other))
    return first == second


def _as_written(value: str, now: str) -> str:
    """Return what goes into the plan for a field's value; its line breaks are the writer's own."""
    return _tidy(value) + ("\n" if now.endswith("\n") else "")


def _tidy(text: str) -> str:
    lines = _broken_plainly(text).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _broken_plainly(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _shown(text: str) -> str:
    return shortened(text, _LONGEST_SHOWN)
