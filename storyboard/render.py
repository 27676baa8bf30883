"""The order of the steps: plan, stage, draw what is missing, letter, bind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from storyboard.book.kept import KeptFolder
from storyboard.checks import check_file
from storyboard.diffsensei.artist import DiffSenseiArtist
from storyboard.diffsensei.forecast import forecast_lines
from storyboard.drawing import (
    DAMAGED,
    Studio,
    Task,
    draw_missing,
    studio_for,
    tasks_for,
    with_drawn_boxes,
)
from storyboard.errors import MissingError, PanelError, PanelsFailedError, StoryError, UsageError
from storyboard.files import write_atomically
from storyboard.layout.staging import Keep, StagedPage
from storyboard.plan import Plan, load_plan, save_plan
from storyboard.problems import Problem
from storyboard.progress import Progress, SilentProgress
from storyboard.story import read_story
from storyboard.work import Work as Work
from storyboard.work import artist_for, cast_warnings, configuration_of
from storyboard.workspace import Workspace, free_name, stem_of

if TYPE_CHECKING:
    from storyboard.export.forms import Settings


def check(file: Path) -> None:
    """Make sure that a story or plan is right.

    Raises:
        StoryError: it is not; the error holds every problem.
        MissingError: there is no such file.
    """
    if not file.is_file():
        raise MissingError(f"there is no file {file}", hint="check its name and folder")
    problems = check_file(file)
    if problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise StoryError(f"{file} has {count}", problems=problems)


def warnings(file: Path) -> tuple[Problem, ...]:
    """Return what is no error, but would be a pity in the book.

    That is pictures of characters that are small, blurred, not of one person or too like another's,
    and in a plan what a printer would object to.

    Raises:
        StoryError: the file is wrong, or a text of it cannot be lettered.
        MissingError: there is no such file.
    """
    from storyboard.proof import print_warnings

    work = Work(file)
    if not work.is_plan:
        return cast_warnings(work, read_story(file).characters)
    plan = load_plan(file)
    references = cast_warnings(work, plan.characters)
    return references + print_warnings(file, _stage(plan, work).pages, plan.language)


def plan(work: Work, progress: Progress, *, force: bool = False) -> Path:
    """Plan the story and return the path of the plan.

    Raises:
        UsageError: there is a plan and `force` is not set. With it, the old plan is kept
            beside the new one.
    """
    if work.is_plan:
        raise UsageError(f"{work.file} is a plan already", hint="name the story it was made from")
    if work.plan_path.exists() and not force:
        raise UsageError(
            f"{work.plan_path} exists and may hold your edits",
            hint=f"`storyboard plan {work.file} --force` plans anew and keeps the old plan",
        )
    workspace = _workspace(work)
    with workspace.held():
        _plan(work, workspace, progress)
    return work.plan_path


def render(work: Work, progress: Progress) -> Path:
    """Turn the story or plan into a PDF, draw only what is missing, and return the PDF's path.

    Raises:
        PanelsFailedError: some panels could not be drawn; the book is there without them.
    """
    workspace = _workspace(work)
    studio = _studio(work, workspace, progress)
    with workspace.held():
        book = _book(work, workspace, progress)
        pictures, failed = _draw(book, studio, work, progress)
        _bind(book, pictures, work, workspace, progress)
    _complain(failed, work)
    return work.pdf_path


def draw(work: Work, progress: Progress) -> tuple[Path, ...]:
    """Draw what is missing and return the pictures of the selected panels.

    Raises:
        PanelsFailedError: some panels could not be drawn; the others are there.
    """
    workspace = _workspace(work)
    studio = _studio(work, workspace, progress)
    with workspace.held():
        book = _book(work, workspace, progress)
        pictures, failed = _draw(book, studio, work, progress)
    _complain(failed, work)
    return tuple(pictures[i] for i in book.panel_ids if i in pictures and work.selection.has(i))


def letter(work: Work, progress: Progress) -> Path:
    """Letter and bind the pictures that are there, draw nothing, and return the PDF's path."""
    workspace = _workspace(work)
    with workspace.held():
        book = _book(work, workspace, progress)
        pictures = _last_pictures(book, work, workspace)
        _bind(book, pictures, work, workspace, progress)
    return work.pdf_path


def export(
    work: Work, forms: str, folder: Path | None, settings: Settings, progress: Progress
) -> tuple[Path, ...]:
    """Write the book in other forms, draw nothing, and return the paths of the files.

    Args:
        work: what is wanted of which book.
        forms: names of forms, such as `cbz,epub`.
        folder: where the files go; None is a folder beside the story.
        settings: what the writer chose.
        progress: is told of each page.

    Raises:
        UsageError: a form is unknown.
        OutputError: a file cannot be written; what was there is still there.
    """
    from storyboard.binding import bind
    from storyboard.export.forms import export_book, read_forms
    from storyboard.export.lettered import LetteredBook
    from storyboard.export.outputs import Outputs

    wanted = read_forms(forms)
    workspace = _workspace(work)
    stem = stem_of(work.file)
    outputs = Outputs(folder or work.file.with_name(f"{stem}.export"), workspace, progress)
    with workspace.held(), tempfile.TemporaryDirectory() as scratch:
        book = _book(work, workspace, progress)
        pictures = _last_pictures(book, work, workspace)
        if empty := [panel_id for panel_id in book.panel_ids if panel_id not in pictures]:
            progress.say(f"Note: without a picture yet, so left empty: {', '.join(empty)}")
        pdf = Path(scratch) / "book.pdf"
        staged = with_drawn_boxes(book.pages, pictures)
        prints = workspace.prints
        bind(book.plan, staged, pictures, pdf, progress, prints=prints, source=book.source)
        lettered = LetteredBook(
            name=f"{stem}.rough" if work.rough else stem,
            part_name=work.pdf_path.stem,
            plan=book.plan,
            pages=staged,
            pictures=pictures,
            pdf=pdf,
            prints=prints,
            modified=datetime.fromtimestamp(work.plan_path.stat().st_mtime, UTC),
        )
        export_book(lettered, wanted, outputs, settings, progress)
    return tuple(outputs.written)


def dry_run(work: Work, progress: Progress) -> Iterator[str]:
    """Give a line for every panel that `render` would draw, then what drawing them would take.

    Nothing is written.
    """
    workspace = _workspace(work)
    studio = _studio(work, workspace, progress)
    if work.is_plan or work.plan_path.exists():
        book = _stage(_plan_as_it_is(work, workspace, progress), work)
    else:
        book = _stage(_plan_without_model(work), work)
    tasks = [
        task
        for task in tasks_for(book.plan, book.pages, work.file.parent, studio)
        if task.picture is None and work.selection.has(task.panel_id)
    ]
    for task in tasks:
        yield f"{task.panel_id}  {task.recipe.size_px[1]}x{task.recipe.size_px[0]} px  {task.why}"
    if isinstance(studio.artist, DiffSenseiArtist):
        yield from forecast_lines(studio.artist, [task.request for task in tasks])


class Book(msgspec.Struct, frozen=True):
    """A plan and the pages of it that are wanted, staged. `source` is the plan's file."""

    plan: Plan
    pages: tuple[StagedPage, ...]
    source: bytes | None = None

    @property
    def panel_ids(self) -> tuple[str, ...]:
        """The ids of the panels, in reading order."""
        return tuple(staged.panel.id for page in self.pages for staged in page.panels)


def _workspace(work: Work) -> Workspace:
    if not work.file.is_file():
        raise MissingError(f"there is no file {work.file}", hint="check its name and folder")
    return Workspace.beside(work.file)


def _book(work: Work, workspace: Workspace, progress: Progress) -> Book:
    """Return the book as planned; plan it first where there is no plan."""
    if not work.is_plan and not work.plan_path.exists():
        _plan(work, workspace, progress)
    source = work.plan_path.read_bytes()
    plan = _plan_as_it_is(work, workspace, progress)
    if not work.is_plan and workspace.is_planned_from(work.file):
        workspace.note_planned(work.file)
    keep = partial(KeptFolder(workspace.prints).get, "staged")
    return msgspec.structs.replace(_stage(plan, work, keep), source=source)


def _plan_as_it_is(work: Work, workspace: Workspace, progress: Progress) -> Plan:
    if not work.is_plan and not workspace.is_planned_from(work.file):
        progress.say(
            f"Note: {work.file} has changed since it was planned; {work.plan_path} is used as it "
            f"is. `storyboard plan {work.file} --force` plans anew and keeps the old plan."
        )
    check(work.plan_path)
    return load_plan(work.plan_path)


def _plan(work: Work, workspace: Workspace, progress: Progress) -> None:
    from storyboard.planner.agent import needs_model, plan_story

    check(work.file)
    story = read_story(work.file)
    llm = None
    if needs_model(story):
        from storyboard.planner.llm import LlamaCppModel, find_model

        configured = work.llm or configuration_of(work).llm
        llm = LlamaCppModel(find_model(configured))
    planned = plan_story(story, llm, progress=progress, log=workspace.log_llm)
    if work.plan_path.exists():
        kept = free_name(work.plan_path, "before")
        write_atomically(kept, work.plan_path.read_bytes())
        progress.say(f"The old plan is kept as {kept}")
    save_plan(planned, work.plan_path)
    workspace.note_planned(work.file)


def _plan_without_model(work: Work) -> Plan:
    from storyboard.planner.agent import needs_model, plan_story

    check(work.file)
    story = read_story(work.file)
    if needs_model(story):
        raise UsageError(
            f"{work.file} has no plan yet, so its panels are not known",
            hint=f"`storyboard plan {work.file}` makes one",
        )
    return plan_story(story, None, progress=SilentProgress(), log=lambda _: None)


def _stage(plan: Plan, work: Work, keep: Keep | None = None) -> Book:
    from storyboard.layout.staging import stage
    from storyboard.layout.templates import load_templates
    from storyboard.lettering.checking import check_rooms
    from storyboard.lettering.letterer import measure

    lettering = plan.lettering.within(work.file.parent)
    if work.no_text:
        lettering = msgspec.structs.replace(lettering, balloons="blank")
    measured = partial(measure, language=plan.language, style=lettering)
    staged = stage(plan, load_templates(), measured, lettering, keep)
    check_rooms(staged, plan.language)
    book = Book(plan, tuple(page for page in staged if work.selection.has_page(page.number)))
    work.selection.check(len(plan.pages), book.panel_ids)
    return book


def _studio(work: Work, workspace: Workspace, progress: Progress) -> Studio:
    return studio_for(workspace, artist_for(work, progress), rough=work.rough)


def _draw(
    book: Book, studio: Studio, work: Work, progress: Progress
) -> tuple[dict[str, Path], tuple[PanelError, ...]]:
    """Return the picture of every panel that has one, and the errors of those that failed."""
    tasks = tasks_for(book.plan, book.pages, work.file.parent, studio)
    wanted = [task for task in tasks if work.selection.has(task.panel_id)]
    if not work.rough:
        _warn_of_references(book.plan, wanted, work, progress)
    _announce(wanted, progress)
    drawn, failed = draw_missing(wanted, studio, progress)
    there = {task.panel_id: task.picture for task in tasks if task.picture is not None}
    return there | drawn, failed


def _warn_of_references(plan: Plan, tasks: Sequence[Task], work: Work, progress: Progress) -> None:
    """Say what is wrong with the pictures that panels are about to be drawn from."""
    waiting = [task.request for task in tasks if task.picture is None]
    names = {character.name for request in waiting for character in request.characters}
    planned = msgspec.structs.replace(work, file=work.plan_path)
    for warning in cast_warnings(planned, plan.characters, names):
        progress.say(f"Warning: {warning}")


def _announce(tasks: Sequence[Task], progress: Progress) -> None:
    missing = [task for task in tasks if task.picture is None]
    for task in missing:
        if task.why == DAMAGED:
            progress.say(f"panel {task.panel_id}: {DAMAGED} and is drawn again")
    progress.say(f"{len(missing)} of {len(tasks)} panels to draw")


def _last_pictures(book: Book, work: Work, workspace: Workspace) -> dict[str, Path]:
    gallery = workspace.rough if work.rough else workspace.panels
    last = {panel_id: gallery.last(panel_id) for panel_id in book.panel_ids}
    return {panel_id: gallery.path(key) for panel_id, key in last.items() if key is not None}


def _bind(
    book: Book, pictures: Mapping[str, Path], work: Work, workspace: Workspace, progress: Progress
) -> None:
    from storyboard.binding import bind
    from storyboard.export.outputs import keep_edited

    pdf = work.pdf_path
    keep_edited(pdf, workspace, progress)
    staged = with_drawn_boxes(book.pages, pictures)
    bind(
        book.plan,
        staged,
        pictures,
        pdf,
        progress,
        prints=workspace.prints,
        source=book.source,
        flat=work.flatten,
    )
    workspace.note_written(pdf)


def _complain(failed: Sequence[PanelError], work: Work) -> None:
    if failed:
        ids = ",".join(error.panel_id for error in failed)
        rough = " --rough" if work.rough else ""
        rest = "one panel" if len(failed) == 1 else f"{len(failed)} panels"
        raise PanelsFailedError(
            "\n".join([f"{rest} could not be drawn; the rest is there", *map(str, failed)]),
            hint=f"`storyboard render {work.file}{rough} --panels {ids}` draws only those",
        )
