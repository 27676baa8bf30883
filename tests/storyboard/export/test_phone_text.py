from __future__ import annotations

import itertools

import pytest

from storyboard.export.phone_text import LEGIBLE_PX, larger_text
from storyboard.geometry import Box, Polygon, mm_to_pt
from storyboard.layout.staging import StagedPage, StagedPanel
from storyboard.lettering.letterer import Balloon, letter_panel
from storyboard.plan import Dialog, Panel
from storyboard.story import PageSize

PX_PER_MM = 5.0
FRAME = Box(10, 10, 160, 90)


def staged(*dialogs: Dialog, given: bool = False) -> StagedPanel:
    corners = ((10.0, 10.0), (160.0, 10.0), (160.0, 90.0), (10.0, 90.0))
    return StagedPanel(Panel("a", "", dialogs=dialogs), Polygon(corners), (given,) * len(dialogs))


def larger(panel: StagedPanel) -> tuple[tuple[Balloon, ...], tuple[Balloon, ...]]:
    """The panel's balloons as on paper and as on a phone."""
    page = StagedPage(1, "", PageSize(182, 257), "ltr", (panel,))
    before = letter_panel(1, panel, "en")
    return before, larger_text(panel, before, "en", PX_PER_MM, FRAME, page)


def em_px(balloon: Balloon) -> float:
    return balloon.size_pt / mm_to_pt(1) * PX_PER_MM


def speech(text: str, *box: float) -> Dialog:
    return Dialog(text=text, speaker="Mika", box=Box(*box))


def test_small_text_is_set_larger_where_there_is_room() -> None:
    (before,), (after,) = larger(staged(speech("Hold still, will you?", 0.4, 0.4, 0.6, 0.6)))
    assert em_px(before) < LEGIBLE_PX
    assert em_px(after) == pytest.approx(LEGIBLE_PX, abs=1)
    assert after.value == before.value


def test_a_box_of_the_writers_keeps_its_size() -> None:
    dialog = speech("Hold still, will you?", 0.4, 0.4, 0.56, 0.6)
    (before,), (after,) = larger(staged(dialog, given=True))
    assert after.body_mm == before.body_mm


def test_balloons_that_grow_stay_inside_and_apart() -> None:
    dialogs = [
        speech("What do we owe you, Mr Lindgren?", x, 0.02, x + 0.24, 0.3)
        for x in (0.01, 0.26, 0.51, 0.75)
    ]
    _, after = larger(staged(*dialogs))
    for balloon in after:
        assert balloon.body_mm.overlap(FRAME) == pytest.approx(balloon.body_mm.area)
    for one, other in itertools.combinations(after, 2):
        assert one.body_mm.overlap(other.body_mm) == 0
    lefts = [balloon.body_mm.left for balloon in after]
    assert lefts == sorted(lefts)
