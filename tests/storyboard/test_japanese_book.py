"""A story in Japanese, a plan in Chinese: from the writer's file to the lettered page."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest
from click.testing import CliRunner

from storyboard.cli import main
from storyboard.plan import load_plan

STORY = """\
title: 雪の狐
language: ja
page: {width_mm: 120, height_mm: 170}
lettering: {smallest_pt: 7.5}
characters:
  - {name: 美香, look: short black hair}
  - {name: 健, look: a man with a beard}
scenes:
  - place: a forest
    panels:
      - caption: 美香 kneels in the snow beside 健
        characters: [美香, 健]
        lines:
          - narration: あれは{二十歳|はたち}の冬、12月のことだった。
          - 美香: まさか、本当に来るとは思わなかった！
          - 健（shout）: 逃げろ!!
          - 健 (radio): "もしもし、{何処|どこ}？"
          - sound: ドーン
"""
CHINESE = """\
format: storyboard-plan/1
title: 港口
language: zh
page: {width_mm: 120, height_mm: 120}
characters:
  - {name: 小李, look: a young man}
pages:
  - panels:
      - id: p01-1
        caption: 小李 shouts, angry
        characters: [{name: 小李}]
        dialogs:
          - {speaker: 小李, kind: radio, text: "你以为这样就能打败我吗？"}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def fields(pdf: Path) -> list[str]:
    with pikepdf.open(pdf) as opened:
        return [
            str(widget.V if "/V" in widget else widget.Parent.V)
            for page in opened.pages
            for widget in page.get("/Annots", [])
        ]


def test_a_japanese_story_is_planned_checked_and_lettered(tmp_path: Path) -> None:
    story = tmp_path / "yuki.yaml"
    story.write_text(STORY)
    assert "no problems" in run("check", story)
    run("render", story, "--rough")
    plan = load_plan(tmp_path / "yuki.plan.yaml")
    assert plan.reading == "rtl"
    assert plan.lettering.smallest_pt == 7.5
    said = [dialog.text for dialog in plan.pages[0].panels[0].dialogs]
    assert said[1:] == [
        "まさか、本当に来るとは思わなかった！",
        "逃げろ!!",
        "もしもし、{何処|どこ}？",
        "ドーン",
    ]
    assert fields(tmp_path / "yuki.rough.pdf") == said
    assert "no problems" in run("check", tmp_path / "yuki.plan.yaml")


def test_a_chinese_plan_is_lettered_and_can_be_left_blank(tmp_path: Path) -> None:
    plan = tmp_path / "gang.plan.yaml"
    plan.write_text(CHINESE)
    run("render", plan, "--rough")
    assert fields(tmp_path / "gang.rough.pdf") == ["你以为这样就能打败我吗？"]
    run("letter", plan, "--rough", "--no-text")
    assert fields(tmp_path / "gang.rough.blank.pdf") == []
    assert fields(tmp_path / "gang.rough.pdf") == ["你以为这样就能打败我吗？"]
