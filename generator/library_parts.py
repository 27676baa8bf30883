"""Parts of a model that diffusers or transformers load, with errors that name the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers

from generator.errors import CheckpointError
from generator.weight_files import find_weights
from generator.weights import check_names, read_weights


def read_part(folder: Path, cls: Any) -> Any:
    """Load what has no weights: a tokenizer, a scheduler, an image processor.

    Raises:
        CheckpointError: the folder is missing, or not what the class reads.
    """
    if not folder.is_dir():
        raise CheckpointError(folder, "folder is missing from the model")
    try:
        return cls.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(folder, f"makes no {cls.__name__}: {error}") from error


def load_model(folder: Path, cls: Any, **options: Any) -> Any:
    """Load by the library's own loader, because it renames weights of older versions.

    Raises:
        CheckpointError: a file is missing or damaged, or its weights do not fit.
    """
    path = find_weights(folder)
    read_weights(path)  # takes no memory, and gives a clear error for a damaged file
    try:
        with _no_progress_bars():
            model, info = cls.from_pretrained(
                folder,
                output_loading_info=True,
                local_files_only=True,
                use_safetensors=".safetensors" in path.name,
                **options,
            )
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(folder, f"makes no {cls.__name__}: {error}") from error
    check_names(path, missing=info["missing_keys"], unexpected=info["unexpected_keys"])
    return model.eval()


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keep transformers' own bars off the screen; the caller reports progress."""
    library: Any = transformers.utils.logging
    were_on = library.is_progress_bar_enabled()
    library.disable_progress_bar()
    try:
        yield
    finally:
        if were_on:
            library.enable_progress_bar()
