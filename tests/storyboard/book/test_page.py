from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.book.page import compose_page, placed_picture
from storyboard.geometry import Box, Point, Polygon
from storyboard.layout.staging import StagedPage, StagedPanel
from storyboard.plan import Panel
from storyboard.story import PageSize

SIZE = PageSize(182, 257, 3)


def staged(name: str, points: tuple[Point, ...], *, is_inset: bool = False) -> StagedPanel:
    return StagedPanel(Panel(id=name, caption=""), Polygon(points), (), is_inset)


def page(*panels: StagedPanel) -> StagedPage:
    return StagedPage(1, "", SIZE, "ltr", panels)


@given(st.floats(5, 200), st.floats(5, 200), st.integers(64, 2048), st.integers(64, 2048))
@settings(deadline=None, max_examples=50)
def test_a_picture_covers_its_frame_from_the_middle(
    width: float, height: float, width_px: int, height_px: int
) -> None:
    frame = Box(10, 20, 10 + width, 20 + height)
    box = placed_picture(frame, width_px, height_px)
    assert box.overlap(frame) == pytest.approx(frame.area)
    assert box.centre == pytest.approx(frame.centre)
    assert box.width / box.height == pytest.approx(width_px / height_px)


def test_a_frame_on_the_page_is_stroked_all_round() -> None:
    frame = ((10.0, 10.0), (90.0, 10.0), (90.0, 80.0), (10.0, 80.0))
    drawing = compose_page(page(staged("a", frame)), {}, ())
    assert drawing.panels[0].strokes == ((*frame, frame[0]),)


def test_edges_on_the_bleed_have_no_stroke() -> None:
    frame = ((-3.0, -3.0), (90.0, -3.0), (90.0, 80.0), (-3.0, 80.0))
    drawing = compose_page(page(staged("a", frame)), {}, ())
    assert drawing.panels[0].strokes == (((90.0, -3.0), (90.0, 80.0), (-3.0, 80.0)),)


def test_an_inset_is_drawn_over_its_host_with_a_gutter() -> None:
    inset = staged("a", ((50.0, 50.0), (70.0, 50.0), (70.0, 70.0), (50.0, 70.0)), is_inset=True)
    host = staged("b", ((10.0, 10.0), (90.0, 10.0), (90.0, 80.0), (10.0, 80.0)))
    drawing = compose_page(page(inset, host), {}, ())
    assert [panel.id for panel in drawing.panels] == ["b", "a"]
    assert [panel.gutter_mm > 0 for panel in drawing.panels] == [False, True]
