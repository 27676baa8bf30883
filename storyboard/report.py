"""Collecting everything that is wrong in one file."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Collection, Sequence
from pathlib import Path

from storyboard.errors import StoryError
from storyboard.problems import Problem
from storyboard.yamlfile import Document, NodePath, dotted

MAX_PROBLEMS = 300  # more are counted, not listed
MAX_COMPARED = 300  # names looked through for the nearest


class Report:
    """Collects problems, and knows the line of each path where there is a document."""

    def __init__(self, file: str, document: Document | None = None) -> None:
        """Start without problems, or with the document's duplicate names."""
        self._file, self._document = file, document
        self._found: list[Problem] = []
        self._num_unlisted = 0
        self._wrong_paths: set[NodePath] = set()
        for duplicate in document.duplicates if document else ():
            self._append(duplicate)

    @property
    def problems(self) -> list[Problem]:
        """What was found, in the order of the file; beyond `MAX_PROBLEMS` only how many."""
        problems = sorted(self._found, key=lambda problem: problem.line)
        if self._num_unlisted:
            message = f"{self._num_unlisted} more problems are not listed"
            problems.append(Problem(self._file, 0, "", message))
        return problems

    @property
    def is_full(self) -> bool:
        """Whether further problems are only counted, so that their details need no search."""
        return len(self._found) >= MAX_PROBLEMS

    def add(
        self,
        path: NodePath,
        message: str,
        *,
        allowed: str = "",
        nearest: str | None = None,
        found: str = "",
        known: Collection[str] = (),
    ) -> None:
        """Note a problem, unless something at or around the same place has been noted.

        Args:
            path: where it is.
            message: what is wrong.
            allowed: what would be right.
            nearest: the name that was meant; if not given, it is looked up.
            found: the name that stands there.
            known: the names that could have been meant.
        """
        if any(path[:length] in self._wrong_paths for length in range(len(path) + 1)):
            return
        if found and nearest is None and not self.is_full:
            nearest = nearest_name(found, known)
        line = self._document.line_of(path) if self._document else 0
        self._append(Problem(self._file, line, dotted(path), message, allowed, nearest or ""))

    def add_wrong(
        self,
        path: NodePath,
        message: str,
        *,
        allowed: str = "",
        found: str = "",
        known: Collection[str] = (),
    ) -> None:
        """Note that what is at `path` has the wrong form, so that its content says nothing."""
        self.add(path, message, allowed=allowed, found=found, known=known)
        self._wrong_paths.add(path)

    def _append(self, problem: Problem) -> None:
        if self.is_full:
            self._num_unlisted += 1
        else:
            self._found.append(problem)

    @property
    def wrong_paths(self) -> Collection[NodePath]:
        """Where something of the wrong form was found; an empty value stands in for it."""
        return self._wrong_paths


def nearest_name(found: str, known: Collection[str]) -> str | None:
    """Return the known name closest to what was found, however it is capitalised, or None."""
    wanted = found[:100].casefold()
    by_folded = {name.casefold(): name for name in itertools.islice(known, MAX_COMPARED)}
    cutoff = 0.5 if len(wanted) < 4 else 0.6  # b6 is near b5, though half of it is different
    matches = difflib.get_close_matches(wanted, by_folded, n=1, cutoff=cutoff)
    parts = (name for name in by_folded if wanted in name.split())  # Bo for Old Bo
    nearest = next(iter(matches), None) or next(parts, None)
    return by_folded[nearest] if nearest else None


def raise_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Raise a StoryError that carries the problems of the file at `path`, if there are any."""
    if problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise StoryError(f"{path} has {count}", problems=problems)
