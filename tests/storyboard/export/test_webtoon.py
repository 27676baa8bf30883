from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from storyboard.book.page import compose_page
from storyboard.export.webtoon import (
    STRIP_HEIGHT_PX,
    STRIP_WIDTH_PX,
    Block,
    page_blocks,
    strips,
)
from storyboard.geometry import Box, Polygon
from storyboard.layout.page_sizes import inner_frame
from storyboard.layout.staging import StagedPage, StagedPanel
from storyboard.plan import Panel
from storyboard.story import PageSize

BLOCKS = st.lists(
    st.tuples(st.integers(1, 1160), st.integers(1, 800), st.sampled_from((60, 120))),
    min_size=1,
    max_size=12,
)


def column(found: list[Image.Image]) -> Image.Image:
    """The strips one below the other without a seam."""
    whole = Image.new("L", (STRIP_WIDTH_PX, sum(strip.height for strip in found)))
    top = 0
    for strip in found:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


@settings(max_examples=40, deadline=None)
@given(BLOCKS)
def test_strips_hold_every_panel_whole_in_order_and_are_never_too_high(
    sizes: list[tuple[int, int, int]],
) -> None:
    blocks = [
        Block(str(number), Image.new("L", (width, height), number), gap)
        for number, (height, width, gap) in enumerate(sizes)
    ]
    found = list(strips(blocks))
    assert all(strip.size[0] == STRIP_WIDTH_PX for strip in found)
    assert max(strip.height for strip in found) <= STRIP_HEIGHT_PX
    for strip in found:  # first and last row are gutter
        assert strip.crop((0, 0, STRIP_WIDTH_PX, 1)).getextrema() == (255, 255)
        assert strip.crop((0, strip.height - 1, STRIP_WIDTH_PX, strip.height)).getextrema() == (
            255,
            255,
        )
    whole = column(found)
    x = STRIP_WIDTH_PX // 2 - 1
    rows = list(whole.crop((x, 0, x + 1, whole.height)).tobytes())
    for number, (height, _, _) in enumerate(sizes):
        assert rows.count(number) == height
    inked = [row for row in rows if row != 255]
    assert inked == sorted(inked)


def test_cuts_keep_the_gaps_between_panels() -> None:
    blocks = [Block(str(n), Image.new("L", (700, 1000), 0), 60) for n in range(3)]
    found = list(strips(blocks))
    assert len(found) == 3
    rows = column(found).getchannel(0).resize((1, sum(s.height for s in found))).tobytes()
    assert rows.strip(b"\xff").count(255) == 2 * 60


def test_strips_are_numbered_and_no_wider_or_higher_than_asked(out: Path) -> None:
    paths = sorted(out.glob("fox.rough-strip-*.png"))
    assert [path.name[-7:-4] for path in paths] == [f"{n + 1:03}" for n in range(len(paths))]
    for path in paths:
        with Image.open(path) as strip:
            assert strip.width == STRIP_WIDTH_PX
            assert strip.height <= STRIP_HEIGHT_PX


def staged(*panels: tuple[str, Box, bool]) -> StagedPage:
    """A page of 100 x 140 mm."""
    placed = [
        StagedPanel(Panel(name, ""), Polygon(corners(box)), (), is_inset=is_inset)
        for name, box, is_inset in panels
    ]
    return StagedPage(1, "", PageSize(100, 140, 3), "ltr", tuple(placed))


def corners(box: Box) -> tuple[tuple[float, float], ...]:
    return (
        (box.left, box.top),
        (box.right, box.top),
        (box.right, box.bottom),
        (box.left, box.bottom),
    )


def blocks(page: StagedPage, tmp_path: Path, height: int = STRIP_HEIGHT_PX) -> list[Block]:
    """The blocks of a page whose first picture is black and whose others are white."""
    pictures = {}
    for number, panel in enumerate(page.panels):
        bounds = panel.bounds_mm
        path = tmp_path / f"{number}.png"
        size = (round(bounds.width), round(bounds.height))
        Image.new("L", size, 255 if number else 0).save(path)
        pictures[panel.panel.id] = path
    return list(
        page_blocks(page, compose_page(page, pictures, []), "en", tmp_path / "prints", height)
    )


def test_an_inset_is_shown_on_its_panel_and_not_again(tmp_path: Path) -> None:
    page = staged(("a", Box(-3, -3, 103, 70), False), ("b", Box(10, 10, 40, 40), True))
    (block,) = blocks(page, tmp_path)
    assert block.panel_id == "a"
    assert block.picture.getpixel((700, 500)) == 0
    assert block.picture.getpixel((200, 200)) == 255


def test_a_panel_that_runs_off_the_page_fills_the_strip_and_others_keep_a_margin(
    tmp_path: Path,
) -> None:
    page = staged(("a", Box(-3, -3, 103, 40), False), ("b", Box(10, 45, 90, 80), False))
    first, second = blocks(page, tmp_path)
    assert first.picture.width == pytest.approx(STRIP_WIDTH_PX, abs=1)
    assert second.picture.width == pytest.approx(STRIP_WIDTH_PX - 40, abs=20)
    assert first.picture.getpixel((0, 100)) == 0


def test_a_narrow_panel_is_shown_larger_but_fits_into_a_strip(tmp_path: Path) -> None:
    page = staged(("a", Box(10, 10, 40, 40), False), ("b", Box(45, 10, 90, 130), False))
    small, tall = blocks(page, tmp_path, 700)
    whole_width = (STRIP_WIDTH_PX - 40) / inner_frame(page.size).width
    assert small.picture.width == pytest.approx(30.8 * 1.5 * whole_width, abs=2)
    assert tall.picture.height <= 700 - 120


def test_nothing_of_a_neighbour_is_seen_beside_a_slanted_panel(tmp_path: Path) -> None:
    left = StagedPanel(Panel("a", ""), Polygon(((10, 10), (60, 10), (40, 60), (10, 60))), ())
    right = StagedPanel(Panel("b", ""), Polygon(((63, 10), (90, 10), (90, 60), (43, 60))), ())
    page = StagedPage(1, "", PageSize(100, 140, 3), "ltr", (left, right))
    first, _ = blocks(page, tmp_path)
    width, height = first.picture.size
    assert first.picture.getpixel((width - 5, height - 5)) == 255
