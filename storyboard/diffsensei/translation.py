"""The generator's errors as the writer is told them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from storyboard.errors import MissingError, UsageError


@contextmanager
def generator_errors() -> Iterator[None]:
    """Raise the tool's errors in the place of the generator's.

    Raises:
        MissingError: a file of the model is not there, damaged or does not fit.
        UsageError: the model cannot draw in the way that was asked for.
    """
    from generator.errors import CheckpointError, OptionError

    try:
        yield
    except CheckpointError as err:
        raise MissingError(
            str(err), hint="the file is damaged, not complete or not what it should be"
        ) from err
    except OptionError as err:
        raise UsageError(str(err)) from err
