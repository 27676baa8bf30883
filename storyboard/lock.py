"""One process at a time in a work folder, and the name of the one that is there.

The operating system holds the lock, so it ends with its process, however that ends: there is no
stale lock to clear away. The file's text only tells others who holds it.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from storyboard.errors import LockedError, OutputError

_LOCKED_BYTE = 1 << 20  # far behind the text: Windows lets nobody read a byte that is locked


class Holder(msgspec.Struct, frozen=True):
    """The process that holds a work folder."""

    pid: int
    host: str
    started: str

    def __str__(self) -> str:
        """Return it as a writer is told."""
        return f"process {self.pid} on {self.host}, running since {self.started}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` until the context ends.

    Raises:
        LockedError: another process holds it; the message says which.
        OutputError: the lock file cannot be written.
    """
    try:
        file = path.open("r+b") if path.exists() else path.open("w+b")
    except OSError as err:
        raise OutputError(
            f"cannot write {path}: {err.strerror}", hint="check that the folder may be written to"
        ) from err
    with file:
        if not _try_lock(file):
            raise LockedError(
                f"{path.parent} is in use by {_read_holder(path)}",
                hint="wait until it is done, or end that process",
            )
        _write_holder(file)
        yield


def holder_of(path: Path) -> Holder | None:
    """Return the process that holds the lock file at `path`, or None if none does."""
    try:
        with path.open("r+b") as file:
            if _try_lock(file):
                return None
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):  # not there, or held by one that has only just started
        return None


def _write_holder(file: BinaryIO) -> None:
    started = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    holder = Holder(pid=os.getpid(), host=platform.node(), started=started)
    file.seek(0)
    file.write(msgspec.json.encode(holder) + b"\n")
    file.truncate()
    file.flush()


def _read_holder(path: Path) -> str:
    try:
        return str(msgspec.json.decode(path.read_bytes(), type=Holder))
    except (OSError, msgspec.DecodeError):  # between taking the lock and writing the name
        return "another process that has only just started"


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
