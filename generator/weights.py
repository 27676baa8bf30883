"""Read, place and write the weights of one folder: safetensors first, tensors only.

Tensors that were read lie in the file until they are used (the file is mapped), so reading takes
no memory; `place_weights` then takes them out one by one. What needs no change of precision stays
there for good, so a file in use may be replaced, but not written over.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from generator.errors import CheckpointError
from generator.weight_files import shard_files

SHARD_BYTES = 4 * 2**30
"""Largest file that is written, where a single tensor is not larger."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return a state dict; nothing but tensors is read, and no code in the file is run.

    Args:
        path: a weight file, or the index of several.

    Raises:
        CheckpointError: a file is missing or damaged, or holds something else than named tensors.
    """
    weights: dict[str, Tensor] = {}
    for file, names in shard_files(path).items():
        found = _read_file(file)
        if names is not None:
            check_names(file, missing=names - found.keys(), unexpected=found.keys() - names)
        weights.update(found)
    return weights


def place_weights(
    module: nn.Module,
    weights: dict[str, Tensor],
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | None = None,
) -> None:
    """Give a module without memory (on the meta device) its weights, one after the other.

    Args:
        module: its names and shapes have been checked.
        weights: emptied on the way, so that no second copy is held.
        dtype: of what is no whole number; as it is in the file by default.
        device: where the module comes to life; the CPU by default.
    """
    placed: dict[str, Tensor] = {}
    while weights:
        name, tensor = weights.popitem()
        placed[name] = tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)
    module.load_state_dict(placed, strict=True, assign=True)


def write_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as one safetensors file; what shares memory is written once for each."""
    tensors: dict[str, Tensor] = {}
    written: set[int] = set()
    for name, tensor in weights.items():
        tensors[name] = tensor.detach().cpu().contiguous()
        memory = tensors[name].untyped_storage().data_ptr()
        if memory in written:
            tensors[name] = tensors[name].clone()
        written.add(memory)
    save_file(tensors, path, metadata={"format": "pt"})


def write_shards(
    weights: Mapping[str, Tensor], folder: Path, stem: str, *, max_shard_bytes: int = SHARD_BYTES
) -> list[Path]:
    """Write a state dict as safetensors files of limited size, with their index.

    What fits into one file becomes `stem.safetensors` without an index.

    Returns:
        The weight files.
    """
    shards = list(_shards(weights, max_shard_bytes))
    if len(shards) == 1:
        files = {f"{stem}.safetensors": shards[0]}
    else:
        files = {
            f"{stem}-{number:05}-of-{len(shards):05}.safetensors": names
            for number, names in enumerate(shards, 1)
        }
        total = sum(tensor.nbytes for tensor in weights.values())
        index = {
            "metadata": {"total_size": total},
            "weight_map": {name: file for file, names in files.items() for name in names},
        }
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    for file, names in files.items():
        write_weights({name: weights[name] for name in names}, folder / file)
    return [folder / file for file in files]


def check_names(path: Path, *, missing: Iterable[str], unexpected: Iterable[str]) -> None:
    """Refuse weights whose names differ from the model's, naming every one.

    Raises:
        CheckpointError: there is a missing or an unexpected name.
    """
    unexpected = [name for name in unexpected if not is_constant(name)]
    problems = [
        f"{what} {', '.join(sorted(names))}"
        for what, names in (("missing:", list(missing)), ("unexpected:", unexpected))
        if names
    ]
    if problems:
        raise CheckpointError(path, "; ".join(problems))


def is_constant(name: str) -> bool:
    """Tell the tables, functions of the size only, that old transformers wrote beside weights."""
    return name.endswith((".position_ids", ".rotary_emb.inv_freq"))


class Shaped(Protocol):
    """A weight, or what will become one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""


def check_shapes(
    path: Path, *, found: Mapping[str, Shaped], expected: Mapping[str, Shaped]
) -> None:
    """Refuse weights of another shape than the model's, naming every one.

    Raises:
        CheckpointError: a shape differs.
    """
    problems = [
        f"{name} is {tuple(found[name].shape)}, expected {tuple(weight.shape)}"
        for name, weight in expected.items()
        if found[name].shape != weight.shape
    ]
    if problems:
        raise CheckpointError(path, "; ".join(problems))


def _read_file(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = _load_pickle(path)
    except (OSError, EOFError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(path, f"damaged or cut short: {_first_line(error)}") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            path, f"expected a pickle of tensors only: {_first_line(error)}"
        ) from error
    if not isinstance(weights, dict):
        raise CheckpointError(path, f"expected named tensors, found {type(weights).__name__}")
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                path, f"expected named tensors, found {type(value).__name__} under {name!r}"
            )
    return weights


def _load_pickle(path: Path) -> object:
    """Map the file; torch before 1.6 wrote another format, which can only be read as a whole."""
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)


def _shards(weights: Mapping[str, Tensor], max_bytes: int) -> Iterator[list[str]]:
    names: list[str] = []
    size = 0
    for name, tensor in weights.items():
        if names and size + tensor.nbytes > max_bytes:
            yield names
            names, size = [], 0
        names.append(name)
        size += tensor.nbytes
    yield names


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
