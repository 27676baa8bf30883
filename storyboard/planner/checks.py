"""What has to hold of every plan, told as complaints; nothing here asks a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from storyboard.lines import SPOKEN_KINDS
from storyboard.plan import MAX_CHARACTERS, MAX_DIALOGS, Dialog, Panel, Plan
from storyboard.planner.cast import names_in
from storyboard.planner.partition import MOST_PANELS
from storyboard.planner.quotes import find_quotes
from storyboard.planner.telling import Telling, read_telling, spoken_lines
from storyboard.story import Story


def check_plan(plan: Plan, story: Story) -> list[str]:
    """Return every complaint about a plan that was made for a story; none when it is right."""
    telling = read_telling(story)
    return [
        *sentences_covered(plan, telling),
        *lines_kept(plan, telling),
        *speakers_known(plan),
        *names_shown(plan, telling),
        *limits_kept(plan),
        *ids_unique(plan),
    ]


def panels_of(plan: Plan) -> list[Panel]:
    """Return the panels of a plan in reading order."""
    return [panel for page in plan.pages for panel in page.panels]


def sentences_covered(plan: Plan, telling: Telling) -> Iterator[str]:
    """Complain of sentences that no panel tells, and of panels out of the story's order."""
    told = [number for panel in panels_of(plan) for number in panel.source]
    known = {sentence.number for sentence in telling.prose.sentences}
    for number in sorted(known - set(told)):
        yield f"sentence {number} is told in no panel"
    for number in sorted(set(told) - known):
        yield f"there is no sentence {number}"
    if told != sorted(told):
        yield "the panels tell the sentences out of order"


def lines_kept(plan: Plan, telling: Telling) -> Iterator[str]:
    """Complain when the lettered words differ from the story's quotes and lines, taken in order.

    Compared are the words and all marks inside them, without white space; the comma that leads
    from a quote to its reporting clause may have become a full stop, and a capital may have been
    given to narration. Narration taken from prose has to stand in the prose.
    """
    said = [d.text for panel in panels_of(plan) for d in panel.dialogs if d.kind in SPOKEN_KINDS]
    wanted = _wanted(telling)
    if _letters("".join(said)) != _letters("".join(wanted)):
        yield "the spoken words are not the story's, in order and word for word"
    listed = "".join(_listed_narration(telling))
    prose = _letters(telling.prose.text).lower()
    for panel in panels_of(plan):
        for dialog in panel.dialogs:
            if dialog.kind == "narration":
                words = _letters(dialog.text).lower()
                if words not in prose and words not in _letters(listed).lower():
                    yield f"{panel.id}: the narration {dialog.text!r} is not the story's"


def _wanted(telling: Telling) -> list[str]:
    """Return the spoken words of a story in order: quotes and listed lines, scene by scene."""
    words: list[str] = []
    quotes = find_quotes(telling.prose.text)
    for scene, (start, end) in zip(telling.scenes, telling.spans, strict=True):
        words += [quote.text for quote in quotes if start <= quote.start < end]
        if not scene.panels:
            words += [line.text for line in spoken_lines(scene) if line.kind in SPOKEN_KINDS]
        for panel in scene.panels:
            lines = spoken_lines(type(scene)(lines=panel.lines))
            words += [line.text for line in lines if line.kind in SPOKEN_KINDS]
    return words


def _listed_narration(telling: Telling) -> Iterator[str]:
    for scene in telling.scenes:
        listed = [scene.lines, *(panel.lines for panel in scene.panels)]
        for lines in listed:
            spoken = spoken_lines(type(scene)(lines=lines))
            yield from (line.text for line in spoken if line.kind == "narration")


def _letters(text: str) -> str:
    """Return a text without white space, its commas and full stops made alike."""
    return re.sub(r"[.,;]|\s", "", text)


def speakers_known(plan: Plan) -> Iterator[str]:
    """Complain of dialogs whose speaker is not in the cast, and of voices in narration."""
    cast = {character.name for character in plan.characters}
    for panel in panels_of(plan):
        for dialog in panel.dialogs:
            if not _speaker_fits(dialog, cast):
                yield f"{panel.id}: {dialog.speaker!r} cannot say {dialog.text!r}"


def _speaker_fits(dialog: Dialog, cast: set[str]) -> bool:
    return dialog.speaker in cast if dialog.kind in SPOKEN_KINDS else not dialog.speaker


def names_shown(plan: Plan, telling: Telling) -> Iterator[str]:
    """Complain of characters named in a panel's sentences whom neither it nor its caption has."""
    for panel in panels_of(plan):
        sentences = [telling.prose.sentences[n - 1].text for n in panel.source]
        shown = {placement.name for placement in panel.characters}
        for name in names_in(" ".join(sentences), plan.characters):
            if name not in shown and name not in panel.caption:
                yield f"{panel.id}: {name} is named in its sentences but not in the picture"


def limits_kept(plan: Plan) -> Iterator[str]:
    """Complain of pages and panels that hold more than can be drawn, or nothing."""
    for number, page in enumerate(plan.pages, start=1):
        if not 1 <= len(page.panels) <= MOST_PANELS:
            yield f"page {number} has {len(page.panels)} panels"
    for panel in panels_of(plan):
        if len(panel.characters) > MAX_CHARACTERS:
            yield f"{panel.id} has {len(panel.characters)} characters"
        if len(panel.dialogs) > MAX_DIALOGS:
            yield f"{panel.id} has {len(panel.dialogs)} dialogs"
        if not panel.caption.strip() or not all(d.text.strip() for d in panel.dialogs):
            yield f"{panel.id} has an empty caption or dialog"


def ids_unique(plan: Plan) -> Iterator[str]:
    """Complain of panel ids that are used more than once."""
    for panel_id, count in Counter(panel.id for panel in panels_of(plan)).items():
        if count > 1:
            yield f"{count} panels are called {panel_id}"
