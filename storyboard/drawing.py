"""Which panels must be drawn, and drawing them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from storyboard.artist import ArtCharacter, Artist, ArtRequest, Settings
from storyboard.errors import MissingError, PanelError
from storyboard.gallery import Gallery, Provenance, Recipe, read_provenance
from storyboard.geometry import Box
from storyboard.layout.staging import StagedPage, StagedPanel
from storyboard.plan import Plan
from storyboard.progress import Progress
from storyboard.story import Character
from storyboard.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image

DAMAGED = "its picture is damaged"


class Task(msgspec.Struct, frozen=True):
    """A panel and what is to be done for it.

    `picture` is the one it has, if it need not be drawn; else `why` says why it must be.
    """

    staged: StagedPanel
    request: ArtRequest
    recipe: Recipe
    picture: Path | None = None
    why: str = ""

    @property
    def panel_id(self) -> str:
        """The panel's id."""
        return self.request.panel_id


class Studio(msgspec.Struct, frozen=True):
    """Who draws, and where the pictures go. `finished` holds those that are no roughs."""

    artist: Artist
    gallery: Gallery
    finished: Gallery


def studio_for(workspace: Workspace, artist: Artist, *, rough: bool) -> Studio:
    """Return the place where this artist's pictures go: roughs never mix with drawn panels."""
    return Studio(artist, workspace.rough if rough else workspace.panels, workspace.panels)


def tasks_for(
    plan: Plan, pages: Iterable[StagedPage], folder: Path, studio: Studio
) -> tuple[Task, ...]:
    """Return a task for every panel, in reading order.

    Args:
        plan: the plan the pages were staged from.
        pages: its pages, staged.
        folder: where the plan lies; pictures of characters are relative to it.
        studio: who would draw, and what has been drawn.

    Raises:
        MissingError: a character's picture is not there.
    """
    cast = {person.name: person for person in plan.characters}
    sums: dict[Path, str] = {}
    tasks = []
    for staged in (panel for page in pages for panel in page.panels):
        request = _request(plan, staged, cast, folder)
        for image in (image for character in request.characters for image in character.images):
            if image not in sums:
                sums[image] = _sha256(image, request.panel_id)
        recipe = _recipe(request, staged, sums, studio.artist)
        tasks.append(_task(staged, request, recipe, studio))
    return tuple(tasks)


def draw_missing(
    tasks: Sequence[Task], studio: Studio, progress: Progress
) -> tuple[dict[str, Path], tuple[PanelError, ...]]:
    """Draw the panels that lack a picture, panels of one size together, each saved when drawn.

    Returns:
        The pictures drawn, by panel id, and the errors of the panels that could not be drawn.
    """
    waiting = {task.panel_id: task for task in _by_size(tasks) if task.picture is None}
    pictures: dict[str, Path] = {}
    failed: dict[str, PanelError] = {}
    with progress.step("drawing panels", len(waiting)) as step:

        def done(panel_id: str, image: Image, settings: Settings) -> None:
            pictures[panel_id] = _save(waiting[panel_id], image, settings, studio.gallery)
            step.advance(note=panel_id)

        while left := [
            waiting[i].request for i in waiting if i not in pictures and i not in failed
        ]:
            before = len(pictures)
            try:
                studio.artist.draw(left, done)
            except PanelError as err:
                if err.panel_id not in {request.panel_id for request in left}:
                    raise
                failed[err.panel_id] = err
                step.advance(note=err.panel_id)
            else:
                if len(pictures) - before != len(left):
                    raise RuntimeError("the artist came back without having drawn every panel")
    current = {task.panel_id: task.recipe.key for task in tasks if _is_current(task, studio)}
    studio.gallery.remember(current)
    return pictures, tuple(failed.values())


def _is_current(task: Task, studio: Studio) -> bool:
    """Return whether the panel has had the picture that it should have, all along."""
    return task.picture == studio.gallery.path(task.recipe.key)


def with_drawn_boxes(
    pages: Iterable[StagedPage], pictures: Mapping[str, Path]
) -> tuple[StagedPage, ...]:
    """Return the pages with each dialog where its panel was drawn to have it.

    Room for the lettering was left there, so a longer or shorter text goes into the same place.
    A box given in the plan is obeyed.
    """
    return tuple(
        msgspec.structs.replace(
            page, panels=tuple(_with_drawn_boxes(panel, pictures) for panel in page.panels)
        )
        for page in pages
    )


def _with_drawn_boxes(staged: StagedPanel, pictures: Mapping[str, Path]) -> StagedPanel:
    picture = pictures.get(staged.panel.id)
    provenance = read_provenance(picture) if picture is not None else None
    dialogs = staged.panel.dialogs
    if provenance is None or len(provenance.dialog_boxes) != len(dialogs):
        return staged  # not drawn, or locked while lines came or went
    placed = tuple(
        dialog if explicit else msgspec.structs.replace(dialog, box=box)
        for dialog, explicit, box in zip(
            dialogs, staged.explicit_dialogs, provenance.dialog_boxes, strict=True
        )
    )
    panel = msgspec.structs.replace(staged.panel, dialogs=placed)
    return msgspec.structs.replace(staged, panel=panel)


def _by_size(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks with equal sizes together, sizes in the order of their first panel."""
    sizes = list(dict.fromkeys(task.recipe.size_px for task in tasks))
    return sorted(tasks, key=lambda task: sizes.index(task.recipe.size_px))


def _save(task: Task, image: Image, settings: Settings, gallery: Gallery) -> Path:
    provenance = Provenance(
        panel=task.panel_id,
        recipe=task.recipe,
        dialog_boxes=task.request.dialog_boxes,
        settings=dict(settings),
    )
    return gallery.save(image, provenance)


def _task(staged: StagedPanel, request: ArtRequest, recipe: Recipe, studio: Studio) -> Task:
    """Return the panel's task: its picture, or why it has none."""
    panel_id, gallery = staged.panel.id, studio.gallery
    if staged.panel.locked:
        for kept in (studio.finished, gallery):
            if (last := kept.last(panel_id)) is not None:
                return Task(staged, request, recipe, picture=kept.path(last))
    if gallery.holds(recipe.key):
        return Task(staged, request, recipe, picture=gallery.path(recipe.key))
    return Task(staged, request, recipe, why=_why(panel_id, recipe, gallery))


def _why(panel_id: str, recipe: Recipe, gallery: Gallery) -> str:
    if gallery.is_damaged(recipe.key):
        return DAMAGED
    last = gallery.last(panel_id)
    provenance = read_provenance(gallery.path(last)) if last is not None else None
    if provenance is None:
        return "new"
    return "changed: " + ", ".join(recipe.changes_since(provenance.recipe)).replace("_", " ")


def _request(
    plan: Plan, staged: StagedPanel, cast: Mapping[str, Character], folder: Path
) -> ArtRequest:
    panel, bounds_mm = staged.panel, staged.bounds_mm
    return ArtRequest(
        panel_id=panel.id,
        caption=panel.caption,
        style=plan.style,
        shot=panel.shot,
        width_mm=bounds_mm.width,
        height_mm=bounds_mm.height,
        characters=tuple(
            ArtCharacter(
                name=placement.name,
                look=cast[placement.name].look,
                acting=placement.acting,
                images=tuple(folder / image for image in cast[placement.name].images),
                box=_rounded(placement.box),
            )
            for placement in panel.characters
        ),
        dialog_boxes=tuple(_rounded(dialog.box) for dialog in panel.dialogs),
        seed=panel_seed(plan.seed, panel.id) if panel.seed is None else panel.seed,
    )


def panel_seed(plan_seed: int, panel_id: str) -> int:
    """Return a panel's own seed, 0 to 2**31 - 1: other panels may come and go around it."""
    digest = hashlib.sha256(f"{plan_seed}/{panel_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _recipe(
    request: ArtRequest, staged: StagedPanel, sums: Mapping[Path, str], artist: Artist
) -> Recipe:
    return Recipe(
        caption=request.caption,
        style=request.style,
        shot=request.shot,
        characters=tuple(
            {
                "name": character.name,
                "look": character.look,
                "acting": character.acting,
                "box": msgspec.to_builtins(character.box),
                "images": [sums[image] for image in character.images],
            }
            for character in request.characters
        ),
        dialogs=tuple(
            (dialog.speaker, dialog.kind, box if explicit else None)
            for dialog, explicit, box in zip(
                staged.panel.dialogs, staged.explicit_dialogs, request.dialog_boxes, strict=True
            )
        ),
        size_px=artist.size_px(request.width_mm, request.height_mm),
        proportions=round(request.width_mm / request.height_mm, 3),
        seed=request.seed,
        artist=artist.fingerprint,
    )


def _rounded(box: Box | None) -> Box:
    """Return the box to four places, so that it is the same on every machine."""
    if box is None:
        raise ValueError("a panel was handed on before it was staged: it has no boxes")
    return Box(*(round(edge, 4) for edge in (box.left, box.top, box.right, box.bottom)))


def _sha256(image: Path, panel_id: str) -> str:
    try:
        return hashlib.sha256(image.read_bytes()).hexdigest()
    except OSError as err:
        raise MissingError(
            f"panel {panel_id} needs the picture {image}: {err.strerror}",
            hint="put it there, or name another under the character's `images`",
        ) from err
