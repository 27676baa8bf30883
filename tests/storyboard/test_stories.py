"""The example stories: right as they stand, and books in the end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pikepdf
import pytest

from storyboard.book.readback import read_book
from storyboard.checks import check_file
from storyboard.progress import SilentProgress
from storyboard.render import Work, render
from storyboard.story import read_story

STORIES = Path(__file__).resolve().parents[2] / "stories"
EXAMPLES = sorted(
    path
    for path in STORIES.glob("*/*")
    if path.name == "story.yaml" or path.suffix in {".txt", ".md"}
)
DAY_OR_NIGHT = STORIES / "day-or-night" / "story.yaml"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_has_no_problems(example: Path) -> None:
    assert check_file(example) == []


def test_the_synopsis_opens_with_its_title() -> None:
    assert read_story(STORIES / "the-queue" / "synopsis.txt").title == "The Queue"


@pytest.mark.timeout(600)  # a whole book: seconds on a free machine, minutes on a busy one
def test_the_listed_story_becomes_a_book_with_a_field_for_every_line(tmp_path: Path) -> None:
    shutil.copytree(DAY_OR_NIGHT.parent, tmp_path / "story", ignore=_what_rendering_leaves)
    story = read_story(DAY_OR_NIGHT)
    panels = [panel for scene in story.scenes for panel in scene.panels]
    written = [text for panel in panels for line in panel.lines for text in line.values()]

    work = Work(tmp_path / "story" / "story.yaml", rough=True)
    pdf = render(work, SilentProgress())
    values = [field.value for field in read_book(pdf).fields]
    with pikepdf.open(pdf) as book:
        num_pages = len(book.pages)

    assert sorted(values) == sorted(written)
    assert num_pages == 1 + sum(panel.page_break for panel in panels)


def _what_rendering_leaves(folder: str, names: list[str]) -> list[str]:
    del folder
    return [name for name in names if name.endswith((".plan.yaml", ".storyboard", ".pdf"))]
