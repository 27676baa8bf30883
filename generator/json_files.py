"""The JSON files of a model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generator.errors import CheckpointError


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a file.

    Raises:
        CheckpointError: the file is missing, or holds something else.
    """
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(path, "file is missing from the model") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(path, f"is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise CheckpointError(path, "expected an object")
    return values


def write_object(values: dict[str, Any], path: Path) -> None:
    """Write an object, laid out to be read."""
    path.write_text(json.dumps(values, indent=2) + "\n")
