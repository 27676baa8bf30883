from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pikepdf
import pytest

from storyboard import render as chain
from storyboard.errors import MissingError, StoryError, UsageError
from storyboard.importing import import_edits, plan_beside
from storyboard.plan import load_plan
from storyboard.progress import SilentProgress
from storyboard.render import Work
from storyboard.workspace import Workspace

PLAN = """\
format: storyboard-plan/1   # by hand from here on
title: The Fox in the Snow
page: {width_mm: 90, height_mm: 120, bleed_mm: 3}
characters:
  - {name: Mika, look: short black hair}
pages:
  - panels:
      - id: p01-1
        caption: Mika kneels in the snow   # left foot first
        dialogs:
          - {speaker: Mika, text: "Hold still.", kind: speech}
          - speaker: Mika
            text: I won't hurt you.
      - id: p01-2
        caption: A fox looks at her
        dialogs:
          - kind: sound
            text: 'Crack'
"""


class Heard(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    (folder / "fox.plan.yaml").write_text(PLAN)
    chain.render(Work(folder / "fox.plan.yaml", rough=True), SilentProgress())
    return folder


@pytest.fixture
def plan(rendered: Path, tmp_path: Path) -> Path:
    """A plan whose book lies beside it, in a folder of its own."""
    shutil.copytree(rendered, tmp_path / "tale")
    return tmp_path / "tale" / "fox.plan.yaml"


def edited(plan: Path, edits: Mapping[str, str], *, name: str = "fox.rough.pdf") -> Path:
    """Return the book with other words in some fields, as a viewer saves it."""
    target = plan.with_name(name)
    with pikepdf.open(plan.with_name("fox.rough.pdf"), allow_overwriting_input=True) as pdf:
        for page in pdf.pages:
            for widget in page.get("/Annots", []):
                full = f"{widget.Parent['/T']}.{widget['/T']}"
                if full in edits:
                    widget.V = pikepdf.String(edits[full])
        pdf.save(target)
    return target


def changed(pdf: Path, plan: Path, heard: Heard | None = None) -> list[str]:
    return [str(one) for one in import_edits(pdf, plan, heard or SilentProgress())]


def test_a_changed_balloon_comes_back_and_nothing_else_in_the_file_changes(plan: Path) -> None:
    pdf = edited(plan, {"p01-1.b1": "Sit up!", "p01-1.b2": "You: won't # hurt me."})
    assert changed(pdf, plan) == [
        "p01-1.b1: 'Hold still.' -> 'Sit up!'",
        'p01-1.b2: "I won\'t hurt you." -> "You: won\'t # hurt me."',
    ]
    new = PLAN.replace("Hold still.", "Sit up!")
    assert plan.read_text() == new.replace("I won't hurt you.", '"You: won\'t # hurt me."')
    assert plan.with_name("fox.before-1.plan.yaml").read_text() == PLAN


def test_the_next_render_draws_no_panel_and_shows_the_new_words(plan: Path) -> None:
    import_edits(edited(plan, {"p01-1.b1": "Sit up!"}), plan, SilentProgress())
    drawn = {
        path: path.stat().st_mtime_ns for path in Workspace.beside(plan).rough.folder.iterdir()
    }
    pdf = chain.render(Work(plan, rough=True), SilentProgress())
    after = {
        path: path.stat().st_mtime_ns for path in Workspace.beside(plan).rough.folder.iterdir()
    }
    assert after == drawn
    with pikepdf.open(pdf) as book:
        assert str(book.pages[0].Annots[0].V) == "Sit up!"
        assert str(book.pages[0].Annots[0].DV) == "Sit up!"


def test_an_unchanged_book_changes_nothing(plan: Path) -> None:
    heard = Heard()
    assert changed(plan.with_name("fox.rough.pdf"), plan, heard) == []
    assert plan.read_text() == PLAN
    assert list(plan.parent.glob("*before*")) == []
    assert "already" in heard.lines[0]


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\n"])
def test_line_breaks_of_any_viewer_become_the_writers_own(plan: Path, line_break: str) -> None:
    import_edits(edited(plan, {"p01-2.b1": f"Cr{line_break}ack "}), plan, SilentProgress())
    assert load_plan(plan).pages[0].panels[1].dialogs[0].text == "Cr\nack"


def test_what_changed_in_the_plan_as_well_is_told_and_the_rest_is_taken_over(plan: Path) -> None:
    pdf = edited(plan, {"p01-1.b1": "Sit up!", "p01-2.b1": "Crash"})
    mine = PLAN.replace("Hold still.", "Stand still.")
    plan.write_text(mine)
    with pytest.raises(StoryError, match="one change clashes") as clash:
        import_edits(pdf, plan, SilentProgress())
    (problem,) = clash.value.problems
    assert str(problem) == (
        f"{plan}:11: p01-1.b1: changed in the plan as well, from 'Hold still.' to 'Stand still.'; "
        "the PDF says 'Sit up!'"
    )
    assert plan.read_text() == mine.replace("Crack", "Crash")


def test_the_same_change_on_both_sides_is_no_clash(plan: Path) -> None:
    pdf = edited(plan, {"p01-1.b1": "Sit up!"})
    plan.write_text(PLAN.replace("Hold still.", "Sit up!"))
    assert changed(pdf, plan) == []
    assert changed(pdf, plan) == []


def test_a_balloon_is_found_again_when_another_came_before_it(plan: Path) -> None:
    pdf = edited(plan, {"p01-1.b2": "I will."})
    before = '        dialogs:\n          - {speaker: Mika, text: "Hold'
    more = PLAN.replace(
        before, before.replace("Hold", 'Hey."}\n          - {speaker: Mika, text: "Hold')
    )
    plan.write_text(more)
    assert changed(pdf, plan) == ["p01-1.b2: \"I won't hurt you.\" -> 'I will.'"]
    assert plan.read_text() == more.replace("I won't hurt you.", "I will.")


def test_a_balloon_or_panel_that_is_gone_is_told(plan: Path) -> None:
    pdf = edited(plan, {"p01-1.b2": "I will.", "p01-2.b1": "Crash"})
    gone = PLAN.replace("          - speaker: Mika\n            text: I won't hurt you.\n", "")
    plan.write_text(gone.replace("p01-2", "p01-9"))
    with pytest.raises(StoryError, match="2 changes clash") as clash:
        import_edits(pdf, plan, SilentProgress())
    told = [str(problem) for problem in clash.value.problems]
    assert "is not in panel p01-1 any more" in told[0]
    assert "panel p01-2 is not in the plan any more" in told[1]


def test_an_emptied_field_keeps_the_words_and_says_what_to_do(plan: Path) -> None:
    heard = Heard()
    assert changed(edited(plan, {"p01-1.b1": " "}), plan, heard) == []
    assert plan.read_text() == PLAN
    assert "p01-1.b1: emptied in the PDF; the plan keeps 'Hold still.'" in heard.lines[0]


def test_a_control_character_is_refused(plan: Path) -> None:
    with pytest.raises(StoryError) as clash:
        import_edits(edited(plan, {"p01-1.b1": "Sit\x07up"}), plan, SilentProgress())
    assert "U+0007" in str(clash.value.problems[0])
    assert plan.read_text() == PLAN


def without_fields(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.AcroForm
    for page in pdf.pages:
        del page.Annots


def printed(pdf: pikepdf.Pdf) -> None:
    without_fields(pdf)
    del pdf.docinfo


@pytest.mark.parametrize(
    ("spoil", "says"), [(without_fields, "final copy"), (printed, "printed to a file")]
)
def test_a_book_without_fields_is_refused_with_the_way_out(
    plan: Path, spoil: Callable[[pikepdf.Pdf], None], says: str
) -> None:
    with pikepdf.open(plan.with_name("fox.rough.pdf")) as pdf:
        spoil(pdf)
        pdf.save(plan.with_name("flat.pdf"))
    with pytest.raises(UsageError, match=says) as refused:
        import_edits(plan.with_name("flat.pdf"), plan, SilentProgress())
    assert refused.value.hint


def test_the_book_of_another_plan_is_refused(plan: Path) -> None:
    pdf = edited(plan, {"p01-1.b1": "Sit up!"})
    other = PLAN.replace("caption: ", "caption: Elsewhere, ").replace("still", "on")
    other = other.replace("Crack", "Boom").replace("hurt", "help")
    plan.write_text(other)
    with pytest.raises(UsageError, match="made from another plan"):
        import_edits(pdf, plan, SilentProgress())
    assert plan.read_text() == other


def test_without_its_attached_plan_each_field_still_knows_its_first_text(plan: Path) -> None:
    pdf, heard = edited(plan, {"p01-1.b1": "Sit up!"}), Heard()
    with pikepdf.open(pdf, allow_overwriting_input=True) as book:
        del book.attachments["plan.yaml"]
        book.save(pdf)
    assert changed(pdf, plan, heard) == ["p01-1.b1: 'Hold still.' -> 'Sit up!'"]
    assert "attached" in heard.lines[0]


def test_the_plan_is_found_by_the_books_name(tmp_path: Path) -> None:
    for name in ("fox.plan.yaml", "owl.plan.yaml"):
        (tmp_path / name).write_text(PLAN)
    for name in ("fox.pdf", "fox.rough.pdf", "fox.pages-2.rough.pdf", "fox.before-1.pdf"):
        assert plan_beside(tmp_path / name) == tmp_path / "fox.plan.yaml"
    with pytest.raises(UsageError, match=r"are fox.plan.yaml, owl.plan.yaml"):
        plan_beside(tmp_path / "edited.pdf")
    (tmp_path / "owl.plan.yaml").unlink()
    assert plan_beside(tmp_path / "edited.pdf") == tmp_path / "fox.plan.yaml"


def test_what_is_no_pdf_or_is_locked_is_told(plan: Path) -> None:
    with pytest.raises(MissingError, match="cannot be read as a PDF"):
        import_edits(plan, plan, SilentProgress())
    with pytest.raises(MissingError, match="there is no file"):
        import_edits(plan.with_name("lost.pdf"), plan, SilentProgress())
    locked = plan.with_name("locked.pdf")
    with pikepdf.open(plan.with_name("fox.rough.pdf")) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    with pytest.raises(MissingError, match="password"):
        import_edits(locked, plan, SilentProgress())
