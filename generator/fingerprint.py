"""Tell one model from another by its content; needs no torch."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from pathlib import Path

from generator.errors import CheckpointError

CLOCK_TICK_NS = 2_000_000_000
"""Two changes within it may leave the same time on a file: no file system's clock is slower."""
# everything that changes a picture: weights, configurations, vocabularies
_SUFFIXES = frozenset({".safetensors", ".bin", ".json", ".txt", ".model"})


def fingerprint(folder: Path) -> str:
    """Return the SHA-256, in hex, over all files of a model folder that change its pictures.

    Raises:
        CheckpointError: there is no such file, or one cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
    if not paths:
        raise CheckpointError(folder, "no model files; expected the published folder layout")
    total = hashlib.sha256()
    for path in paths:
        try:
            digest = file_digest(path)
        except OSError as error:
            raise CheckpointError(path, f"cannot be read: {error.strerror}") from error
        total.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256, in hex, of one file.

    It is read once in a process, and again only if it was changed or may just be.

    Raises:
        OSError: it cannot be read.
    """
    state = path.stat()
    if time.time_ns() - state.st_mtime_ns < CLOCK_TICK_NS:
        return _digest(path)
    return _unchanged_digest(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1024)
def _unchanged_digest(path: Path, _size: int, _modified_ns: int) -> str:
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
