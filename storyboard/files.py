"""Writing files so that a crash leaves the old file or the new one, never half of either."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from storyboard.errors import OutputError


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` into the file at `path`, whole or not at all.

    The data goes to a new file in the same folder (`.tmp-...`), onto the disk, and then takes the
    name `path` in one step. A link is followed, and a replaced file's permissions are kept.

    Raises:
        OutputError: the file could not be written; what was at `path` is still there.
    """
    try:
        target = path.resolve()
        temporary = target.with_name(f".tmp-{secrets.token_hex(8)}")
        try:
            _write_synced(temporary, data, mode=_permissions(target))
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except (OSError, RuntimeError) as err:  # RuntimeError: a loop of links, before Python 3.13
        reason = getattr(err, "strerror", None) or str(err)
        raise OutputError(
            f"cannot write {path}: {reason}",
            hint="check that the folder exists, may be written to and has space left",
        ) from err


def _write_synced(path: Path, data: bytes, *, mode: int | None) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        path.chmod(mode)


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
