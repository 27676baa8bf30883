from __future__ import annotations

from typing import get_args

import pytest

from storyboard.geometry import Box
from storyboard.layout.page_sizes import (
    bleed_area,
    inner_frame,
    page_size,
    safe_area,
    trim_area,
)
from storyboard.story import PageName, PageSize


def holds(outer: Box, inner: Box) -> bool:
    return (
        outer.left < inner.left
        and outer.top < inner.top
        and outer.right > inner.right
        and outer.bottom > inner.bottom
    )


@pytest.mark.parametrize("name", get_args(PageName))
def test_each_area_of_a_named_format_lies_within_the_next_larger_one(name: PageName) -> None:
    size = page_size(name)
    assert holds(bleed_area(size), trim_area(size))
    assert holds(trim_area(size), safe_area(size))
    assert holds(safe_area(size), inner_frame(size))


def test_b5_is_as_manga_manuscripts_are() -> None:
    size = page_size("b5")
    assert (size.width_mm, size.height_mm, size.bleed_mm) == (182, 257, 3)
    assert safe_area(size) == Box(10, 10, 172, 247)


def test_the_writers_own_numbers_are_taken() -> None:
    size = PageSize(120, 180, bleed_mm=5, safe_mm=12)
    assert page_size(size) == size
    assert safe_area(size) == Box(12, 12, 108, 168)


def test_without_a_number_for_text_it_is_as_on_b5_in_proportion() -> None:
    area = safe_area(PageSize(91, 257))
    assert area.left == pytest.approx(5)
    assert area.top == pytest.approx(10)
