from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from storyboard.checks import check_file, check_plan, check_story
from storyboard.errors import MissingError
from storyboard.layout.templates import load_templates

PLAN = "format: storyboard-plan/1\ntitle: x\npages:\n  - panels: [{id: a, caption: x}]\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("story.yaml", "title: x\nstory: x\npages: 4\n"),
        ("story.yml", "title: x\nstory: x\n"),
        ("story.txt", "The Fox\n\nA fox ran."),
        ("story.md", "# The Fox\nA fox ran."),
        ("story.plan.yaml", PLAN),
    ],
)
def test_a_right_file_has_no_problems(tmp_path: Path, name: str, text: str) -> None:
    assert check_file(written(tmp_path, name, text)) == []


@pytest.mark.parametrize("text", [PLAN, PLAN.partition("\n")[2]])
def test_a_plan_is_known_by_what_it_holds(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, "any.yaml", text.replace("caption", "captoin"))
    assert [problem.path for problem in check_file(path)] == [
        "pages[0].panels[0].captoin",
        "pages[0].panels[0].caption",
    ]


def test_a_story_is_never_taken_for_a_plan(tmp_path: Path) -> None:
    path = written(tmp_path, "any.yaml", "title: x\npages: four\nstory: x\n")
    assert [problem.path for problem in check_file(path)] == ["pages"]


def test_every_template_that_ships_is_known_in_plans(tmp_path: Path) -> None:
    for template in load_templates():
        text = PLAN.replace("- panels", f"- template: {template.name}\n    panels")
        assert check_plan(written(tmp_path, "plan.yaml", text)) == []
    (problem,) = check_plan(written(tmp_path, "plan.yaml", text.replace(template.name, "nope")))
    assert problem.path == "pages[0].template"


@pytest.mark.parametrize("check", [check_file, check_story, check_plan])
def test_a_file_that_cannot_be_read_is_one_problem(tmp_path: Path, check: object) -> None:
    assert callable(check)
    (problem,) = check(written(tmp_path, "story.yaml", "title: [x\n"))
    assert problem.line == 2
    assert problem.message.startswith("broken YAML")


def test_a_missing_file_is_a_missing_error(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        check_file(tmp_path / "story.yaml")


def test_the_examples_in_the_documentation_are_right(tmp_path: Path) -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "files.md"
    (tmp_path / "cast").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "cast" / "mika.png")
    examples = re.findall(r"```yaml\n(.*?)```", docs.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        assert check_file(written(tmp_path, "example.yaml", example)) == []
