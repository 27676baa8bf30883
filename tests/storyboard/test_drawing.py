from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from storyboard.artist import ArtRequest, OnDrawn
from storyboard.cast import Character
from storyboard.drawing import (
    DAMAGED,
    draw_missing,
    panel_seed,
    studio_for,
    tasks_for,
    with_drawn_boxes,
)
from storyboard.errors import MissingError, PanelError
from storyboard.gallery import read_provenance
from storyboard.geometry import Box
from storyboard.layout.staging import StagedPage, stage
from storyboard.layout.templates import load_templates
from storyboard.plan import CharacterPlacement, Dialog, Page, Panel, Plan
from storyboard.progress import SilentProgress
from storyboard.workspace import Workspace


class GreyArtist:
    """Draws grey pictures, but fails at the panels it is told to fail at."""

    fingerprint = "grey"

    def __init__(self, fails_at: Sequence[str] = ()) -> None:
        self.fails_at = fails_at
        self.drawn: list[str] = []
        self.sizes: list[tuple[int, int]] = []

    def size_px(self, width_mm: float, height_mm: float) -> tuple[int, int]:
        return (64, 96) if width_mm > 1.5 * height_mm else (96, 64)

    def draw(self, requests: Sequence[ArtRequest], done: OnDrawn) -> None:
        for request in requests:
            if request.panel_id in self.fails_at:
                raise PanelError(request.panel_id, "out of ink")
            height_px, width_px = self.size_px(request.width_mm, request.height_mm)
            self.drawn.append(request.panel_id)
            self.sizes.append((height_px, width_px))
            image = Image.new("L", (width_px, height_px), request.seed % 256)
            done(request.panel_id, image, {"ink": "grey"})


def panel(panel_id: str, text: str = "Hold still.") -> Panel:
    return Panel(
        id=panel_id,
        caption=f"Mika kneels in the snow, {panel_id}",
        characters=(CharacterPlacement(name="Mika"),),
        dialogs=(Dialog(text=text, speaker="Mika"),),
    )


PLAN = Plan(
    title="Fox",
    seed=3,
    characters=(Character(name="Mika", aliases=("the girl",), look="short hair"),),
    pages=(
        Page(panels=(panel("p01-1"), panel("p01-2"), panel("p01-3"))),
        Page(panels=(panel("p02-1"), panel("p02-2"))),
    ),
)


def with_first_panel(**changes: object) -> Plan:
    first, *others = PLAN.pages[0].panels
    changed = msgspec.structs.replace(first, **changes)
    page = msgspec.structs.replace(PLAN.pages[0], panels=(changed, *others))
    return msgspec.structs.replace(PLAN, pages=(page, *PLAN.pages[1:]))


class Desk:
    """A work folder, and what happens when a plan is drawn in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = Workspace(folder / "fox.storyboard")

    def tasks(self, plan: Plan = PLAN, artist: GreyArtist | None = None, *, rough: bool = False):
        studio = studio_for(self.workspace, artist or GreyArtist(), rough=rough)
        return tasks_for(plan, staged(plan), self.folder, studio), studio

    def draw(
        self, plan: Plan = PLAN, *, fails_at: Sequence[str] = (), rough: bool = False
    ) -> tuple[list[str], dict[str, Path], tuple[PanelError, ...]]:
        artist = GreyArtist(fails_at)
        tasks, studio = self.tasks(plan, artist, rough=rough)
        pictures, failed = draw_missing(tasks, studio, SilentProgress())
        there = {task.panel_id: task.picture for task in tasks if task.picture}
        return artist.drawn, there | pictures, failed


def staged(plan: Plan) -> tuple[StagedPage, ...]:
    return stage(plan, load_templates(), lambda dialog, *_: (10 + len(dialog.text) / 4, 10.0))


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_every_panel_is_drawn_once_and_never_again(desk):
    assert sorted(desk.draw()[0]) == ["p01-1", "p01-2", "p01-3", "p02-1", "p02-2"]
    drawn, pictures, _ = desk.draw()
    assert drawn == []
    assert len(pictures) == 5


def test_panels_of_one_size_are_drawn_together(desk):
    artist = GreyArtist()
    last = Page(panels=(panel("p03-1"), panel("p03-2"), panel("p03-3")))
    longer = msgspec.structs.replace(PLAN, pages=(*PLAN.pages, last))
    tasks, studio = desk.tasks(longer, artist)
    draw_missing(tasks, studio, SilentProgress())
    assert len(artist.drawn) == 8
    changes = sum(a != b for a, b in zip(artist.sizes, artist.sizes[1:], strict=False))
    assert changes == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"caption": "Mika runs"}, "changed: caption"),
        ({"seed": 9}, "changed: seed"),
        ({"shot": "close-up"}, "changed: shot, characters"),
        (
            {"characters": (CharacterPlacement(name="Mika", acting="kneeling"),)},
            "changed: characters",
        ),
        (
            {"dialogs": (Dialog(text="Hold still.", speaker="Mika", kind="whisper"),)},
            "changed: dialogs",
        ),
    ],
)
def test_a_change_to_a_panel_redraws_that_panel_and_says_why(desk, changes, why):
    desk.draw()
    tasks, _ = desk.tasks(with_first_panel(**changes))
    waiting = [(task.panel_id, task.why) for task in tasks if task.picture is None]
    assert waiting == [("p01-1", why)]


def test_a_changed_dialogue_or_note_redraws_nothing(desk):
    desk.draw()
    longer = (Dialog(text="Hold still, little one, and let me look at you.", speaker="Mika"),)
    assert desk.draw(with_first_panel(dialogs=longer, notes="better"))[0] == []


def test_a_change_taken_back_redraws_nothing(desk):
    desk.draw()
    desk.draw(with_first_panel(caption="Mika runs"))
    assert desk.draw()[0] == []


def test_a_changed_picture_of_a_character_redraws_the_panels_with_it(desk):
    (desk.folder / "mika.png").write_bytes(b"one")
    person = Character(name="Mika", look="short hair", images=("mika.png",))
    plan = msgspec.structs.replace(PLAN, characters=(person,))
    desk.draw(plan)
    assert desk.draw(plan)[0] == []
    (desk.folder / "mika.png").write_bytes(b"two")
    assert len(desk.draw(plan)[0]) == 5


def test_a_missing_picture_of_a_character_is_told_before_anything_is_drawn(desk):
    person = Character(name="Mika", images=("mika.png",))
    with pytest.raises(MissingError, match=r"p01-1 needs the picture .*mika\.png"):
        desk.draw(msgspec.structs.replace(PLAN, characters=(person,)))


def test_a_locked_panel_keeps_its_last_picture_whatever_changes(desk):
    first = desk.draw()[1]["p01-1"]
    plan = with_first_panel(caption="Mika runs", locked=True, dialogs=())
    drawn, pictures, _ = desk.draw(plan)
    assert drawn == []
    assert pictures["p01-1"] == first


def test_a_locked_panel_without_a_picture_is_drawn(desk):
    assert "p01-1" in desk.draw(with_first_panel(locked=True))[0]


def test_a_locked_panel_keeps_its_picture_when_the_index_is_lost(desk):
    first = desk.draw()[1]["p01-1"]
    (desk.workspace.panels.folder / "panels.json").unlink()
    pictures = Desk(desk.folder).draw(with_first_panel(caption="Mika runs", locked=True))[1]
    assert pictures["p01-1"] == first


def test_a_damaged_picture_is_drawn_again(desk):
    damaged = desk.draw()[1]["p01-2"]
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert [t.why for t in desk.tasks()[0] if t.picture is None] == [DAMAGED]
    assert desk.draw()[0] == ["p01-2"]
    assert read_provenance(damaged) is not None


def test_a_panel_that_fails_does_not_keep_the_others_from_being_drawn(desk):
    drawn, pictures, failed = desk.draw(fails_at=["p01-1", "p02-2"])
    assert sorted(drawn) == sorted(pictures) == ["p01-2", "p01-3", "p02-1"]
    assert sorted(error.panel_id for error in failed) == ["p01-1", "p02-2"]
    assert sorted(desk.draw()[0]) == ["p01-1", "p02-2"]


def test_roughs_and_drawn_panels_do_not_mix(desk):
    rough = desk.draw(rough=True)[1]
    drawn = desk.draw()[1]
    assert not set(rough.values()) & set(drawn.values())
    locked = with_first_panel(locked=True)
    assert desk.draw(locked, rough=True)[1]["p01-1"] == drawn["p01-1"]


def test_a_new_text_goes_where_its_panel_was_drawn_to_have_it(desk):
    before = staged(PLAN)[0].panels[0].panel.dialogs[0].box
    desk.draw()
    longer = with_first_panel(dialogs=(Dialog(text="Hold still. " * 9, speaker="Mika"),))
    pages = staged(longer)
    assert pages[0].panels[0].panel.dialogs[0].box != before
    placed = with_drawn_boxes(pages, desk.draw(longer)[1])
    assert placed[0].panels[0].panel.dialogs[0].box == before
    assert placed[0].panels[0].panel.dialogs[0].text == "Hold still. " * 9


def test_a_dialog_box_in_the_plan_is_obeyed(desk):
    box = Box(0.1, 0.1, 0.5, 0.4)
    plan = with_first_panel(dialogs=(Dialog(text="Hold still.", speaker="Mika", box=box),))
    placed = with_drawn_boxes(staged(plan), desk.draw(plan)[1])
    assert placed[0].panels[0].panel.dialogs[0].box == box


def test_a_panels_seed_depends_on_its_own_id_and_the_books_seed():
    assert panel_seed(3, "p01-1") == panel_seed(3, "p01-1")
    assert len({panel_seed(s, p) for s in (3, 4) for p in ("p01-1", "p01-2")}) == 4
    assert 0 <= panel_seed(3, "p01-1") < 2**31
