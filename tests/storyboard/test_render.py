import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from storyboard import render as chain
from storyboard.artist import ArtRequest, OnDrawn
from storyboard.errors import (
    LockedError,
    MissingError,
    OutputError,
    PanelError,
    PanelsFailedError,
    StoryError,
    UsageError,
)
from storyboard.export.forms import Settings
from storyboard.progress import SilentProgress
from storyboard.render import Work
from storyboard.rough import RoughArtist
from storyboard.selection import Selection
from storyboard.workspace import Workspace

HEAD = """\
format: storyboard-plan/1
title: The Fox in the Snow
seed: 20411
page: {width_mm: 90, height_mm: 120, bleed_mm: 3}
characters:
  - {name: Mika, look: short black hair}
pages:
"""
PAGE = """\
  - panels:
      - id: p{page:02}-1
        caption: Mika kneels in the snow
        characters: [{{name: Mika, acting: kneeling}}]
        dialogs:
          - {{speaker: Mika, text: "{text}"}}
      - id: p{page:02}-2
        caption: A fox looks at her
        shot: close-up
"""


class Heard(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def plan(tmp_path):
    return written(tmp_path / "tale" / "fox.plan.yaml")


def written(path: Path, *, num_pages: int = 2, text: str = "Hold still.") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pages = (PAGE.format(page=page, text=text) for page in range(1, num_pages + 1))
    path.write_text(HEAD + "".join(pages))
    return path


def render(file: Path, **options: object) -> Path:
    return chain.render(Work(file, rough=True, **options), SilentProgress())


def pictures(file: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in Workspace.beside(file).rough.folder.glob("*.png")}


def test_a_plan_becomes_a_pdf_beside_it(plan):
    pdf = render(plan)
    assert pdf == plan.with_name("fox.rough.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert len(pictures(plan)) == 4


def test_a_second_render_draws_nothing_and_gives_the_same_pdf(plan):
    first, drawn = render(plan).read_bytes(), pictures(plan)
    assert render(plan).read_bytes() == first
    assert pictures(plan) == drawn


def test_a_changed_caption_draws_one_panel_and_a_changed_dialogue_none(plan):
    first, drawn = render(plan).read_bytes(), pictures(plan)
    plan.write_text(plan.read_text().replace("Hold still.", "Hold quite still.", 1))
    assert render(plan).read_bytes() != first
    assert pictures(plan) == drawn
    plan.write_text(plan.read_text().replace("A fox looks", "A wolf looks", 1))
    render(plan)
    assert len(pictures(plan).items() - drawn.items()) == 1
    assert pictures(plan).items() >= drawn.items()


def test_a_dry_run_lists_what_would_be_drawn_and_writes_nothing(plan):
    work = Work(plan, rough=True)
    lines = list(chain.dry_run(work, SilentProgress()))
    assert [line.split()[0] for line in lines] == ["p01-1", "p01-2", "p02-1", "p02-2"]
    assert all(line.endswith("new") for line in lines)
    assert list(plan.parent.iterdir()) == [plan]
    render(plan)
    plan.write_text(plan.read_text().replace("A fox looks", "A wolf looks", 1))
    (line,) = chain.dry_run(work, SilentProgress())
    assert line.startswith("p01-2")
    assert line.endswith("changed: caption")


def test_doubtful_pictures_are_told_once_before_panels_are_drawn_from_them(plan, monkeypatch):
    monkeypatch.setattr(chain, "artist_for", lambda *_: RoughArtist())
    Image.effect_noise((100, 90), 80).save(plan.parent / "mika.png")
    plan.write_text(plan.read_text().replace("black hair}", "black hair, images: [mika.png]}"))
    (warning,) = chain.warnings(plan)
    assert (warning.line, warning.path) == (6, "characters[0].images[0]")
    heard = Heard()
    chain.draw(Work(plan, selection=Selection(panels="p01-2")), heard)
    assert not any("Warning" in line for line in heard.lines)  # Mika is not in it
    chain.draw(Work(plan), heard)
    assert [line for line in heard.lines if "Warning" in line] == [f"Warning: {warning}"]
    again = Heard()
    chain.draw(Work(plan), again)
    assert not any("Warning" in line for line in again.lines)


def test_a_story_is_warned_of_like_its_plan(tmp_path):
    story = tmp_path / "fox.yaml"
    Image.effect_noise((100, 90), 80).save(tmp_path / "mika.png")
    story.write_text("title: Fox\nstory: A fox.\ncharacters: [{name: Mika, images: [mika.png]}]\n")
    (warning,) = chain.warnings(story)
    assert "only 100 x 90 pixels" in str(warning)


def test_only_the_panels_asked_for_are_drawn(plan):
    render(plan, selection=Selection(panels="p02-1"))
    assert len(pictures(plan)) == 1


def test_pages_asked_for_go_into_a_pdf_of_their_own(plan):
    assert render(plan, selection=Selection(pages="2")).name == "fox.pages-2.rough.pdf"
    assert len(pictures(plan)) == 2
    with pytest.raises(UsageError, match="pages 1 to 2"):
        render(plan, selection=Selection(pages="3"))


def test_drawing_and_lettering_alone_give_the_same_book_as_rendering(plan):
    work = Work(plan, rough=True)
    assert len(chain.draw(work, SilentProgress())) == 4
    lettered = chain.letter(work, SilentProgress()).read_bytes()
    assert render(plan).read_bytes() == lettered


def test_the_book_is_exported_in_several_forms(plan, tmp_path):
    render(plan)
    work = Work(plan, rough=True)
    paths = chain.export(work, "png,cbz", tmp_path / "out", Settings(dpi=50), SilentProgress())
    names = ["fox.rough-001.png", "fox.rough-002.png", "fox.rough.cbz"]
    assert [path.name for path in paths] == names
    assert all(path.is_file() for path in paths)


def test_a_pdf_that_someone_edited_is_kept(plan):
    pdf = render(plan)
    pdf.write_bytes(pdf.read_bytes() + b"\n% edited")
    edited, heard = pdf.read_bytes(), Heard()
    chain.render(Work(plan, rough=True), heard)
    assert pdf.with_name("fox.rough.before-1.pdf").read_bytes() == edited
    assert any("edited" in line for line in heard.lines)


def test_a_wrong_plan_is_told_with_all_its_problems_before_anything_is_made(plan):
    text = plan.read_text().replace("shot: close-up", "shot: closeup")
    plan.write_text(text.replace("speaker: Mika", "speaker: Mike"))
    with pytest.raises(StoryError) as refused:
        render(plan)
    assert len(refused.value.problems) == 4
    assert pictures(plan) == {}


def test_a_file_that_is_not_there_leaves_nothing_behind(tmp_path):
    with pytest.raises(MissingError):
        render(tmp_path / "nobody.yaml")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_model_is_told_before_anything_is_made(plan, tmp_path):
    with pytest.raises(MissingError, match="no DiffSensei model"):
        chain.render(Work(plan, model=tmp_path / "nowhere"), SilentProgress())
    assert list(plan.parent.iterdir()) == [plan]


def test_a_pdf_that_cannot_be_written_is_an_output_error_and_the_pictures_are_kept(plan):
    (plan.parent / "file").write_text("in the way of a folder")
    with pytest.raises(OutputError):
        render(plan, output=plan.parent / "file" / "fox.pdf")
    assert len(pictures(plan)) == 4


def test_the_folder_of_the_pdf_is_made(plan):
    assert render(plan, output=plan.parent / "books" / "foxes" / "fox.pdf").is_file()


class OutOfInk(RoughArtist):
    """Cannot draw the second panel of a page."""

    def draw(self, requests: Sequence[ArtRequest], done: OnDrawn) -> None:
        for request in requests:
            if request.panel_id.endswith("-2"):
                raise PanelError(request.panel_id, "out of ink")
            super().draw([request], done)


def test_panels_that_fail_are_named_with_the_command_that_draws_only_them(plan, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("storyboard.rough.RoughArtist", OutOfInk)
        with pytest.raises(PanelsFailedError, match="2 panels could not be drawn") as failed:
            render(plan)
    assert failed.value.hint is not None
    assert f"storyboard render {plan} --rough --panels p01-2,p02-2" in failed.value.hint
    assert plan.with_name("fox.rough.pdf").exists()
    incomplete, drawn = plan.with_name("fox.rough.pdf").read_bytes(), pictures(plan)
    assert render(plan, selection=Selection(panels="p01-2,p02-2")).read_bytes() != incomplete
    assert len(pictures(plan).items() - drawn.items()) == 2


def started(plan: Path) -> subprocess.Popen[str]:
    """Start a render in a process of its own, and return once it has drawn some panels."""
    process = subprocess.Popen(
        [sys.executable, "-m", "storyboard", "render", str(plan), "--rough"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored behind a `&`
    )
    deadline = time.monotonic() + 60
    while len(pictures(plan)) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None
    return process


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_render_that_was_ended_goes_on_where_it_stopped(tmp_path, ending):
    plan = written(tmp_path / "ended" / "fox.plan.yaml", num_pages=30)
    process = started(plan)
    process.send_signal(ending)
    _, told = process.communicate(timeout=60)
    if ending is not signal.SIGKILL:
        assert process.returncode == 130
        assert "goes on where it stopped" in told
    kept = pictures(plan)
    assert 3 <= len(kept) < 60
    pdf = render(plan)
    assert pictures(plan).items() >= kept.items()
    assert len(pictures(plan)) == 60
    if ending is signal.SIGKILL:
        undisturbed = render(written(tmp_path / "whole" / "fox.plan.yaml", num_pages=30))
        assert pdf.read_bytes() == undisturbed.read_bytes()


def test_a_second_process_in_the_same_folder_is_refused_with_the_name_of_the_first(tmp_path):
    plan = written(tmp_path / "fox.plan.yaml", num_pages=30)
    process = started(plan)
    with pytest.raises(LockedError, match=f"process {process.pid}"):
        render(plan)
    process.kill()
    process.communicate(timeout=60)
