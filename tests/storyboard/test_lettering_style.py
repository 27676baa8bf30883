from __future__ import annotations

from pathlib import Path

import pytest

from storyboard.checks import check_plan
from storyboard.lettering_style import LetteringStyle
from storyboard.plan import Dialog, Page, Panel, Plan, load_plan, save_plan


def test_a_plan_keeps_its_lettering_and_the_angle_of_a_sound(tmp_path: Path) -> None:
    style = LetteringStyle(direction="vertical", smallest_pt=7.5, font="fonts/a b.ttf")
    dialogs = (Dialog("Crack", kind="sound", angle=-12.5), Dialog("It is *so*.", kind="narration"))
    plan = Plan("Rain", (Page((Panel("p01-1", "a room", dialogs=dialogs),)),), lettering=style)
    save_plan(plan, tmp_path / "rain.plan.yaml")
    assert load_plan(tmp_path / "rain.plan.yaml") == plan


def test_the_direction_is_the_languages_own_unless_given() -> None:
    assert LetteringStyle().is_vertical_in("ja-JP")
    assert not LetteringStyle().is_vertical_in("zh")
    assert not LetteringStyle(direction="horizontal").is_vertical_in("ja")
    assert LetteringStyle(direction="vertical").is_vertical_in("zh")


def test_fonts_are_found_from_the_storys_folder() -> None:
    style = LetteringStyle(font="a.ttf", sound_font="/fonts/b.ttf").within(Path("books/rain"))
    assert style.font_paths == {"font": "books/rain/a.ttf", "sound_font": "/fonts/b.ttf"}


@pytest.mark.parametrize(
    ("dialog", "expected"),
    [
        ("{kind: sound, text: Crack, angle: 120}", "120 degrees is too far"),
        ("{kind: narration, text: Then, angle: 5}", "this narration cannot be turned"),
    ],
)
def test_angles_are_for_sounds_and_have_limits(tmp_path: Path, dialog: str, expected: str) -> None:
    path = tmp_path / "rain.plan.yaml"
    path.write_text(
        "format: storyboard-plan/1\ntitle: Rain\npages:\n  - panels:\n"
        f"      - id: p01-1\n        caption: a room\n        dialogs:\n          - {dialog}\n"
    )
    (problem,) = check_plan(path)
    assert expected in str(problem)
