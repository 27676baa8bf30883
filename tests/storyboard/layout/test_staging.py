"""Staging gives every character and dialog of a plan a box, the same one every time."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import StoryError
from storyboard.geometry import Box
from storyboard.layout.page_sizes import safe_area
from storyboard.layout.staging import StagedPage, face_zone, stage
from storyboard.layout.templates import load_templates
from storyboard.lettering_style import Squeeze
from storyboard.plan import CharacterPlacement, Dialog, Page, Panel, Plan
from storyboard.story import Character

TEMPLATES = load_templates()
CAST = ("Mika", "Ren", "Yuki", "Grandfather")
TEXTS = ("No.", "Hold still, will you?", "I never thought that the harbour would be so quiet.")


def measure(
    dialog: Dialog, max_width_mm: float, max_height_mm: float, _squeeze: Squeeze
) -> tuple[float, float]:
    """A balloon as large as its text: 3 mm letters, smaller ones where the room is short."""
    longest = max(map(len, dialog.text.split()), default=1)
    for size in (3.0, 2.5, 2.0):
        area = 25 + len(dialog.text) * size * size * 1.3
        width = max(min(max_width_mm, math.sqrt(1.6 * area)), longest * size * 0.6 + 4)
        if width <= max_width_mm and area / width <= max_height_mm:
            break
    return width, area / width


def plan_of(*panels: Panel, reading="ltr", template="") -> Plan:
    cast = tuple(Character(name) for name in CAST)
    return Plan("T", (Page(panels, template=template),), reading=reading, characters=cast)


@st.composite
def panels(draw, number: int) -> Panel:
    names = draw(st.lists(st.sampled_from(CAST), unique=True, max_size=3))
    kinds = st.sampled_from(["speech", "narration", "sound"])
    dialogs = []
    for text, kind in draw(st.lists(st.tuples(st.sampled_from(TEXTS), kinds), max_size=2)):
        speaker = names[0] if names and kind == "speech" else ""
        dialogs.append(Dialog(text, speaker, "narration" if not speaker else kind))
    return Panel(
        f"p01-{number}",
        "",
        shot=draw(st.sampled_from(["wide", "full", "medium", "close-up", "detail"])),
        characters=tuple(CharacterPlacement(name) for name in names),
        dialogs=tuple(dialogs),
    )


@st.composite
def plans(draw) -> Plan:
    count = draw(st.integers(1, 5))
    drawn = [draw(panels(number)) for number in range(1, count + 1)]
    return plan_of(*drawn, reading=draw(st.sampled_from(["ltr", "rtl"])))


@given(plans())
@settings(max_examples=15, deadline=None)
def test_every_box_is_filled_in_and_balloons_keep_to_panel_and_safe_area(plan):
    (page,) = stage(plan, TEMPLATES, measure)
    safe = safe_area(page.size)
    for staged in page.panels:
        for box in [one.box for one in (*staged.panel.characters, *staged.panel.dialogs)]:
            assert 0 <= box.left < box.right <= 1
            assert 0 <= box.top < box.bottom <= 1
            assert all(round(value, 3) == value for value in msgspec.structs.astuple(box))
        for dialog in staged.panel.dialogs:
            box = dialog.box.within(staged.bounds_mm)
            assert box.overlap(safe) == pytest.approx(box.area, rel=0.03)


@given(plans())
@settings(max_examples=5, deadline=None)
def test_the_same_plan_is_staged_the_same(plan):
    assert stage(plan, TEMPLATES, measure) == stage(plan, TEMPLATES, measure)


@given(plans(), st.text("abc ", min_size=3, max_size=30).filter(str.strip))
@settings(max_examples=10, deadline=None)
def test_another_text_moves_neither_frames_nor_characters(plan, text):
    def still(pages: tuple[StagedPage, ...]) -> list[object]:
        return [(p.frame_mm, p.panel.characters) for page in pages for p in page.panels]

    changed = msgspec.structs.replace(
        plan,
        pages=tuple(
            Page(
                tuple(
                    msgspec.structs.replace(
                        panel,
                        dialogs=tuple(
                            msgspec.structs.replace(dialog, text=text) for dialog in panel.dialogs
                        ),
                    )
                    for panel in page.panels
                )
            )
            for page in plan.pages
        ),
    )
    assert still(stage(plan, TEMPLATES, measure)) == still(stage(changed, TEMPLATES, measure))


def test_boxes_of_the_plan_are_obeyed_to_the_last_digit():
    figure, balloon = Box(0.12345, 0.2, 0.5, 1.0), Box(0.6, 0.05, 0.95, 0.34567)
    panel = Panel(
        "p01-1",
        "",
        characters=(CharacterPlacement("Mika", figure), CharacterPlacement("Ren")),
        dialogs=(Dialog("No.", "Mika", box=balloon), Dialog("Yes.", "Ren")),
    )
    (staged,) = stage(plan_of(panel), TEMPLATES, measure)[0].panels
    assert staged.panel.characters[0].box == figure
    assert staged.panel.dialogs[0].box == balloon
    assert staged.explicit_dialogs == (True, False)


@pytest.mark.parametrize("reading", ["ltr", "rtl"])
def test_the_first_character_stands_where_reading_starts(reading):
    people = tuple(CharacterPlacement(name) for name in CAST[:3])
    (page,) = stage(
        plan_of(Panel("p01-1", "", characters=people), reading=reading), TEMPLATES, measure
    )
    middles = [one.box.centre[0] for one in page.panels[0].panel.characters]
    assert middles == sorted(middles, reverse=reading == "rtl")


def test_two_who_talk_in_turn_keep_to_their_own_sides():
    mika, ren = (
        Panel(
            f"p01-{n}", "", characters=(CharacterPlacement(name),), dialogs=(Dialog("No.", name),)
        )
        for n, name in enumerate(CAST[:2], start=1)
    )
    (page,) = stage(plan_of(mika, ren, template="two-halves"), TEMPLATES, measure)
    first, second = (staged.panel.characters[0].box.centre[0] for staged in page.panels)
    assert (first - 0.5) * (second - 0.5) < 0


def test_an_inset_hides_neither_faces_nor_balloons_of_its_host():
    host = Panel(
        "p01-1",
        "",
        shot="wide",
        characters=tuple(CharacterPlacement(name) for name in CAST),
        dialogs=(Dialog(TEXTS[2], "Mika"), Dialog(TEXTS[1], "Grandfather")),
    )
    inset = Panel("p01-2", "", shot="close-up", characters=(CharacterPlacement("Ren"),))
    for reading in ("ltr", "rtl"):
        plan = plan_of(host, inset, reading=reading, template="splash-with-inset")
        (page,) = stage(plan, TEMPLATES, measure)
        below, above = page.panels
        assert above.is_inset
        assert not below.is_inset
        for one in below.panel.characters:
            face = face_zone(one.box, "wide").within(below.bounds_mm)
            assert face.overlap(above.bounds_mm) == 0
        for dialog in below.panel.dialogs:
            assert dialog.box.within(below.bounds_mm).overlap(above.bounds_mm) == 0


def test_all_balloons_without_room_are_named_at_once():
    long = "incomprehensibilities " * 60
    tight = [Panel(f"p01-{n}", "", dialogs=(Dialog(long), Dialog(long))) for n in range(1, 9)]
    with pytest.raises(StoryError) as caught:
        stage(plan_of(*tight), TEMPLATES, measure)
    paths = [problem.path for problem in caught.value.problems]
    assert len(paths) == 8
    assert paths[7].startswith("pages[0].panels[7].dialogs[")
    assert "'p01-8'" in caught.value.problems[7].message


def test_a_wrong_template_is_told_with_its_page():
    plan = plan_of(Panel("p01-1", ""), template="nowhere")
    with pytest.raises(StoryError, match=r"pages\[0\]\.template.*nowhere"):
        stage(plan, TEMPLATES, measure)
