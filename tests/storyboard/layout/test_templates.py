"""Page templates cut every page into panels that never overlap, and suit what they hold."""

from __future__ import annotations

import itertools
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import StoryError
from storyboard.geometry import Box, Point, Polygon
from storyboard.layout.cutting import cut, edges_of, mirrored, signed_area
from storyboard.layout.page_sizes import bleed_area, inner_frame, page_size
from storyboard.layout.template_form import Column, StackedPanel, Template, Tier
from storyboard.layout.templates import (
    choose_template,
    grid_template,
    load_templates,
    read_template,
)
from storyboard.plan import CharacterPlacement, Dialog, Page, Panel
from storyboard.story import PageSize

TEMPLATES = load_templates()
FORMATS = ("b5", "a4", "us-comic", "tankobon")
SHOTS = ("wide", "full", "medium", "close-up", "detail")


def shared_area(first: Polygon, second: Polygon) -> float:
    common = cut(first.points, edges_of(second))
    return abs(signed_area(common)) if common else 0.0


def distance(first: Polygon, second: Polygon) -> float:
    """Least distance between the corners of one outline and the edges of the other."""
    found = []
    for one, other in ((first, second), (second, first)):
        ends = zip(other.points, (*other.points[1:], other.points[0]), strict=True)
        found += [to_segment(p, a, b) for a, b in ends for p in one.points]
    return min(found)


def to_segment(point: Point, start: Point, end: Point) -> float:
    along = (end[0] - start[0], end[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    share = ((point[0] - start[0]) * along[0] + (point[1] - start[1]) * along[1]) / length
    share = min(1.0, max(0.0, share))
    return math.dist(point, (start[0] + share * along[0], start[1] + share * along[1]))


def page_of(*shots: str, number: int = 1, text: str = "Yes.") -> Page:
    return Page(
        tuple(
            Panel(f"p{number:02}-{n}", "", shot=shot, dialogs=(Dialog(text),))
            for n, shot in enumerate(shots, start=1)
        )
    )


shares = st.floats(1, 3)
leans = st.floats(-8, 8)
columns = st.one_of(
    st.builds(Column, width=shares, lean=leans),
    st.builds(
        Column,
        width=shares,
        lean=leans,
        bleed=st.just(("left", "right", "bottom")),
        stack=st.lists(
            st.builds(StackedPanel, height=shares, lean=leans), min_size=2, max_size=3
        ).map(tuple),
    ),
)
tiers = st.builds(
    Tier, height=shares, lean=leans, panels=st.lists(columns, min_size=1, max_size=3).map(tuple)
)
any_template = st.builds(
    Template, name=st.just("any"), tiers=st.lists(tiers, min_size=1, max_size=3).map(tuple)
)
any_size = st.sampled_from([page_size(name) for name in FORMATS])


@given(any_template, any_size, st.sampled_from(["ltr", "rtl"]))
@settings(max_examples=60, deadline=None)
def test_panels_never_overlap_and_stay_on_the_page_whatever_the_template(template, size, reading):
    frames = [frame for frame in template.frames(size, reading) if frame.points]
    page = bleed_area(size)
    for frame in frames:
        assert frame.bounds.overlap(page) == pytest.approx(frame.bounds.area)
    for first, second in itertools.combinations(frames, 2):
        assert shared_area(first, second) < 1e-6


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
@pytest.mark.parametrize("page", FORMATS)
def test_shipped_panels_keep_their_gutters(template, page):
    size = page_size(page)
    positions = template.positions(size)
    for (number, first), (other, second) in itertools.combinations(enumerate(positions), 2):
        if number in (first.host, second.host) or other in (first.host, second.host):
            continue
        assert distance(first.outline, second.outline) >= template.gutters.within - 1e-6


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_a_right_to_left_page_is_the_exact_mirror_image(template):
    size = page_size("b5")
    ltr, rtl = template.frames(size, "ltr"), template.frames(size, "rtl")
    assert [mirrored(frame, size.width_mm) for frame in ltr] == list(rtl)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_shipped_panels_are_no_slivers(template):
    for frame in template.frames(page_size("b5")):
        bounds = frame.bounds
        assert 1 / 2.3 < bounds.width / bounds.height < 2.5


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_an_inset_overlaps_only_its_host_and_is_read_right_after_it(template):
    positions = template.positions(page_size("b5"))
    for number, position in enumerate(positions):
        if position.host is None:
            continue
        assert position.host == number - 1
        box = position.outline.bounds
        for other in positions[: number - 1] + positions[number + 1 :]:
            assert shared_area(other.outline, position.outline) == 0
        assert positions[number - 1].outline.bounds.overlap(box) == pytest.approx(box.area)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_panels_without_bleed_stay_in_the_inner_frame(template):
    size = page_size("b5")
    inner, bleeds = inner_frame(size), bleed_area(size)
    for frame in template.frames(size):
        bounds = frame.bounds
        for edge, inside, outside in zip(
            msgspec.structs.astuple(bounds),
            msgspec.structs.astuple(inner),
            msgspec.structs.astuple(bleeds),
            strict=True,
        ):
            between = min(inside, outside) + 1e-6 < edge < max(inside, outside) - 1e-6
            assert not between, "an edge lies neither in the inner frame nor at the bleed's end"


def test_there_are_at_least_two_templates_for_each_number_of_panels_to_eight():
    counts = [template.num_panels for template in TEMPLATES]
    assert len(TEMPLATES) >= 14
    assert all(counts.count(number) >= 2 for number in range(1, 9))


def test_gutters_between_tiers_are_wider_than_within():
    assert all(template.gutters.tiers > template.gutters.within for template in TEMPLATES)


@given(st.lists(st.sampled_from(SHOTS), min_size=1, max_size=14))
@settings(max_examples=40, deadline=None)
def test_any_number_of_panels_gets_a_template_of_as_many_panels(shots):
    template = choose_template(TEMPLATES, page_of(*shots), "")
    assert template.num_panels == len(template.frames(page_size("b5"))) == len(shots)


@given(st.lists(st.integers(1, 12), min_size=2, max_size=8), st.data())
@settings(max_examples=30, deadline=None)
def test_no_template_comes_twice_running(counts, data):
    previous = ""
    for number, count in enumerate(counts):
        shots = data.draw(st.lists(st.sampled_from(SHOTS), min_size=count, max_size=count))
        chosen = choose_template(TEMPLATES, page_of(*shots, number=number), previous).name
        assert chosen != previous
        previous = chosen


@given(st.lists(st.sampled_from(SHOTS), min_size=1, max_size=8), st.text(min_size=1))
@settings(max_examples=30, deadline=None)
def test_a_changed_line_keeps_the_template(shots, text):
    before = choose_template(TEMPLATES, page_of(*shots), "")
    assert choose_template(TEMPLATES, page_of(*shots, text=text), "") == before


def test_a_wide_first_panel_gets_the_largest_frame():
    page = Page(
        (
            Panel("p01-1", "", shot="wide"),
            Panel("p01-2", "", shot="close-up", characters=(CharacterPlacement("Mika"),)),
            Panel("p01-3", "", shot="close-up", characters=(CharacterPlacement("Ren"),)),
        )
    )
    frames = choose_template(TEMPLATES, page, "").frames(page_size("b5"))
    areas = [abs(signed_area(frame.points)) for frame in frames]
    assert areas[0] == max(areas)


def test_a_named_template_is_obeyed():
    page = msgspec.structs.replace(page_of("wide", "wide", "wide"), template="two-over-wide")
    assert choose_template(TEMPLATES, page, "two-over-wide").name == "two-over-wide"


def test_a_grid_can_be_named_for_any_number_of_panels():
    page = msgspec.structs.replace(page_of(*["medium"] * 11), template="grid-11-in-4")
    template = choose_template(TEMPLATES, page, "")
    assert [len(tier.panels) for tier in template.tiers] == [2, 3, 3, 3]
    assert template == grid_template(11, 4)


def test_an_unknown_template_names_the_nearest():
    page = msgspec.structs.replace(page_of("wide", "wide", "wide"), template="two-over-wid")
    with pytest.raises(StoryError, match="two-over-wid'") as caught:
        choose_template(TEMPLATES, page, "")
    assert "two-over-wide" in (caught.value.hint or "")


def test_a_template_for_another_number_of_panels_is_refused():
    page = msgspec.structs.replace(page_of("wide"), template="two-over-wide")
    with pytest.raises(StoryError, match="holds 3 panels, but the page has 1"):
        choose_template(TEMPLATES, page, "")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("tiers: [{panels: [{colour: red}]}]", "colour"),
        ("tiers: []", "length"),
        ("tiers: [{panels: [{shots: [far]}]}]", "far"),
        ("tiers: [{panels: [{lean: 80}]}]", "30"),
        ("tiers: [", "parsing"),
        ("tiers: [{panels: [{width: 1}, {width: 99}]}]", "panel 1 is smaller"),
        ("tiers: [{panels: [{bleed: [left]}, {bleed: [left]}]}]", "panel 2 bleeds left"),
        ("tiers: [{panels: [{insets: [{box: [0.5, 0.5, 1.4, 0.9]}]}]}]", "reaches out"),
    ],
)
def test_a_bad_template_is_refused_with_its_name_and_what_is_wrong(text, what):
    with pytest.raises(StoryError, match="mine") as caught:
        read_template("mine", text)
    assert what in str(caught.value)


def test_a_lean_turns_gutters_like_a_slash():
    leaning = read_template(
        "leaning", "tiers: [{panels: [{}, {lean: 10}]}, {lean: 4, panels: [{}]}]"
    )
    left, right, below = leaning.frames(PageSize(182, 257))
    top_right = max(x for x, y in left.points if y < left.bounds.centre[1])
    bottom_right = max(x for x, y in left.points if y > left.bounds.centre[1])
    assert top_right > bottom_right
    assert right.bounds.left < left.bounds.right
    tops = sorted(below.points, key=lambda point: point[1])[:2]
    assert max(tops)[1] < min(tops)[1]


def test_a_page_of_another_size_keeps_the_margins_in_proportion():
    inner = inner_frame(PageSize(91, 128.5))
    assert inner == Box(8.0, 9.25, 83.0, 119.25)
