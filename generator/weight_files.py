"""Where a folder keeps its weights, and what their headers say; needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import CheckpointError

INDEX_SUFFIX = ".index.json"
_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")
WEIGHT_FILES = (
    *(f"{stem}.safetensors" for stem in _STEMS),
    *(f"{stem}.safetensors{INDEX_SUFFIX}" for stem in _STEMS),
    "diffusion_pytorch_model.bin",
    "pytorch_model.bin",
    f"pytorch_model.bin{INDEX_SUFFIX}",
)
"""Names that hold weights or list the files that do, in the order in which they are looked for."""


@dataclass(frozen=True)
class TensorHeader:
    """What a safetensors file says of a tensor: its dtype as spelt there, its shape, its bytes."""

    dtype: str
    shape: tuple[int, ...]
    num_bytes: int


def has_weights(folder: Path) -> bool:
    """Tell whether a component's folder holds weights."""
    return any((folder / name).is_file() for name in WEIGHT_FILES)


def find_weights(folder: Path) -> Path:
    """Return the weight file of a component's folder, or the index of several.

    Raises:
        CheckpointError: the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise CheckpointError(folder, "folder is missing from the model")
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(folder, f"no weights; expected one of {', '.join(WEIGHT_FILES)}")


def shard_files(path: Path) -> Mapping[Path, set[str] | None]:
    """Return the files that a weight file or index stands for, with the names each must hold.

    Raises:
        CheckpointError: an index is damaged or names a file that is not there.
    """
    if not path.name.endswith(INDEX_SUFFIX):
        return {path: None}
    names: dict[Path, set[str]] = {}
    for name, file in _weight_map(path).items():
        names.setdefault(path.parent / file, set()).add(name)
    for shard in names:
        if not shard.is_file():
            raise CheckpointError(shard, "file is missing from the model")
    return names


def read_header(path: Path) -> dict[str, TensorHeader]:
    """Return what a safetensors file holds.

    Raises:
        CheckpointError: the file is damaged or cut short.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            end_of_header = 8 + length
            size = path.stat().st_size
            if end_of_header > size:
                raise ValueError("its header is longer than the file")
            entries = json.loads(file.read(length))
        headers = {
            name: _tensor(about) for name, about in entries.items() if name != "__metadata__"
        }
        end = max(about["data_offsets"][1] for about in entries.values() if "dtype" in about)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(path, f"damaged or cut short: {error}") from error
    if end_of_header + end != size:
        raise CheckpointError(
            path, f"damaged or cut short: {size} bytes, expected {end_of_header + end}"
        )
    return headers


def _tensor(about: dict[str, Any]) -> TensorHeader:
    start, end = about["data_offsets"]
    return TensorHeader(str(about["dtype"]), tuple(about["shape"]), end - start)


def _weight_map(path: Path) -> dict[str, str]:
    try:
        weight_map = json.loads(path.read_bytes())["weight_map"]
        is_sound = bool(weight_map) and all(
            isinstance(file, str) and Path(file).name == file for file in weight_map.values()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(path, f"is no index of weights: {error!r}") from error
    if not is_sound:
        raise CheckpointError(path, "is no index of weights: expected files of its own folder")
    return dict(weight_map)
