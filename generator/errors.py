"""What can go wrong in the generator and is not a bug.

GeneratorError
├── CheckpointError   the model folder is missing, damaged or not what its names promise
├── OptionError       a way to draw that there is not, such as an unknown scheduler
├── RequestError      a panel that cannot be drawn as asked
└── DrawingError      the model gave no picture
    └── AdapterError  the language model gave no tokens for a caption
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


class OptionError(GeneratorError):
    """The model cannot be made to draw in the way that was asked for."""


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


class AdapterError(DrawingError):
    """The language model gave no adapted tokens for a panel.

    Attributes:
        caption: the panel's.
    """

    def __init__(self, caption: str, problem: str) -> None:
        """Keep the caption."""
        super().__init__(f"{problem}; the caption is {caption!r}")
        self.caption = caption
