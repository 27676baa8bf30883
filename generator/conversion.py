"""A model folder again as safetensors in shards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from generator.errors import CheckpointError
from generator.weight_files import find_weights, has_weights
from generator.weights import SHARD_BYTES, read_weights, write_shards

OnFile = Callable[[Path], None]

_WEIGHT_SUFFIXES = (
    *(".bin", ".safetensors", ".index.json"),
    *(".ckpt", ".pt", ".pth", ".msgpack", ".h5", ".onnx"),
)
_DIFFUSERS_PARTS = frozenset({"unet", "vae"})


def convert_checkpoint(
    source: Path,
    target: Path,
    *,
    max_shard_bytes: int = SHARD_BYTES,
    on_file: OnFile | None = None,
) -> None:
    """Write a model folder with the same weights, under the same names, as safetensors.

    Everything else is copied, but for further copies of the same weights, say in half precision or
    for another framework. The target appears only when all of it is written and what its headers
    say agrees with the source.

    Args:
        source: in the published layout.
        target: not there yet, or empty.
        max_shard_bytes: largest file, where a single tensor is not larger.
        on_file: gets each weight file, as a path within the folder, when it is written; may raise
            to cancel.

    Raises:
        CheckpointError: the source is no model or is damaged, the target is taken or cannot be
            written, or there is too little room.
    """
    parts = {path: find_weights(path) for path in source.rglob("*") if has_weights(path)}
    if not parts:
        raise CheckpointError(source, "no weights; expected a model in the published layout")
    weights = {part: read_weights(path) for part, path in sorted(parts.items())}
    _check_target(target, source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_room(target.parent, weights)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unfinished-") as name:
            unfinished = Path(name) / target.name
            shutil.copytree(
                source,
                unfinished,
                ignore=lambda folder, names: _copies(names) if Path(folder) in parts else [],
            )
            for part, tensors in weights.items():
                folder = unfinished / part.relative_to(source)
                stem = "diffusion_pytorch_model" if part.name in _DIFFUSERS_PARTS else "model"
                files = write_shards(tensors, folder, stem, max_shard_bytes=max_shard_bytes)
                _verify(folder, tensors)
                for file in files:
                    if on_file is not None:
                        on_file(file.relative_to(unfinished))
            if target.exists():
                target.rmdir()
            unfinished.rename(target)
    except (OSError, SafetensorError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise CheckpointError(target, f"cannot be written: {problem}") from error


def _check_target(target: Path, source: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CheckpointError(target, "is there already; expected a new folder")
    if target.resolve().is_relative_to(source.resolve()):
        raise CheckpointError(target, "lies in the model that is to be converted")


def _check_room(folder: Path, weights: Mapping[Path, Mapping[str, Tensor]]) -> None:
    needed = sum(tensor.nbytes for part in weights.values() for tensor in part.values())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CheckpointError(
            folder, f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free"
        )


def _copies(names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(_WEIGHT_SUFFIXES)]


def _verify(folder: Path, expected: Mapping[str, Tensor]) -> None:
    """Open what was written and compare its headers with what it shall hold."""
    path = find_weights(folder)
    found = read_weights(path)
    if _outline(found) != _outline(expected):
        raise CheckpointError(path, "was not written as it should be; try again")


def _outline(weights: Mapping[str, Tensor]) -> dict[str, tuple[torch.dtype, torch.Size]]:
    return {name: (tensor.dtype, tensor.shape) for name, tensor in weights.items()}
