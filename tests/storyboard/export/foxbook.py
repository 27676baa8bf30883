"""A small book that the tests of exports share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storyboard import render as chain
from storyboard.export.forms import Settings
from storyboard.progress import SilentProgress
from storyboard.render import Work

PLAN = """\
format: storyboard-plan/1
title: "The Fox & the <Snow>"
author: A. Writer
language: en
reading: rtl
page: {width_mm: 90, height_mm: 120, bleed_mm: 3, safe_mm: 5}
characters:
  - {name: Mika, look: short black hair}
pages:
  - template: two-over-wide
    panels:
      - id: p01-1
        caption: 'Mika kneels & looks at "the trap"'
        characters: [{name: Mika, acting: kneeling}]
        dialogs:
          - {speaker: Mika, text: Hold still <now> & wait.}
      - {id: p01-2, caption: A fox in a trap, shot: close-up}
      - id: p01-3
        caption: The forest at night
        shot: wide
        dialogs:
          - {kind: narration, text: That was the first winter.}
          - {kind: sound, text: CRACK}
  - chapter: The Thaw & after
    template: splash-with-inset
    panels:
      - {id: p02-1, caption: Snow falls, shot: wide}
      - {id: p02-2, caption: An eye, shot: detail}
"""
JAPANESE = "{漢字|かんじ}は12時に、*とても*難しい!!"
FORMS = "png,cbz,epub,webtoon,ora,psd,svg"


def write_plan(folder: Path, text: str = PLAN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fox.plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def export(plan: Path, forms: str, *, dpi: float | None = 72, **options: Any) -> tuple[Path, ...]:
    work = Work(plan, rough=True, **options)
    folder = plan.parent / "out"
    return chain.export(work, forms, folder, Settings(dpi=dpi), SilentProgress())
