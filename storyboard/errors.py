"""What can go wrong, as the writer is told it.

StoryboardError
├── UsageError          2   the command was used in a way it cannot work
├── StoryError          3   the story or plan is wrong; carries every problem found
├── MissingError        4   a model, picture or file is not there
├── OutputError         5   a result could not be written
├── LockedError         5   another process holds the work folder
├── PanelError          6   one panel could not be drawn
└── PanelsFailedError   6   some panels could not be drawn; the rest is there
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storyboard.problems import Problem


class ExitCode(enum.IntEnum):
    """What the process tells its caller when it ends."""

    DONE = 0
    BUG = 1
    USAGE = 2
    STORY = 3
    MISSING = 4
    OUTPUT = 5
    PANELS = 6
    INTERRUPTED = 130


class StoryboardError(Exception):
    """A known error: one line that says what is wrong, and a hint that names the way out."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Take the line that says what is wrong, and the way out."""
        super().__init__(message)
        self.hint = hint


class UsageError(StoryboardError):
    """The command was used in a way it cannot work."""

    exit_code = ExitCode.USAGE


class StoryError(StoryboardError):
    """The story or plan is wrong. `problems` holds everything found, in the file's order."""

    exit_code = ExitCode.STORY

    def __init__(
        self, message: str, *, problems: Sequence[Problem] = (), hint: str | None = None
    ) -> None:
        """Take the line that sums up the problems, and all of them."""
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class MissingError(StoryboardError):
    """A model, picture or file that is needed is not there."""

    exit_code = ExitCode.MISSING


class OutputError(StoryboardError):
    """A result could not be written."""

    exit_code = ExitCode.OUTPUT


class LockedError(OutputError):
    """Another process holds the work folder."""


class PanelError(StoryboardError):
    """One panel could not be drawn; `panel_id` says which. The others can."""

    exit_code = ExitCode.PANELS

    def __init__(self, panel_id: str, message: str, *, hint: str | None = None) -> None:
        """Take the panel's id and what is wrong with it."""
        super().__init__(f"panel {panel_id}: {message}", hint=hint)
        self.panel_id = panel_id


class PanelsFailedError(StoryboardError):
    """Some panels could not be drawn; the others are kept."""

    exit_code = ExitCode.PANELS
