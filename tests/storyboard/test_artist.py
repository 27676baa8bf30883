import pytest
from hypothesis import given
from hypothesis import strategies as st

from storyboard.artist import megapixel_sizes, nearest_size, visible_part
from storyboard.geometry import Box

EDGES_PX = st.integers(64, 2048)
EDGES_MM = st.floats(5.0, 300.0)


@given(height_px=EDGES_PX, width_px=EDGES_PX, width_mm=EDGES_MM, height_mm=EDGES_MM)
def test_the_visible_part_of_a_picture_has_the_panels_proportions(
    height_px, width_px, width_mm, height_mm
):
    seen = visible_part((height_px, width_px), width_mm, height_mm)
    assert seen.centre == pytest.approx((0.5, 0.5))
    assert max(seen.width, seen.height) == pytest.approx(1.0)
    proportions = seen.width * width_px / (seen.height * height_px)
    assert proportions == pytest.approx(width_mm / height_mm)


def test_the_sides_of_a_picture_too_wide_for_its_panel_are_not_seen():
    assert visible_part((100, 200), 50, 50) == Box(0.25, 0.0, 0.75, 1.0)


def test_the_size_nearest_in_proportions_is_taken():
    sizes = ((128, 128), (96, 160), (160, 96))
    assert nearest_size(sizes, 80, 70) == (128, 128)
    assert nearest_size(sizes, 80, 45) == (96, 160)
    assert nearest_size(sizes, 10, 90) == (160, 96)


def test_large_models_draw_about_a_megapixel_in_any_proportions():
    sizes = megapixel_sizes()
    assert (1024, 1024) in sizes
    assert all(h % 64 == w % 64 == 0 and h * w <= 1.05 * 1024**2 for h, w in sizes)
    assert nearest_size(sizes, 30, 110) == (1856, 512)
