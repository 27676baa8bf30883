"""What can go wrong in the generator and is not a bug.

GeneratorError
├── CheckpointError   the model folder is missing, damaged or not what its names promise
├── RequestError      a panel that cannot be drawn as asked
└── DrawingError      the model gave no picture
"""

from __future__ import annotations

from pathlib import Path


class GeneratorError(Exception):
    """Anything the caller of the generator can put right."""


class CheckpointError(GeneratorError):
    """A model folder cannot be read or written.

    Attributes:
        path: the file or folder at fault.
        problem: what was found there, and what is expected.
    """

    def __init__(self, path: Path, problem: str) -> None:
        """Keep the path and the problem."""
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class RequestError(GeneratorError):
    """A panel asks for more than the model can draw.

    Attributes:
        panel_id: the panel.
    """

    def __init__(self, panel_id: str, problem: str) -> None:
        """Keep the panel and the problem."""
        super().__init__(f"panel {panel_id}: {problem}")
        self.panel_id = panel_id


class DrawingError(GeneratorError):
    """The model gave numbers that are no picture."""
