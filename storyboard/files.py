"""Writing files so that a crash leaves the old file or the new one, never half of either."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from storyboard.errors import OutputError


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` into the file at `path`, whole or not at all; see `written_atomically`.

    Raises:
        OutputError: the file could not be written; what was at `path` is still there.
    """
    with written_atomically(path) as file:
        file.write(data)


@contextlib.contextmanager
def written_atomically(path: Path, *, lasting: bool = True) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of the one at `path` when the context ends well.

    The data goes to a file in the same folder (`.tmp-...`), onto the disk, and then takes the
    name `path` in one step. A link is followed, and a replaced file's permissions are kept.

    Args:
        path: of the file.
        lasting: wait until a power cut could do no harm; what can be made again need not.

    Raises:
        OutputError: the file could not be written; what was at `path` is still there.
    """
    try:
        target = path.resolve()
    except (OSError, RuntimeError) as err:  # RuntimeError: a loop of links, before Python 3.13
        raise _cannot_write(path, err) from err
    temporary = target.with_name(f".tmp-{secrets.token_hex(8)}")
    try:
        with temporary.open("x+b") as file:
            yield file
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        mode = _permissions(target)
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
        if lasting:
            _sync_folder(target.parent)
    except OSError as err:
        raise _cannot_write(path, err) from err
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _cannot_write(path: Path, err: Exception) -> OutputError:
    return OutputError(
        f"cannot write {path}: {getattr(err, 'strerror', None) or err}",
        hint="check that the folder exists, may be written to and has space left",
    )


def _permissions(path: Path) -> int | None:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system lets folders be synced."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
