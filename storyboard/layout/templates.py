"""The page templates there are, and which of them suits a page."""

from __future__ import annotations

import difflib
import functools
import math
import re
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import yaml

from storyboard.errors import StoryError
from storyboard.geometry import Box
from storyboard.layout.cutting import corners, cut, edges_of, signed_area
from storyboard.layout.page_sizes import bleed_area, page_size, trim_area
from storyboard.layout.template_form import Column, Position, Template, TemplateFile, Tier
from storyboard.plan import Page, Panel, Shot

__all__ = ["Template", "choose_template", "grid_template", "load_templates", "read_template"]

_SMALLEST_SIDE_MM = 15.0
_NEAR_MM = 1e-6
_GRID_NAME = re.compile(r"grid-(\d{1,2})-in-(\d{1,2})")
_WEIGHT_OF_SHOT: dict[Shot, float] = {
    "wide": 2.2,
    "full": 1.6,
    "medium": 1.0,
    "close-up": 0.9,
    "detail": 0.6,
}
_MISSED_SHOT, _LATER_SHOT, _AREA_OFF, _NARROW, _TASTE = 1.2, 0.15, 0.7, 1.5, 0.5
_TOLD_IN_INSET = 0.7


@cache
def load_templates() -> tuple[Template, ...]:
    """Return all page templates, by name.

    Raises:
        StoryError: a template file is wrong.
    """
    paths = sorted(_folder().glob("*.yaml"))
    return tuple(read_template(path.stem, path.read_text("utf-8")) for path in paths)


def _folder() -> Path:
    """Return where the templates are: inside an installed package, else beside it."""
    package = Path(__file__).parents[1]
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def read_template(name: str, text: str) -> Template:
    """Return the template that a YAML text describes.

    Raises:
        StoryError: the text has another form, or cuts no usable panels.
    """
    try:
        found = msgspec.convert(yaml.load(text, _loader()), TemplateFile)  # noqa: S506 - a safe one
    except (yaml.YAMLError, msgspec.ValidationError) as err:
        raise _wrong(name, " ".join(str(err).split())) from err
    template = Template(name, found.tiers, found.gutters)
    positions = template.positions(page_size("b5"))
    for number, position in enumerate(positions, start=1):
        _check_panel(name, number, position)
        if position.host is not None:
            _check_inset(name, number, position, positions[position.host])
    return template


def _check_panel(name: str, number: int, position: Position) -> None:
    outline, ends = position.outline, bleed_area(page_size("b5"))
    if len(outline.points) < 3 or _shorter_side(outline.bounds) < _SMALLEST_SIDE_MM:
        raise _wrong(name, f"panel {number} is smaller than {_SMALLEST_SIDE_MM:.0f} mm on B5")
    for side in position.bleed:
        if abs(getattr(outline.bounds, side) - getattr(ends, side)) > _NEAR_MM:
            raise _wrong(name, f"panel {number} bleeds {side}, but does not lie at that edge")


def _shorter_side(box: Box) -> float:
    return min(box.width, box.height)


def _check_inset(name: str, number: int, inset: Position, host: Position) -> None:
    frame, box = host.outline.bounds, inset.outline.bounds
    if frame.overlap(box) < box.area - _NEAR_MM:
        raise _wrong(name, f"panel {number} is an inset that reaches out of its host")


def _loader() -> type[yaml.SafeLoader] | type[yaml.CSafeLoader]:
    return yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def _wrong(name: str, what: str) -> StoryError:
    hint = "docs/layout.md describes what a template may hold"
    return StoryError(f"page template {name!r}: {what}", hint=hint)


def choose_template(templates: Sequence[Template], page: Page, previous: str) -> Template:
    """Return the template named by the page, else the one that suits its panels best.

    What counts is how many panels there are, their shots, their characters and how many dialogs
    they have, never the length of a dialog, so that a changed line moves no panel.

    Args:
        templates: those to choose from.
        page: the page; its `template` is obeyed.
        previous: name of the template on the page before, which is not chosen again.

    Raises:
        StoryError: the named template is not known or holds another number of panels.
    """
    if page.template:
        return _named(templates, page)
    num_panels = len(page.panels)
    fitting = [template for template in templates if template.num_panels == num_panels]
    if not fitting:
        fitting = _grids(num_panels)
    fresh = [template for template in fitting if template.name != previous] or fitting
    return min(fresh, key=lambda template: (_misfit(template, page.panels), template.name))


def _named(templates: Sequence[Template], page: Page) -> Template:
    by_name = {template.name: template for template in templates}
    template = by_name.get(page.template)
    if grid := _GRID_NAME.fullmatch(page.template):
        num_panels, num_tiers = int(grid[1]), int(grid[2])
        if 0 < num_tiers <= num_panels:
            template = grid_template(num_panels, num_tiers)
    if template is None:
        near = difflib.get_close_matches(page.template, by_name, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "leave `template` out and one is chosen"
        raise StoryError(f"there is no page template {page.template!r}", hint=hint)
    if template.num_panels != len(page.panels):
        raise StoryError(
            f"page template {page.template!r} holds {template.num_panels} panels,"
            f" but the page has {len(page.panels)}",
            hint="leave `template` out and a fitting one is chosen",
        )
    return template


def grid_template(num_panels: int, num_tiers: int) -> Template:
    """Return a plain template of equal tiers, the fuller ones last, for any number of panels."""
    fewest, num_fuller = divmod(num_panels, num_tiers)
    counts = [fewest + (number >= num_tiers - num_fuller) for number in range(num_tiers)]
    tiers = tuple(Tier(panels=(Column(),) * count) for count in counts)
    return Template(f"grid-{num_panels}-in-{num_tiers}", tiers)


def _grids(num_panels: int) -> list[Template]:
    """Return grids whose panels are neither slivers nor all alike from page to page."""
    best = max(1, round(math.sqrt(num_panels * 1.3)))
    return [grid_template(num_panels, tiers) for tiers in sorted({best, max(best - 1, 1)})]


def _misfit(template: Template, panels: Sequence[Panel]) -> float:
    """Return how badly a template suits the panels; 0 is perfect."""
    positions, areas = _seen(template)
    weights = [_weight(panel) for panel in panels]
    total = _taste(template, panels)
    for position, area, panel, weight in zip(positions, areas, panels, weights, strict=True):
        total += _shot_misfit(position, panel.shot)
        bounds = position.outline.bounds
        crowd = max(len(panel.characters), 1) * bounds.height / bounds.width
        total += _NARROW * max(0.0, math.log(crowd / 2.2))
        if position.host is None:
            total += _AREA_OFF * abs(math.log(area / sum(areas) * sum(weights) / weight))
        else:
            total += _TOLD_IN_INSET * len(panel.dialogs)
    return total


@functools.lru_cache(maxsize=256)  # asked again for every page
def _seen(template: Template) -> tuple[tuple[Position, ...], tuple[float, ...]]:
    """Return a template's panels and the area of each that is left on the page."""
    positions = template.positions(page_size("b5"))
    return positions, tuple(map(_seen_area, positions))


def _seen_area(position: Position) -> float:
    """Return the area of a panel that is left on the page after cutting, in mm2."""
    page = corners(trim_area(page_size("b5")))
    return abs(signed_area(cut(page, edges_of(position.outline))))


def _weight(panel: Panel) -> float:
    """Return the share of a page that a panel asks for, next to the others' weights."""
    people = 0.25 * max(len(panel.characters) - 1, 0)
    return _WEIGHT_OF_SHOT[panel.shot] + people + 0.35 * len(panel.dialogs)


def _shot_misfit(position: Position, shot: Shot) -> float:
    if not position.shots:
        return 0.0
    if shot not in position.shots:
        return _MISSED_SHOT
    return _LATER_SHOT * position.shots.index(shot)


def _taste(template: Template, panels: Sequence[Panel]) -> float:
    """Return a small number of the page's own, so that pages alike in kind still differ."""
    told = "/".join([template.name, *(panel.id for panel in panels)])
    return _TASTE * (zlib.crc32(told.encode()) % 1000) / 1000
