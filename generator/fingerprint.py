"""Tell one model from another by its content; needs no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from generator.errors import CheckpointError

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
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise CheckpointError(path, f"cannot be read: {error.strerror}") from error
        total.update(f"{path.relative_to(folder).as_posix()} {digest}\n".encode())
    return total.hexdigest()
