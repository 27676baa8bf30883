"""The story as the writer gives it: characters, places, and prose or scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import msgspec

from storyboard.cast import Cast, examine_cast, examine_pictures
from storyboard.cast import Character as Character
from storyboard.lettering_style import LetteringStyle, examine_style
from storyboard.lines import SPOKEN_KINDS, LineError
from storyboard.lines import DialogKind as DialogKind
from storyboard.lines import SpokenLine as SpokenLine
from storyboard.lines import parse_line as parse_line
from storyboard.problems import Problem
from storyboard.report import Report, raise_problems
from storyboard.structure import read_struct
from storyboard.synopsis import split_synopsis, title_from_name
from storyboard.yamlfile import NOT_PRINTABLE, Document, NodePath, parse_yaml, read_text, shortened

MAX_CHARACTERS = 4
MAX_DIALOGS = 8
MAX_PAGES = 1000
PAGE_SIDE_MM = (40.0, 1500.0)
MAX_BLEED_MM = 30.0
MAX_SAFE_SHARE = 0.25  # of the shorter side

Reading = Literal["rtl", "ltr"]
Shot = Literal["wide", "full", "medium", "close-up", "detail"]
SHOTS: tuple[Shot, ...] = get_args(Shot)
PageName = Literal["b5", "a4", "us-comic", "tankobon"]


class PageSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A page's trimmed size and the bleed beyond it on each side, in millimetres.

    `safe_mm` is how far text stays away from each side of the trim; without it, as far as on B5,
    in proportion.
    """

    width_mm: float
    height_mm: float
    bleed_mm: float = 3.0
    safe_mm: float | None = None


PageFormat = PageName | PageSize


class ScenePanel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A panel the writer has already decided on. `lines` are as in a scene."""

    caption: str
    shot: Shot = "medium"
    characters: tuple[str, ...] = ()
    lines: tuple[dict[str, str], ...] = ()
    page_break: bool = False


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens in one place. A scene that lists `panels` is taken as it is.

    Each of `lines` is a mapping with one key: `Mika: text`, `Mika (whisper): text`,
    `narration: text` or `sound: text`.
    """

    place: str = ""
    text: str = ""
    lines: tuple[dict[str, str], ...] = ()
    panels: tuple[ScenePanel, ...] = ()


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A story to be planned. It has either `story` (prose) or `scenes`."""

    title: str
    author: str = ""
    language: str = "en"
    reading: Reading | None = None
    page: PageFormat = "b5"
    pages: int | None = None
    style: str = ""
    lettering: LetteringStyle = LetteringStyle()
    seed: int = 0
    characters: tuple[Character, ...] = ()
    story: str = ""
    scenes: tuple[Scene, ...] = ()


def read_story(path: Path) -> Story:
    """Return the story in a YAML file or a synopsis, once nothing is wrong with it.

    A `.yaml` or `.yml` file holds a story's fields. Any other file is a synopsis: its first
    heading or line is the title, the rest prose.

    Raises:
        MissingError: there is no such file, or it may not be read.
        StoryError: something is wrong; `problems` holds all of it.
    """
    text = read_text(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        story, problems = examine_story(parse_yaml(text, path), path.parent)
    else:
        story, problems = examine_synopsis(text, path)
    raise_problems(path, problems)
    return story


def examine_synopsis(text: str, path: Path) -> tuple[Story, list[Problem]]:
    """Return the story in a plain text read from `path`, and everything wrong with it."""
    text = text.replace("\f", "\n")  # old text files begin a page so
    problems = []
    if found := NOT_PRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        message = f"the control character U+{ord(found[0]):04X} is not allowed"
        problems.append(Problem(str(path), line, "", message, allowed="take it out"))
    title, prose = split_synopsis(text)
    if not prose.strip():
        problems.append(Problem(str(path), 0, "", "there is no story in this file"))
    return Story(title=title or title_from_name(path.stem), story=prose), problems


def examine_story(document: Document, folder: Path) -> tuple[Story, list[Problem]]:
    """Return the story in a document, and everything wrong with it in the file's order.

    The story is only what was written when there are no problems. `folder` is where the paths of
    pictures start.
    """
    report = Report(document.file, document)
    story = read_struct(document, Story, report)
    examine_book(
        report, title=story.title, language=story.language, seed=story.seed, page=story.page
    )
    examine_style(story.lettering, report)
    examine_cast(story.characters, report)
    examine_pictures(story.characters, folder, report)
    if story.pages is not None and not 1 <= story.pages <= MAX_PAGES:
        report.add(("pages",), f"{story.pages} pages", allowed=f"1 to {MAX_PAGES}")
    _examine_content(story, report)
    cast = Cast(story.characters, report)
    for number, scene in enumerate(story.scenes):
        _examine_scene(scene, ("scenes", number), cast, report)
    return story, report.problems


def examine_book(report: Report, *, title: str, language: str, seed: int, page: PageFormat) -> None:
    """Report what is wrong with the fields that stories and plans share."""
    for name, text in (("title", title), ("language", language)):
        if not text.strip():
            report.add((name,), f"{name} is empty", allowed="text")
    if seed < 0:
        report.add(("seed",), f"{seed} is below 0", allowed="0 or more")
    if not isinstance(page, PageSize):
        return
    shortest, longest = PAGE_SIDE_MM
    for name, length in (("width_mm", page.width_mm), ("height_mm", page.height_mm)):
        if not shortest <= length <= longest:
            allowed = f"{shortest:g} to {longest:g} mm"
            report.add(("page", name), f"{length:g} mm is no page's size", allowed=allowed)
    if not 0 <= page.bleed_mm <= MAX_BLEED_MM:
        message = f"{page.bleed_mm:g} mm is no bleed"
        report.add(("page", "bleed_mm"), message, allowed=f"0 to {MAX_BLEED_MM:g} mm")
    most = min(page.width_mm, page.height_mm) * MAX_SAFE_SHARE
    if page.safe_mm is not None and not 0 <= page.safe_mm <= most:
        message = f"{page.safe_mm:g} mm is no distance of text from the page's edge"
        report.add(("page", "safe_mm"), message, allowed=f"0 to {most:g} mm on this page")


def _examine_content(story: Story, report: Report) -> None:
    if {("story",), ("scenes",)} & set(report.wrong_paths):
        return
    prose = bool(story.story.strip())
    if prose and story.scenes:
        report.add(("scenes",), "there are both prose and scenes", allowed="`story` or `scenes`")
    if not prose and not story.scenes:
        report.add((), "there is nothing to tell", allowed="`story` or `scenes`")


def _examine_scene(scene: Scene, path: NodePath, cast: Cast, report: Report) -> None:
    if scene.panels and scene.lines:
        message = "a scene with panels has its lines inside them, else nobody would see them"
        report.add((*path, "lines"), message, allowed="`lines` inside each of `panels`")
    if not (scene.text.strip() or scene.lines or scene.panels):
        report.add(path, "nothing happens in this scene", allowed="`text`, `lines` or `panels`")
    for index, line in enumerate(scene.lines):
        _examine_line(line, (*path, "lines", index), cast, report)
    for number, panel in enumerate(scene.panels):
        _examine_panel(panel, (*path, "panels", number), cast, report)


def _examine_panel(panel: ScenePanel, path: NodePath, cast: Cast, report: Report) -> None:
    if not panel.caption.strip():
        report.add((*path, "caption"), "the caption is empty", allowed="what is to be drawn")
    examine_count(len(panel.characters), MAX_CHARACTERS, (*path, "characters"), report)
    examine_count(len(panel.lines), MAX_DIALOGS, (*path, "lines"), report)
    seen: set[str] = set()
    for index, name in enumerate(panel.characters):
        place = (*path, "characters", index)
        cast.examine(name, place, aliases=True)
        full_name = cast.full_name(name)
        if full_name in seen:
            report.add(place, f"{shortened(full_name)} is in this panel twice", allowed="once")
        seen.add(full_name)
    for index, line in enumerate(panel.lines):
        _examine_line(line, (*path, "lines", index), cast, report)


def examine_count(number: int, most: int, path: NodePath, report: Report) -> None:
    """Report a list that is longer than a panel can hold."""
    if number > most:
        message = f"{number} {path[-1]} are too many for a panel"
        report.add(path, message, allowed=f"up to {most}")


def _examine_line(line: dict[str, str], path: NodePath, cast: Cast, report: Report) -> None:
    try:
        spoken = parse_line(line)
    except LineError as err:
        report.add(path, str(err), allowed=err.allowed, found=err.found, known=SPOKEN_KINDS)
        return
    if not spoken.text.strip():
        report.add(path, "the line is empty", allowed="what is said")
    if spoken.kind in SPOKEN_KINDS:
        cast.examine(spoken.speaker, path, aliases=True)
