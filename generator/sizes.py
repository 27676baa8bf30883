"""How large a model is, from its files' headers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from generator.errors import CheckpointError
from generator.weight_files import find_weights, has_weights, read_header, shard_files


@dataclass(frozen=True)
class PartSize:
    """The weights of one component as they are stored.

    Attributes:
        parameters: how many numbers.
        bytes: on disk.
    """

    parameters: int
    bytes: int


def header_bytes(folder: Path) -> dict[str, PartSize]:
    """Return the size of every component with weights, without reading them.

    Returns:
        By name: `unet`, `vae`, `text_encoder` and so on for what lies in `image_generator/`;
        `mllm/llm` and `mllm/agent` for the language model and what goes with it.

    Raises:
        CheckpointError: there is no model in the folder, or a file of it is damaged.
    """
    parts = sorted(path for path in folder.glob("*/*") if path.is_dir() and has_weights(path))
    if not parts:
        raise CheckpointError(folder, "no weights; expected a model in the published layout")
    sizes = {}
    for part in parts:
        name = part.relative_to(folder).as_posix().removeprefix("image_generator/")
        sizes[name] = _part_size(find_weights(part))
    return sizes


def _part_size(path: Path) -> PartSize:
    tensors = [_tensors(file) for file in shard_files(path)]
    return PartSize(
        parameters=sum(numbers for file in tensors for numbers, _ in file),
        bytes=sum(size for file in tensors for _, size in file),
    )


def _tensors(path: Path) -> list[tuple[int, int]]:
    """Give the numbers and bytes of each tensor in a file."""
    if path.suffix == ".safetensors":
        return [(math.prod(about.shape), about.num_bytes) for about in read_header(path).values()]
    from generator.weights import read_weights  # torch is only loaded for a pickle's header

    return [(tensor.numel(), tensor.nbytes) for tensor in read_weights(path).values()]
