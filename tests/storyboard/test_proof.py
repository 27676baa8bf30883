from __future__ import annotations

from pathlib import Path

import pytest

from storyboard import render as chain

PLAN = """\
format: storyboard-plan/1
title: x
page: {{width_mm: 100, height_mm: 140, safe_mm: {safe}}}
pages:
  - template: splash
    panels:
      - id: a
        caption: x
        shot: wide
        dialogs:
          - {{kind: {kind}, text: Once upon a time{box}}}
"""


def warnings(
    tmp_path: Path, *, kind: str = "narration", box: str = "", safe: float = 10
) -> list[str]:
    path = tmp_path / "fox.plan.yaml"
    given = f", box: {box}" if box else ""
    path.write_text(PLAN.format(kind=kind, box=given, safe=safe), encoding="utf-8")
    return [str(problem) for problem in chain.warnings(path)]


@pytest.mark.parametrize("kind", ["narration", "sound"])
def test_a_dialog_that_is_staged_is_safe(tmp_path: Path, kind: str) -> None:
    assert warnings(tmp_path, kind=kind) == []


def test_letters_near_the_edge_are_told_with_side_distance_and_line(tmp_path: Path) -> None:
    (told,) = warnings(tmp_path, box="[0.3, 0, 0.7, 0.1]")
    assert "fox.plan.yaml:11: pages[0].panels[0].dialogs[0]" in told
    assert "balloon a.b1" in told
    assert "mm at the top" in told
    assert "80 x 120 mm" in told


def test_the_writers_own_distance_counts(tmp_path: Path) -> None:
    box = "[0.1, 0.1, 0.5, 0.2]"
    assert warnings(tmp_path, box=box, safe=5) == []
    assert len(warnings(tmp_path, box=box, safe=20)) == 1


def test_sounds_may_reach_to_the_edge_of_the_page_but_not_over_it(tmp_path: Path) -> None:
    assert warnings(tmp_path, kind="sound", box="[0.03, 0.1, 0.6, 0.2]") == []
    (told,) = warnings(tmp_path, kind="sound", box="[0, 0.1, 0.2, 0.2]")
    assert "leave the page" in told


def test_a_story_has_no_pages_yet(tmp_path: Path) -> None:
    path = tmp_path / "fox.yaml"
    path.write_text("title: x\nstory: A fox ran.\n", encoding="utf-8")
    assert chain.warnings(path) == ()
