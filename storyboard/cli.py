"""The command line: options in, one call, results out."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from storyboard import __version__
from storyboard.cli_drawing import drawing_options, options_from
from storyboard.cli_models import models
from storyboard.errors import ExitCode, StoryboardError, StoryError

if TYPE_CHECKING:
    from storyboard.render import Work

_FILE = click.Path(path_type=Path)


class Commands(click.Group):
    """The command group, with the one place where errors become lines and exit codes."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and end the process with its exit code."""
        kwargs["standalone_mode"] = False
        _treat_sigterm_as_ctrl_c()
        sys.exit(_exit_code(lambda: super(Commands, self).main(*args, **kwargs)))


def _exit_code(run: Callable[[], object]) -> int:
    try:
        code = run()
        sys.stdout.flush()
    except click.ClickException as err:
        err.show()
        return ExitCode.USAGE
    except StoryboardError as err:
        _tell(err)
        return err.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("Stopped. The same command goes on where it stopped.")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our results has gone; nobody is left to be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OUTPUT
    except SystemExit:  # click ends so, and only then, when it meets a broken pipe itself
        return ExitCode.OUTPUT
    except Exception as err:  # noqa: BLE001 - the one place where a bug becomes a line
        if os.environ.get("STORYBOARD_TRACEBACK"):
            traceback.print_exc()
        _say(f"Error: this is a bug in storyboard: {type(err).__name__}: {err}")
        _say("Hint: set STORYBOARD_TRACEBACK=1 and run it again to see where it happened.")
        return ExitCode.BUG
    return code if isinstance(code, int) else ExitCode.DONE


def _tell(err: StoryboardError) -> None:
    if os.environ.get("STORYBOARD_TRACEBACK"):
        traceback.print_exc()
    _say(f"Error: {err}")
    for problem in err.problems if isinstance(err, StoryError) else ():
        _say(f"  {problem}")
    if err.hint:
        _say(f"Hint: {err.hint}")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _treat_sigterm_as_ctrl_c() -> None:
    """End as cleanly when a shutdown or a batch system asks as when the writer does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _print(results: Iterable[object]) -> None:
    for result in results:
        click.echo(result)


def _story_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("file", type=_FILE)(command)


def _selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    pages = click.option("--pages", default="", metavar="1-3,5", help="Only these pages.")
    panels = click.option("--panels", default="", metavar="ID,ID", help="Draw only these panels.")
    return pages(panels(command))


def _drawing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    return _selection_options(drawing_options(command))


def _output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    flatten = click.option(
        "--flatten", is_flag=True, help="Make a final copy: text on a layer, no fields to edit."
    )
    output = click.option(
        "-o", "--output", type=_FILE, help="The PDF. Without it: beside the story, of its name."
    )
    return flatten(output(command))


def _work(
    file: Path,
    *,
    pages: str = "",
    panels: str = "",
    **options: Any,
) -> Work:
    from storyboard.render import Work
    from storyboard.selection import Selection

    drawing = options_from(options)
    selection = Selection(pages=pages, panels=panels)
    return Work(file, selection=selection, options=drawing, **options)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="storyboard")
def main() -> None:
    """Turn a story into a finished manga book on your own machine.

    `storyboard render story.yaml` does everything; the other commands are its single steps.
    """


@main.command()
@_story_argument
@_drawing_options
@_output_options
def render(file: Path, *, dry_run: bool, **options: Any) -> None:
    """Turn a story, synopsis or plan into a PDF.

    Plans the story if there is no plan yet, draws the panels that are missing, letters and binds
    them. What is already there is kept: a changed caption redraws one panel, a changed dialogue
    none.
    """
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    if dry_run:
        _print(chain.dry_run(_work(file, **options), progress_on_stderr()))
    else:
        _print([chain.render(_work(file, **options), progress_on_stderr())])


@main.command()
@_story_argument
@click.option("--llm", type=_FILE, help="GGUF file of the language model that plans.")
@click.option("--force", is_flag=True, help="Plan anew; the old plan is kept beside the new one.")
def plan(file: Path, *, llm: Path | None, force: bool) -> None:
    """Plan a story's pages and panels, to be edited and rendered."""
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    _print([chain.plan(_work(file, llm=llm), progress_on_stderr(), force=force)])


@main.command()
@_story_argument
def check(file: Path) -> None:
    """List everything that is wrong in a story or plan.

    What is right but would be a pity is listed as a warning: text that would be cut off in print,
    pictures of characters that are blurred, small, of several people or too much alike.
    """
    from storyboard import render as chain

    chain.check(file)
    warnings = chain.warnings(file)
    _print(f"warning: {warning}" for warning in warnings)
    _print([f"{file}: no problems" + (f", warnings: {len(warnings)}" if warnings else "")])


@main.command()
@_story_argument
@_drawing_options
def draw(file: Path, *, dry_run: bool, **options: Any) -> None:
    """Draw the panels that are missing.

    Prints the paths of all pictures that are wanted and there.
    """
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    run = chain.dry_run if dry_run else chain.draw
    _print(run(_work(file, **options), progress_on_stderr()))


@main.command()
@_story_argument
@click.option("--pages", default="", metavar="1-3,5", help="Only these pages.")
@click.option("--rough", is_flag=True, help="Use the roughs instead of the drawn panels.")
@click.option("--no-text", is_flag=True, help="Leave the balloons blank, for lettering by hand.")
@_output_options
def letter(file: Path, **options: Any) -> None:
    """Letter and bind the pictures that are there.

    Draws nothing and loads no model.
    """
    from storyboard import render as chain
    from storyboard.progress import progress_on_stderr

    _print([chain.letter(_work(file, **options), progress_on_stderr())])


@main.command()
@_story_argument
@click.option(
    "--to",
    "forms",
    required=True,
    metavar="FORM,FORM",
    help="One or several of png, cbz, epub, webtoon, ora, psd, svg.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=_FILE,
    metavar="DIR",
    help="Folder for the files. Without it: NAME.export beside the story.",
)
@click.option(
    "--dpi",
    type=click.FloatRange(36, 600),
    help="Resolution. Without it: 150 for png, 200 for cbz and epub, 300 for ora, psd and svg.",
)
@click.option(
    "--strip-height",
    "strip_height_px",
    type=click.IntRange(400, 20000),
    default=1280,
    show_default=True,
    metavar="PIXELS",
    help="How high a webtoon strip may be.",
)
@click.option("--pages", default="", metavar="1-3,5", help="Only these pages.")
@click.option("--rough", is_flag=True, help="Use the roughs instead of the drawn panels.")
def export(
    file: Path,
    *,
    forms: str,
    folder: Path | None,
    dpi: float | None,
    strip_height_px: int,
    **options: Any,
) -> None:
    """Write the book in other forms than the PDF.

    png: the pages as pictures. cbz: a comic book archive. epub: an e-book of fixed layout whose
    text can be read out. webtoon: the panels one below the other, in strips. ora, psd: each page
    in layers. svg: each page with live text.

    Draws nothing and loads no model.
    """
    from storyboard import render as chain
    from storyboard.export.forms import Settings
    from storyboard.progress import progress_on_stderr

    settings = Settings(dpi=dpi, strip_height_px=strip_height_px)
    progress = progress_on_stderr()
    _print(chain.export(_work(file, **options), forms, folder, settings, progress))


@main.command("import")
@click.argument("pdf", type=_FILE)
@click.option("--plan", type=_FILE, help="The plan. Without it: the one beside the PDF.")
def import_(pdf: Path, *, plan: Path | None) -> None:
    """Bring words that were changed in a PDF back into its plan.

    Changes only those words in the plan's file, keeps the old file beside it, and prints each
    change. What was changed in the plan as well is listed and left as it is.
    """
    from storyboard.importing import import_edits
    from storyboard.progress import progress_on_stderr

    _print(import_edits(pdf, plan, progress_on_stderr()))


main.add_command(models)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def doctor(*, as_json: bool) -> None:
    """Tell what is installed and set up here, and what is wrong with it.

    Holds no names of people or machines, so that it can be pasted into a report of a bug.
    """
    from storyboard.doctor import examine, report

    _print([report(examine(Path()), as_json=as_json)])


@main.command()
@click.argument("kind", type=click.Choice(["story", "plan"]))
def schema(kind: Any) -> None:
    """Print the JSON Schema of stories or plans.

    Editors that know it complete what is typed, and check it.
    """
    from storyboard.schema import json_schema

    _print([json_schema(kind)])
