from __future__ import annotations

from pathlib import Path

import pytest

from storyboard.checks import check_file
from storyboard.errors import StoryError
from storyboard.geometry import Box
from storyboard.layout.staging import stage
from storyboard.layout.templates import load_templates
from storyboard.lettering.checking import check_rooms
from storyboard.lettering.letterer import measure
from storyboard.plan import Dialog, Page, Panel, Plan

PLAN = """\
format: storyboard-plan/1
title: Rain
{more}
characters:
  - {{name: Mika, look: a girl}}
pages:
  - panels:
      - id: p01-1
        caption: a room
        dialogs:
          - {{speaker: Mika, text: "Fine."}}
          - {{speaker: Mika, text: "{text}"}}
"""


def problems(tmp_path: Path, text: str = "Well.", more: str = "language: en") -> list[str]:
    path = tmp_path / "rain.plan.yaml"
    path.write_text(PLAN.format(text=text, more=more))
    return [str(problem).removeprefix(f"{path}:") for problem in check_file(path)]


def test_a_plan_that_can_be_lettered_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path) == []
    assert problems(tmp_path, "まさか！", "language: ja") == []


def test_check_names_the_character_and_the_balloon(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "Well 😀")
    assert problem.startswith(
        "12: pages[0].panels[0].dialogs[1].text: balloon p01-1.b2: '😀' (U+1F600"
    )
    assert "is in none of the fonts: ComicNeue-Bold" in problem


def test_check_looks_at_the_writers_fonts(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, more="lettering: {font: fonts/mine.ttf}")
    assert "lettering.font: there is no font" in problem


@pytest.mark.parametrize(
    ("lettering", "expected"),
    [
        ("{smallest_pt: 1}", "lettering.smallest_pt: 1 pt is no size of text"),
        ("{size_pt: 6}", "lettering.size_pt: 6 pt is less than the smallest size"),
        ("{direction: up}", "lettering.direction"),
        ("{capitls: false}", "did you mean 'capitals'"),
    ],
)
def test_check_looks_at_the_style(tmp_path: Path, lettering: str, expected: str) -> None:
    (problem,) = problems(tmp_path, more=f"lettering: {lettering}")
    assert expected in problem


def test_check_names_lines_of_a_story(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(
        "title: Rain\ncharacters: [{name: Mika}]\nscenes:\n"
        "  - place: a room\n    lines:\n      - Mika: Well.\n      - Mika (radio): 한\n"
    )
    (problem,) = check_file(path)
    assert "scenes[0].lines[1]" in str(problem)
    assert "'한'" in str(problem)


def test_all_texts_too_long_for_their_boxes_are_named_before_anything_is_drawn() -> None:
    dialogs = tuple(
        Dialog(
            text="Are you sure this is the way?",
            kind="narration",
            box=Box(0.1, top, 0.2, top + 0.05),
        )
        for top in (0.1, 0.5)
    )
    plan = Plan("Rain", (Page((Panel("p01-1", "a room", dialogs=dialogs),)),))
    pages = stage(plan, load_templates(), measure)
    with pytest.raises(StoryError) as caught:
        check_rooms(pages, "en")
    assert "p01-1.b1 (page 1)" in str(caught.value)
    assert "p01-1.b2 (page 1)" in str(caught.value)
