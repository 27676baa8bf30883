"""The plan: pages, panels, who stands where and who says what. Written to be edited by hand."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from storyboard.cast import Cast, examine_cast, examine_pictures
from storyboard.files import write_atomically
from storyboard.geometry import Box
from storyboard.lettering_style import LetteringStyle, examine_style
from storyboard.lines import DIALOG_KINDS, SPOKEN_KINDS
from storyboard.lines import DialogKind as DialogKind
from storyboard.problems import Problem
from storyboard.report import Report, raise_problems
from storyboard.story import MAX_CHARACTERS as MAX_CHARACTERS
from storyboard.story import MAX_DIALOGS as MAX_DIALOGS
from storyboard.story import SHOTS, Character, PageFormat, Reading, examine_book, examine_count
from storyboard.story import Shot as Shot
from storyboard.structure import read_struct
from storyboard.yamlfile import Document, NodePath, dotted, parse_yaml, read_text, shortened
from storyboard.yamlwriter import to_yaml

PLAN_FORMAT: Final = "storyboard-plan/1"

# a panel's id is part of file names on any system, and of names in which a dot separates
_PANEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DEVICE_NAME = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)

_NEW_PAGE_OR_PANEL = re.compile(
    r"^(?=  - (?:chapter|template|panels):|      - id: )(?<!pages:\n)(?<!panels:\n)", re.MULTILINE
)

_HEADER = f"""\
# The plan of a book. Everything here may be edited; `storyboard check` says what is wrong.
#   shot: {" | ".join(SHOTS)}
#   kind of a dialog: {" | ".join(DIALOG_KINDS)}
#   box: [left, top, right, bottom], fractions of the panel from 0 to 1; left out, one is found
#   a sound may have an angle, in degrees anticlockwise
#   a panel may also have: seed, locked: true (never redrawn), notes (yours)
"""


class CharacterPlacement(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One character in a panel: where they stand and what they do."""

    name: str
    box: Box | None = None
    acting: str = ""


class Dialog(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One balloon, narration box or sound. `speaker` is empty for narration and sounds.

    `angle` is how far a sound is turned, in degrees anticlockwise.
    """

    text: str
    speaker: str = ""
    kind: DialogKind = "speech"
    box: Box | None = None
    angle: float | None = None


class Panel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One picture of the book.

    `source` holds the numbers of the story's sentences told here, from 1. `seed`, when given,
    replaces the one derived from the plan's seed and the panel's id.
    """

    id: str
    caption: str
    source: tuple[int, ...] = ()
    shot: Shot = "medium"
    characters: tuple[CharacterPlacement, ...] = ()
    dialogs: tuple[Dialog, ...] = ()
    seed: int | None = None
    locked: bool = False
    notes: str = ""


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The panels of one page in reading order. Without a template one is chosen at render time.

    `chapter` is the title of the chapter that begins on the page, for the book's bookmarks.
    """

    panels: tuple[Panel, ...]
    template: str = ""
    chapter: str = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole book as it will be drawn and lettered."""

    title: str
    pages: tuple[Page, ...]
    format: Literal["storyboard-plan/1"] = PLAN_FORMAT
    author: str = ""
    language: str = "en"
    reading: Reading = "ltr"
    page: PageFormat = "b5"
    style: str = ""
    lettering: LetteringStyle = LetteringStyle()
    seed: int = 0
    characters: tuple[Character, ...] = ()


def load_plan(
    path: Path, *, pictures: bool = True, templates: Collection[str] | None = None
) -> Plan:
    """Return the plan in a YAML file, once nothing is wrong with it.

    Args:
        path: the file.
        pictures: whether the cast's pictures must be there and readable.
        templates: the names a page's template may have; None leaves them unchecked.

    Raises:
        MissingError: there is no such file, or it may not be read.
        StoryError: something is wrong; `problems` holds all of it.
    """
    document = parse_yaml(read_text(path), path)
    plan, problems = examine_plan(
        document, folder=path.parent if pictures else None, templates=templates
    )
    raise_problems(path, problems)
    return plan


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan as YAML that is pleasant to edit, and that loads back to the same plan.

    Raises:
        StoryError: a text holds a control character, or a number is not finite.
        OutputError: the file could not be written; what was there is still there.
    """
    write_atomically(path, plan_text(plan).encode())


def plan_text(plan: Plan) -> str:
    """Return a plan as it is written to a file; texts and numbers are kept exactly.

    Raises:
        StoryError: a text holds a control character, or a number is not finite.
    """
    fields = {name: getattr(plan, name) for name in ("format", "title")}
    fields |= {"author": plan.author} if plan.author else {}
    fields |= {"language": plan.language, "reading": plan.reading}
    fields |= msgspec.to_builtins({"page": plan.page})
    fields |= {"style": plan.style} if plan.style else {}
    lettering = msgspec.to_builtins(plan.lettering)
    fields |= {"lettering": lettering} if lettering else {}
    fields |= {"seed": plan.seed}
    fields |= {"characters": msgspec.to_builtins(plan.characters)} if plan.characters else {}
    head = to_yaml(fields, one_line=("characters", "lettering", "page"))
    pages = {"pages": [_page_fields(page) for page in plan.pages]}
    body = to_yaml(pages, one_line=("characters", "dialogs"))
    return _HEADER + head + _NEW_PAGE_OR_PANEL.sub("\n", body)


def _page_fields(page: Page) -> dict[str, Any]:
    fields = {"chapter": page.chapter} if page.chapter else {}
    fields |= {"template": page.template} if page.template else {}
    return {**fields, "panels": [_panel_fields(panel) for panel in page.panels]}


def _panel_fields(panel: Panel) -> dict[str, Any]:
    """Return what is written of a panel: the picture first, then its words, then the rest."""
    written = msgspec.to_builtins(panel)
    fields = {"id": panel.id, "source": panel.source, "caption": panel.caption, "shot": panel.shot}
    if panel.characters:
        fields["characters"] = written["characters"]
    if panel.dialogs:
        fields["dialogs"] = [_dialog_fields(dialog) for dialog in written["dialogs"]]
    return fields | {name: written[name] for name in ("seed", "locked", "notes") if name in written}


def _dialog_fields(written: dict[str, Any]) -> dict[str, Any]:
    names = ("speaker", "kind", "text", "box", "angle")
    return {name: written[name] for name in names if name in written}


def examine_plan(
    document: Document, *, folder: Path | None, templates: Collection[str] | None
) -> tuple[Plan, list[Problem]]:
    """Return the plan in a document, and everything wrong with it in the file's order.

    The plan is only what was written when there are no problems.

    Args:
        document: the file's tree.
        folder: where the paths of pictures start; None leaves them unchecked.
        templates: the names a page's template may have; None leaves them unchecked.
    """
    report = Report(document.file, document)
    plan = read_struct(document, Plan, report)
    examine_book(report, title=plan.title, language=plan.language, seed=plan.seed, page=plan.page)
    examine_style(plan.lettering, report)
    examine_cast(plan.characters, report)
    if folder is not None:
        examine_pictures(plan.characters, folder, report)
    if not plan.pages:
        report.add(("pages",), "there are no pages", allowed="one or more")
    cast = Cast(plan.characters, report)
    taken: dict[str, str] = {}
    for number, page in enumerate(plan.pages):
        path: NodePath = ("pages", number)
        if not page.panels:
            report.add((*path, "panels"), "there are no panels", allowed="one or more")
        if templates is not None and page.template and page.template not in templates:
            report.add(
                (*path, "template"),
                f"{shortened(page.template)} is no template",
                allowed=", ".join(sorted(templates)),
                found=page.template,
                known=templates,
            )
        for index, panel in enumerate(page.panels):
            place = (*path, "panels", index)
            _examine_id(panel.id, (*place, "id"), taken, report)
            _examine_panel(panel, place, report)
            _examine_placements(panel.characters, (*place, "characters"), cast, report)
            _examine_dialogs(panel.dialogs, (*place, "dialogs"), cast, report)
    return plan, report.problems


def _examine_id(name: str, path: NodePath, taken: dict[str, str], report: Report) -> None:
    """Report an id that cannot stand in a file's name, or that another panel has."""
    folded = name.casefold()  # some systems take P01 and p01 for the same file
    if not _PANEL_ID.fullmatch(name) or _DEVICE_NAME.fullmatch(name):
        allowed = "letters a to z, digits, - and _, up to 64, a letter or digit first"
        report.add(path, f"{shortened(name)} cannot be part of a file name", allowed=allowed)
    elif folded in taken:
        report.add(path, f"the id {shortened(name)} is already taken by {taken[folded]}")
    else:
        taken[folded] = dotted(path[:-1])


def _examine_panel(panel: Panel, path: NodePath, report: Report) -> None:
    if not panel.caption.strip():
        report.add((*path, "caption"), "the caption is empty", allowed="what is to be drawn")
    for index, number in enumerate(panel.source):
        if number < 1:
            message = f"{number} is no sentence of the story"
            report.add((*path, "source", index), message, allowed="numbers from 1")
    if panel.seed is not None and panel.seed < 0:
        report.add((*path, "seed"), f"{panel.seed} is below 0", allowed="0 or more")


def _examine_placements(
    placements: Sequence[CharacterPlacement],
    path: NodePath,
    cast: Cast,
    report: Report,
) -> None:
    examine_count(len(placements), MAX_CHARACTERS, path, report)
    seen: set[str] = set()
    for index, placement in enumerate(placements):
        place = (*path, index)
        cast.examine(placement.name, (*place, "name"), aliases=False)
        if placement.name in seen:
            message = f"{shortened(placement.name)} is in this panel twice"
            report.add((*place, "name"), message, allowed="once")
        seen.add(placement.name)
        _examine_box(placement.box, (*place, "box"), report)


def _examine_dialogs(dialogs: Sequence[Dialog], path: NodePath, cast: Cast, report: Report) -> None:
    examine_count(len(dialogs), MAX_DIALOGS, path, report)
    for index, dialog in enumerate(dialogs):
        place = (*path, index)
        if not dialog.text.strip():
            report.add((*place, "text"), "the text is empty", allowed="what is to be lettered")
        if dialog.speaker:
            cast.examine(dialog.speaker, (*place, "speaker"), aliases=False)
        elif dialog.kind in SPOKEN_KINDS and (*place, "kind") not in report.wrong_paths:
            report.add(
                (*place, "speaker"),
                f"nobody says this {dialog.kind}",
                allowed="a name of the cast; or kind narration or sound",
            )
        _examine_box(dialog.box, (*place, "box"), report)
        _examine_angle(dialog, (*place, "angle"), report)


def _examine_angle(dialog: Dialog, path: NodePath, report: Report) -> None:
    if dialog.angle is None:
        return
    if dialog.kind != "sound":
        report.add(path, f"this {dialog.kind} cannot be turned", allowed="an angle for sounds only")
    elif not -90 <= dialog.angle <= 90:
        report.add(path, f"{dialog.angle:g} degrees is too far", allowed="-90 to 90 degrees")


def _examine_box(box: Box | None, path: NodePath, report: Report) -> None:
    if box is None:
        return
    if not all(0 <= side <= 1 for side in (box.left, box.top, box.right, box.bottom)):
        report.add(path, "the box leaves the panel", allowed="fractions from 0 to 1")
    elif box.right < box.left or box.bottom < box.top:
        allowed = "[left, top, right, bottom] with left < right and top < bottom"
        report.add(path, "the box is inverted", allowed=allowed)
    elif box.area <= 0:
        report.add(path, "the box has no area", allowed="left < right and top < bottom")
