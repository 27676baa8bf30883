import pytest

from storyboard.errors import UsageError
from storyboard.selection import Selection


def test_without_a_choice_everything_is_selected():
    assert Selection().has_page(7)
    assert Selection().has("p07-1")


def test_pages_are_numbers_and_ranges():
    wanted = Selection(pages="1-3, 5")
    assert [n for n in range(1, 8) if wanted.has_page(n)] == [1, 2, 3, 5]


def test_panels_are_named_by_their_ids():
    wanted = Selection(panels="p01-2,p03-1")
    assert wanted.has("p03-1")
    assert not wanted.has("p01-1")


@pytest.mark.parametrize("pages", ["x", "3-1", "1..2", "-1", "1-2-3"])
def test_what_is_no_range_of_pages_is_refused(pages):
    with pytest.raises(UsageError, match="no page or range"):
        Selection(pages=pages).check(9, [])


def test_a_page_beyond_the_book_is_refused():
    with pytest.raises(UsageError, match="pages 1 to 4"):
        Selection(pages="2-5").check(4, [])


def test_an_unknown_panel_is_refused_with_the_nearest_known():
    with pytest.raises(UsageError, match="no panel p1-2") as refused:
        Selection(panels="p1-2").check(1, ["p01-1", "p01-2"])
    assert refused.value.hint == "did you mean p01-2?"
