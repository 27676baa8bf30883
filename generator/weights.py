"""Read and write the weight files of one folder: safetensors first, tensors only."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from generator.errors import CheckpointError

WEIGHT_FILES = (
    "diffusion_pytorch_model.safetensors",
    "model.safetensors",
    "pytorch_model.safetensors",
    "diffusion_pytorch_model.bin",
    "pytorch_model.bin",
)
"""Names that hold weights, in the order in which they are looked for."""


def find_weights(folder: Path) -> Path:
    """Return the weight file of a component's folder.

    Raises:
        CheckpointError: the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise CheckpointError(folder, "folder is missing from the model")
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(folder, f"no weights; expected one of {', '.join(WEIGHT_FILES)}")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return a state dict; nothing but tensors is read, and no code in the file is run.

    Raises:
        CheckpointError: the file is damaged, or holds something else than named tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
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


def write_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    save_file(tensors, path, metadata={"format": "pt"})


def check_names(path: Path, *, missing: Iterable[str], unexpected: Iterable[str]) -> None:
    """Refuse weights whose names differ from the model's, naming every one.

    Raises:
        CheckpointError: there is a missing or an unexpected name.
    """
    # a table of 0..n that old versions of transformers wrote beside the weights
    unexpected = [name for name in unexpected if not name.endswith(".position_ids")]
    problems = [
        f"{what} {', '.join(sorted(names))}"
        for what, names in (("missing:", list(missing)), ("unexpected:", unexpected))
        if names
    ]
    if problems:
        raise CheckpointError(path, "; ".join(problems))


def check_shapes(
    path: Path, *, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    """Refuse weights of another shape than the model's, naming every one.

    Raises:
        CheckpointError: a shape differs.
    """
    problems = [
        f"{name} is {tuple(found[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if found[name].shape != tensor.shape
    ]
    if problems:
        raise CheckpointError(path, "; ".join(problems))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
