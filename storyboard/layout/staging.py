"""Stage a plan: choose the page templates, place the characters and the dialogs in their panels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from storyboard.book.kept import stamps_of
from storyboard.errors import StoryError
from storyboard.geometry import Box, Polygon
from storyboard.layout.balloon_costs import Surroundings
from storyboard.layout.characters import place_characters
from storyboard.layout.cutting import edges_of
from storyboard.layout.dialogs import Measure, NoRoomError, place_dialogs
from storyboard.layout.faces import face_zone, mouth
from storyboard.layout.page_sizes import page_size, safe_area
from storyboard.layout.template_form import Position
from storyboard.layout.templates import Template, choose_template
from storyboard.lettering_style import LetteringStyle
from storyboard.plan import Page, Panel, Plan
from storyboard.problems import Problem
from storyboard.story import PageSize, Reading

__all__ = ["Measure", "StagedPage", "StagedPanel", "face_zone", "mouth", "page_size", "stage"]

_FRAME_MARGIN_MM = 1.5
_INSET_BORDER_MM = 2.0
_DECIMALS = 1000
_UPRIGHT_SHOTS = ("wide", "full")
_WHOLE = Box(0.0, 0.0, 1.0, 1.0)


class StagedPanel(msgspec.Struct, frozen=True):
    """A panel with a box for every character and dialog, and its place on the page.

    Attributes:
        panel: boxes are fractions of `bounds_mm`.
        frame_mm: the outline on the page, from the top left of the trim; bleeding ones leave it.
        explicit_dialogs: for each dialog whether the plan gave its box.
        is_inset: it lies over the panel before it, with a white border.
        lettering: how its dialogs are set; paths of fonts start here, not in the plan's folder.
    """

    panel: Panel
    frame_mm: Polygon
    explicit_dialogs: tuple[bool, ...]
    is_inset: bool = False
    lettering: LetteringStyle = LetteringStyle()

    @property
    def bounds_mm(self) -> Box:
        """The smallest box around the frame, which the panel's picture covers."""
        return self.frame_mm.bounds


class StagedPage(msgspec.Struct, frozen=True):
    """A page as it will be drawn and lettered. `number` counts from 1."""

    number: int
    template: str
    size: PageSize
    reading: Reading
    panels: tuple[StagedPanel, ...]


# returns what is kept of what depends on these bytes, or else what the function makes
Keep = Callable[[bytes, Callable[[], bytes]], bytes]


def stage(
    plan: Plan,
    templates: Sequence[Template],
    measure: Measure,
    lettering: LetteringStyle | None = None,
    keep: Keep | None = None,
) -> tuple[StagedPage, ...]:
    """Return all pages with a frame for every panel and a box for every character and dialog.

    Boxes given in the plan are obeyed. The same plan gives the same boxes.

    Args:
        plan: what to stage.
        templates: the page templates to choose from.
        measure: tells the size of a dialog's balloon.
        lettering: the plan's, with the paths of fonts as they are from here.
        keep: spares staging pages that were staged before; None stages all.

    Raises:
        StoryError: a template does not fit its page, or balloons find no room; names them all.
    """
    cast = {character.name: number for number, character in enumerate(plan.characters)}
    pages: list[StagedPage] = []
    problems: list[Problem] = []
    previous = ""
    for number, page in enumerate(plan.pages, start=1):
        try:
            template = choose_template(templates, page, previous)
        except StoryError as err:
            problems.append(Problem("plan", 0, f"pages[{number - 1}].template", str(err)))
            continue
        previous = template.name
        stager = _PageStager(plan, template, cast, measure, lettering or plan.lettering)
        staged, found = _kept(stager, number, page, plan, keep)
        pages.append(staged)
        problems += found
    if problems:
        raise StoryError(
            "; ".join(str(problem) for problem in problems),
            problems=problems,
            hint="shorten the text, move it to another panel, or name a `template` with more room",
        )
    return tuple(pages)


def _kept(
    stager: _PageStager, number: int, page: Page, plan: Plan, keep: Keep | None
) -> tuple[StagedPage, list[Problem]]:
    if keep is None:
        return stager.stage(number, page), stager.problems
    book = msgspec.structs.replace(plan, title="", author="", pages=())
    fonts = stamps_of(stager.lettering.font_paths.values())
    parts = (number, page, stager.template, book, stager.lettering, fonts)
    depends_on = msgspec.msgpack.encode(parts)
    made = keep(
        depends_on, lambda: msgspec.msgpack.encode((stager.stage(number, page), stager.problems))
    )
    return msgspec.msgpack.decode(made, type=tuple[StagedPage, list[Problem]])


class _PageStager:
    """Stages the panels of one page, and collects what is wrong with them."""

    def __init__(
        self,
        plan: Plan,
        template: Template,
        cast: dict[str, int],
        measure: Measure,
        lettering: LetteringStyle,
    ) -> None:
        self.size = page_size(plan.page)
        self.reading = plan.reading
        self.template = template
        self.positions = template.positions(self.size, plan.reading)
        self.cast = cast
        self.measure = measure
        self.lettering = lettering
        self.has_vertical_lines = lettering.is_vertical_in(plan.language)
        self.problems: list[Problem] = []

    def stage(self, number: int, page: Page) -> StagedPage:
        panels = []
        for place, (panel, position) in enumerate(zip(page.panels, self.positions, strict=True)):
            insets = [other.outline.bounds for other in self.positions if other.host == place]
            path = f"pages[{number - 1}].panels[{place}]"
            panels.append(self._stage_panel(panel, position, insets, path))
        return StagedPage(number, self.template.name, self.size, self.reading, tuple(panels))

    def _stage_panel(
        self, panel: Panel, position: Position, insets: list[Box], path: str
    ) -> StagedPanel:
        frame, bounds = position.outline, position.outline.bounds
        boxes = place_characters(
            _stage_area(frame, self.size, insets, tall=panel.shot not in _UPRIGHT_SHOTS),
            panel.shot,
            [character.box and character.box.within(bounds) for character in panel.characters],
            len(panel.dialogs),
            from_right=self._starts_right(panel),
            under_vertical=self.has_vertical_lines,
        )
        characters = tuple(
            msgspec.structs.replace(character, box=character.box or _fractions(box, bounds))
            for character, box in zip(panel.characters, boxes, strict=True)
        )
        panel = msgspec.structs.replace(panel, characters=characters)
        explicit = tuple(dialog.box is not None for dialog in panel.dialogs)
        try:
            panel = self._place_dialogs(panel, frame, insets)
        except NoRoomError as err:
            text = panel.dialogs[err.number].text
            self.problems.append(
                Problem(
                    "plan",
                    0,
                    f"{path}.dialogs[{err.number}]",
                    f"balloon {err.number + 1} of panel {panel.id!r} ({_shortened(text)!r}) finds"
                    f" no room in its {bounds.width:.0f} x {bounds.height:.0f} mm",
                )
            )
        is_inset = position.host is not None
        return StagedPanel(panel, frame, explicit, is_inset, self.lettering)

    def _starts_right(self, panel: Panel) -> bool:
        """Return where the first character stands; alone, everyone keeps a side of their own."""
        from_right = self.reading == "rtl"
        if len(panel.characters) == 1:
            return from_right ^ bool(self.cast.get(panel.characters[0].name, 0) % 2)
        return from_right

    def _place_dialogs(self, panel: Panel, frame: Polygon, insets: list[Box]) -> Panel:
        if not panel.dialogs:
            return panel
        bounds = frame.bounds
        around = msgspec.structs.replace(
            _surroundings(panel, frame, insets, self.size, self.reading),
            has_vertical_lines=self.has_vertical_lines,
        )
        given = [dialog.box and dialog.box.within(bounds) for dialog in panel.dialogs]
        boxes = place_dialogs(panel.dialogs, given, around, self.measure)
        dialogs = tuple(
            msgspec.structs.replace(dialog, box=dialog.box or _fractions(box, bounds))
            for dialog, box in zip(panel.dialogs, boxes, strict=True)
        )
        return msgspec.structs.replace(panel, dialogs=dialogs)


def _surroundings(
    panel: Panel, frame: Polygon, insets: list[Box], size: PageSize, reading: Reading
) -> Surroundings:
    bounds, safe = frame.bounds, safe_area(size)
    margin = _FRAME_MARGIN_MM
    boxes = {one.name: (one.box or _WHOLE).within(bounds) for one in panel.characters}
    shown = panel.shot != "detail"
    return Surroundings(
        room=_shared(_inset_by(bounds, margin), safe),
        edges=tuple(edge.shrunk(margin) for edge in edges_of(frame) if edge.is_slanted),
        faces={name: face_zone(box, panel.shot) for name, box in boxes.items() if shown},
        bodies=boxes,
        mouths={name: mouth(box, panel.shot) for name, box in boxes.items()},
        taken=tuple(_inset_by(inset, -_INSET_BORDER_MM) for inset in insets),
        reading=reading,
    )


def _stage_area(frame: Polygon, size: PageSize, insets: list[Box], *, tall: bool) -> Box:
    """Return the part of a frame where people are seen whole: well on the page, beside insets.

    In slanted frames it is as wide as the frame is where the heads are. With `tall` it reaches
    down to the frame's foot, bleed included, for bodies that the frame cuts.
    """
    bounds = frame.bounds
    seen = _shared(bounds, safe_area(size))
    for inset in insets:
        seen = _beside(seen, inset, sideways_only=tall)
    left, right = _chord(frame, bounds.top + 0.3 * bounds.height)
    bottom = bounds.bottom if tall else seen.bottom
    return Box(max(seen.left, left), seen.top, min(seen.right, right), bottom)


def _chord(frame: Polygon, y: float) -> tuple[float, float]:
    """Return the leftmost and rightmost x of a convex outline at a height."""
    crossings = []
    for (x0, y0), (x1, y1) in zip(frame.points, (*frame.points[1:], frame.points[0]), strict=True):
        if min(y0, y1) <= y <= max(y0, y1) and y0 != y1:
            crossings.append(x0 + (x1 - x0) * (y - y0) / (y1 - y0))
    return min(crossings), max(crossings)


def _beside(area: Box, inset: Box, *, sideways_only: bool) -> Box:
    """Return the largest part of an area next to an inset."""
    gap = _INSET_BORDER_MM
    parts = [
        Box(area.left, area.top, inset.left - gap, area.bottom),
        Box(inset.right + gap, area.top, area.right, area.bottom),
    ]
    if not sideways_only:
        parts.append(Box(area.left, area.top, area.right, inset.top - gap))
        parts.append(Box(area.left, inset.bottom + gap, area.right, area.bottom))
    return max(parts, key=lambda part: part.area)


def _shared(first: Box, second: Box) -> Box:
    return Box(
        max(first.left, second.left),
        max(first.top, second.top),
        min(first.right, second.right),
        min(first.bottom, second.bottom),
    )


def _inset_by(box: Box, margin: float) -> Box:
    return Box(box.left + margin, box.top + margin, box.right - margin, box.bottom - margin)


def _fractions(box_mm: Box, bounds: Box) -> Box:
    """Return a box as fractions of the panel, no smaller than it was, to three decimals."""
    box = box_mm.relative_to(bounds)
    return Box(
        max(0.0, math.floor(box.left * _DECIMALS + 1e-6) / _DECIMALS),
        max(0.0, math.floor(box.top * _DECIMALS + 1e-6) / _DECIMALS),
        min(1.0, math.ceil(box.right * _DECIMALS - 1e-6) / _DECIMALS),
        min(1.0, math.ceil(box.bottom * _DECIMALS - 1e-6) / _DECIMALS),
    )


def _shortened(text: str, length: int = 40) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
