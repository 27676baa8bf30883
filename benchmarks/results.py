"""Results that are written early and often, and gone on from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report import write_json


class Results:
    """Named rows in a JSON file; each is on disk as soon as it is there."""

    def __init__(self, path: Path, *copies: Path) -> None:
        """Go on from the file, if it is there.

        Args:
            path: the file.
            copies: written along with it.
        """
        self.paths = (path, *copies)
        self.rows: dict[str, Any] = {}
        if path.exists():
            self.rows = json.loads(path.read_text("utf-8"))

    def __contains__(self, name: str) -> bool:
        """Tell whether a row is there and is no failure, which is tried again."""
        return name in self.rows and "error" not in self.rows[name]

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Keep a row and write all of them."""
        self.rows[name] = row
        for path in self.paths:
            write_json(self.rows, path)
