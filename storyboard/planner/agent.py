"""Plans a story step by step: cast, speakers, beats, panels, pages; each answer is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from storyboard.errors import StoryboardError, StoryError, UsageError
from storyboard.lines import parse_line
from storyboard.plan import CharacterPlacement, Dialog, Page, Panel, Plan
from storyboard.planner.asking import Asker
from storyboard.planner.cast import resolve_name
from storyboard.planner.checks import check_plan
from storyboard.planner.llm import LanguageModel
from storyboard.planner.panels import PanelWriter, Sketch
from storyboard.planner.partition import Group, group_pieces, share_pages
from storyboard.planner.steps import find_beats, find_cast, find_speakers
from storyboard.planner.telling import Telling, all_pieces, read_telling
from storyboard.progress import Progress
from storyboard.story import Character, ScenePanel, Story


def needs_model(story: Story) -> bool:
    """Say whether anything of a story is left to plan: prose, or a scene that lists no panels."""
    return not story.scenes or any(not scene.panels for scene in story.scenes)


def plan_story(
    story: Story,
    llm: LanguageModel | None,
    *,
    progress: Progress,
    log: Callable[[dict[str, Any]], None],
) -> Plan:
    """Return the plan of a whole book. The same story and model give the same plan.

    Args:
        story: prose or scenes, checked.
        llm: asked small closed questions; None only for stories whose scenes all list panels.
        progress: told of every panel.
        log: gets a record of every question and of every rule that stepped in.

    Raises:
        UsageError: a story that needs a model was given none.
        StoryError: the story tells nothing.
    """
    if llm is None and needs_model(story):
        raise UsageError("this story needs a language model to be planned")
    asker = Asker(llm, log)
    telling = read_telling(story)
    with progress.step("reading the story", 3) as reading:
        cast = find_cast(story, telling, asker)
        reading.advance(note="cast")
        pieces = all_pieces(telling, cast, find_speakers(telling, cast, asker))
        reading.advance(note="speakers")
        beats = find_beats(telling, pieces, asker)
        reading.advance(note="beats")
    if not pieces:
        raise StoryError("the story tells nothing", hint="write what happens under `story`")
    pages = share_pages(group_pieces(pieces, beats, story.pages), story.pages)
    if story.pages and len(pages) != story.pages:
        asker.note("pages", f"{len(pages)} pages instead of {story.pages}, by what a page can hold")
    plan = _book(story, cast, _write(pages, telling, cast, asker, progress))
    complaints = check_plan(plan, story)
    if complaints:
        raise StoryboardError(
            f"the plan broke its own rules: {'; '.join(complaints[:5])}",
            hint="this is a bug in the planner; please report it with the story",
        )
    return plan


def _book(story: Story, cast: tuple[Character, ...], pages: list[Page]) -> Plan:
    return Plan(
        title=story.title,
        pages=tuple(pages),
        author=story.author,
        language=story.language,
        reading=story.reading or ("rtl" if story.language.split("-")[0] == "ja" else "ltr"),
        page=story.page,
        style=story.style,
        lettering=story.lettering,
        seed=story.seed or seed_of(story),
        characters=cast,
    )


def seed_of(story: Story) -> int:
    """Return a seed from 1 to 2**31 - 1 that depends on nothing but what the story says."""
    parts = [story.title, story.story]
    for scene in story.scenes:
        parts += [scene.place, scene.text, *(panel.caption for panel in scene.panels)]
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") % (2**31 - 1) + 1


def _write(
    pages: list[list[Group]],
    telling: Telling,
    cast: tuple[Character, ...],
    asker: Asker,
    progress: Progress,
) -> list[Page]:
    places = [scene.place for scene in telling.scenes]
    writer = PanelWriter(telling.prose, cast, places, asker)
    groups = [group for page in pages for group in page]
    with progress.step("planning panels", 2 * len(groups)) as step:
        sketches: list[Sketch | None] = []
        for group in groups:
            sketches.append(None if group.pieces[0].ready else writer.sketch(group))
            step.advance()
        written: list[Page] = []
        rest = iter(sketches)
        for number, page in enumerate(pages, start=1):
            panels: list[Panel] = []
            for place, group in enumerate(page, start=1):
                panel_id = f"p{number:02d}-{place}"
                sketch, ready = next(rest), group.pieces[0].ready
                if sketch is not None:
                    panels.append(writer.write(sketch, panel_id))
                elif ready is not None:
                    panels.append(_as_written(ready, panel_id, cast))
                step.advance(note=panel_id)
            written.append(Page(tuple(panels)))
    return written


def _as_written(ready: ScenePanel, panel_id: str, cast: tuple[Character, ...]) -> Panel:
    """Return a panel that the writer decided on, as it is."""
    lines = [parse_line(line) for line in ready.lines]
    return Panel(
        id=panel_id,
        caption=ready.caption,
        shot=ready.shot,
        characters=tuple(
            CharacterPlacement(resolve_name(name, cast) or name) for name in ready.characters
        ),
        dialogs=tuple(
            Dialog(line.text, resolve_name(line.speaker, cast) or line.speaker, line.kind)
            for line in lines
        ),
    )
