"""Where exports go, and what someone has changed there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storyboard.files import write_atomically, written_atomically
from storyboard.gallery import make_folder
from storyboard.progress import Progress
from storyboard.workspace import Workspace, free_name


class Outputs:
    """A folder that exports go to. `written` lists the files, in the order they were written."""

    def __init__(self, folder: Path, workspace: Workspace, progress: Progress) -> None:
        """Write into `folder`, which need not exist yet.

        Args:
            folder: where the files go.
            workspace: remembers what they were like.
            progress: is told what was kept or taken away.
        """
        self.written: list[Path] = []
        self._folder = folder
        self._workspace = workspace
        self._progress = progress

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Open a file that takes its place when it is whole.

        One of that name that someone has edited since it was written, or that somebody else put
        there, is kept beside it.

        Raises:
            OutputError: it cannot be written.
        """
        path = self._folder / name
        make_folder(self._folder)
        with written_atomically(path) as file:
            yield file
            keep_edited(path, self._workspace, self._progress)
        self._workspace.note_written(path)
        self.written.append(path)

    def take_away_others(self, pattern: re.Pattern[str]) -> None:
        """Delete older files of the same series: a shorter book must not end with old pages.

        Only those go that were written by this tool and have not been changed since.

        Args:
            pattern: matches the names of the series' files.
        """
        for path in sorted(self._folder.iterdir()):
            if path in self.written or not pattern.fullmatch(path.name):
                continue
            if self._workspace.has_written(path):
                path.unlink()
            else:
                self._progress.say(f"{path} is not of this book any more; it is left as it is")


def keep_edited(path: Path, workspace: Workspace, progress: Progress) -> None:
    """Keep a file beside its place if someone has edited it since it was written."""
    if not workspace.is_as_written(path):
        kept = free_name(path, "before")
        write_atomically(kept, path.read_bytes())
        progress.say(f"{path} has been edited since it was written; that one is kept as {kept}")
