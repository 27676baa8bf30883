"""What cannot be lettered, told before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from storyboard.errors import StoryboardError, StoryError
from storyboard.layout.staging import StagedPage
from storyboard.lettering.rooms import overflow, set_in
from storyboard.lettering.texts import Hand, trouble_with
from storyboard.lettering.typefaces import writers_font
from storyboard.lettering_style import LetteringStyle
from storyboard.lines import DialogKind, LineError, parse_line
from storyboard.plan import Plan
from storyboard.problems import Problem
from storyboard.report import Report
from storyboard.story import Story
from storyboard.yamlfile import Document, NodePath

_Said = tuple[NodePath, str, DialogKind, str]  # where, what to call it, its kind, its text


def plan_lettering_problems(plan: Plan, document: Document, folder: Path) -> list[Problem]:
    """Return every balloon of a plan that cannot be lettered, and every font that cannot be used.

    Args:
        plan: what was read from the document.
        document: knows the lines.
        folder: where the paths of the writer's fonts start.
    """
    return _problems(_said_in_plan(plan), plan.language, plan.lettering, document, folder)


def story_lettering_problems(story: Story, document: Document, folder: Path) -> list[Problem]:
    """Return every line of a story's scenes that cannot be lettered; see `plan_...`."""
    return _problems(_said_in_story(story), story.language, story.lettering, document, folder)


def check_rooms(pages: Sequence[StagedPage], language: str) -> None:
    """Make sure that texts fit the boxes that the plan gives them.

    Raises:
        StoryError: some do not; the error names each balloon and says by how much.
    """
    messages = [
        message
        for page in pages
        for staged in page.panels
        for number, (dialog, given) in enumerate(
            zip(staged.panel.dialogs, staged.explicit_dialogs, strict=True), start=1
        )
        if given and dialog.box is not None
        for box in [dialog.box.within(staged.bounds_mm)]
        for hand in [Hand(language, staged.lettering)]
        if set_in(dialog, hand, box.width, box.height) is None
        for message in [
            overflow(dialog, hand, box, f"{staged.panel.id}.b{number} (page {page.number})")
        ]
    ]
    if messages:
        raise StoryError(
            "; ".join(messages),
            hint="shorten the text, split it over two balloons, or make its `box` larger",
        )


def _problems(
    said: Iterator[_Said],
    language: str,
    style: LetteringStyle,
    document: Document,
    folder: Path,
) -> list[Problem]:
    report = Report(document.file, document)
    hand = Hand(language, _with_usable_fonts(style.within(folder), report))
    for path, name, kind, text in said:
        trouble = trouble_with(text, kind, hand) if text.strip() else ""
        if trouble:
            report.add(path, f"{name}: {trouble}", allowed="characters that a font here has")
    return [problem for problem in report.problems if problem not in document.duplicates]


def _with_usable_fonts(style: LetteringStyle, report: Report) -> LetteringStyle:
    """Return the style without the fonts that cannot be used, which are reported."""
    unusable: dict[str, str] = {}
    for field, path in style.font_paths.items():
        try:
            writers_font(Path(path))
        except StoryboardError as err:
            report.add(("lettering", field), str(err), allowed=err.hint or "")
            unusable[field] = ""
    return msgspec.structs.replace(style, **unusable)


def _said_in_plan(plan: Plan) -> Iterator[_Said]:
    for page_number, page in enumerate(plan.pages):
        for panel_number, panel in enumerate(page.panels):
            for index, dialog in enumerate(panel.dialogs):
                path = ("pages", page_number, "panels", panel_number, "dialogs", index, "text")
                yield path, f"balloon {panel.id}.b{index + 1}", dialog.kind, dialog.text


def _said_in_story(story: Story) -> Iterator[_Said]:
    for number, scene in enumerate(story.scenes):
        place: NodePath = ("scenes", number)
        groups = [(place, scene.lines)]
        groups += [
            ((*place, "panels", index), panel.lines) for index, panel in enumerate(scene.panels)
        ]
        for where, lines in groups:
            for index, line in enumerate(lines):
                try:
                    spoken = parse_line(line)
                except LineError:  # reported where lines are read
                    continue
                yield (*where, "lines", index), f"line {index + 1}", spoken.kind, spoken.text
