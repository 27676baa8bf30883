from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from foxbook import PLAN, export, write_plan
from PIL import Image

from storyboard import render as chain
from storyboard.errors import UsageError
from storyboard.export.forms import Settings, read_forms
from storyboard.progress import SilentProgress
from storyboard.render import Work
from storyboard.selection import Selection


class Heard(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def plan(tale: Path, tmp_path: Path) -> Path:
    """The plan in a folder of its own, its roughs drawn."""
    shutil.copytree(tale, tmp_path / "tale", ignore=shutil.ignore_patterns("out"))
    return tmp_path / "tale" / "fox.plan.yaml"


def export_heard(plan: Path, forms: str) -> list[str]:
    heard = Heard()
    chain.export(Work(plan, rough=True), forms, plan.parent / "out", Settings(dpi=36), heard)
    return heard.lines


def test_forms_are_read_from_a_list() -> None:
    assert read_forms(" CBZ, epub,cbz") == ("cbz", "epub")


@pytest.mark.parametrize(("names", "told"), [("cbz,epbu", "did you mean epub"), (" , ", "no form")])
def test_an_unknown_form_is_told_with_those_there_are(names: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        read_forms(names)
    assert refused.value.hint is not None
    assert "webtoon" in refused.value.hint


def test_pages_are_pictures_of_their_trimmed_size(out: Path) -> None:
    for number in (1, 2):
        with Image.open(out / f"fox.rough-{number:03}.png") as page:
            assert page.size == pytest.approx((255, 340), abs=1)
            assert page.info["dpi"] == pytest.approx((72, 72), abs=0.1)


def test_without_a_folder_exports_lie_beside_the_story(plan: Path) -> None:
    work = Work(plan, rough=True)
    (path,) = chain.export(work, "cbz", None, Settings(dpi=36), SilentProgress())
    assert path == plan.parent / "fox.export" / "fox.rough.cbz"


def test_the_same_book_gives_the_same_bytes(plan: Path) -> None:
    first = {path.name: path.read_bytes() for path in export(plan, "cbz,epub,psd,svg", dpi=36)}
    again = {path.name: path.read_bytes() for path in export(plan, "cbz,epub,psd,svg", dpi=36)}
    assert first == again
    assert not list((plan.parent / "out").glob("*before*"))


def test_an_export_that_someone_edited_is_kept(plan: Path) -> None:
    (cbz,) = export(plan, "cbz", dpi=36)
    cbz.write_bytes(b"edited")
    told = export_heard(plan, "cbz")
    assert cbz.with_name("fox.rough.before-1.cbz").read_bytes() == b"edited"
    assert any("fox.rough.before-1.cbz" in line for line in told)
    assert not any("edited" in line for line in export_heard(plan, "cbz"))


def test_a_book_that_became_shorter_leaves_no_old_pages(plan: Path) -> None:
    export(plan, "png", dpi=36)
    out = plan.parent / "out"
    (out / "fox.rough-009.png").write_bytes(b"somebody's own")
    plan.write_text(PLAN.partition("  - chapter:")[0], encoding="utf-8")
    told = export_heard(plan, "png")
    assert sorted(path.name for path in out.iterdir()) == [
        "fox.rough-001.png",
        "fox.rough-009.png",
    ]
    assert any("fox.rough-009.png" in line for line in told)


def test_some_pages_leave_the_others_alone(plan: Path) -> None:
    export(plan, "png,cbz", dpi=36)
    paths = export(plan, "png,cbz", dpi=36, selection=Selection(pages="2"))
    assert [path.name for path in paths] == ["fox.rough-002.png", "fox.pages-2.rough.cbz"]
    assert (plan.parent / "out" / "fox.rough-001.png").exists()
    assert (plan.parent / "out" / "fox.rough.cbz").exists()


def test_panels_without_a_picture_are_named(tmp_path: Path) -> None:
    told = export_heard(write_plan(tmp_path), "cbz")
    assert any("p01-1, p01-2" in line for line in told)
