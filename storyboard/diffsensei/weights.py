"""What can be told of a model without loading it, and its conversion."""

from __future__ import annotations

import hashlib
import importlib.util
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from storyboard.diffsensei.translation import generator_errors
from storyboard.errors import MissingError, OutputError
from storyboard.files import write_atomically
from storyboard.gallery import make_folder

SLOW_BYTES = 500_000_000
"""More than this takes longer to hash than a command should take to begin."""

CLOCK_TICK_S = 2.0
"""No file system tells times more roughly."""

_CACHE_FILE = "fingerprints.json"


class PartDetails(msgspec.Struct, frozen=True):
    """A component with weights: how many numbers, bytes on disk, and of what kinds."""

    name: str
    parameters: int
    num_bytes: int
    dtypes: tuple[str, ...]


class ModelDetails(msgspec.Struct, frozen=True):
    """What a model consists of and how it is meant to be used."""

    parts: tuple[PartDetails, ...]
    settings: Mapping[str, Any]

    @property
    def has_language_model(self) -> bool:
        """Whether a language model adapts the characters to what they do."""
        return any(part.name.startswith("mllm/") for part in self.parts)


def mini_model() -> Path:
    """Return the folder of the small weights that ship with the tool."""
    package = importlib.util.find_spec("generator")
    if package is None or not package.submodule_search_locations:
        raise MissingError("the package `generator` is not installed", hint="install the tool anew")
    return Path(package.submodule_search_locations[0]) / "mini"


def looks_at_middle(folder: Path) -> bool:
    """Return whether a model looks only at the square in the middle of a character's picture.

    So do CLIP's encoders, unless the model says that it was trained without.
    """
    file = folder / "image_generator" / "clip_image_encoder" / "preprocessor_config.json"
    try:
        about = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):  # as published, without one
        return True
    return bool(about.get("do_center_crop", True))


def model_details(folder: Path) -> ModelDetails:
    """Return what the headers of a model's files say.

    Raises:
        MissingError: there is no model, or a file of it is damaged.
    """
    from generator.settings import read_settings
    from generator.sizes import header_bytes

    with generator_errors():
        parts = tuple(
            PartDetails(name, size.parameters, size.bytes, _dtypes(folder, name))
            for name, size in header_bytes(folder).items()
        )
        return ModelDetails(parts, msgspec.to_builtins(read_settings(folder)))


def convert_model(source: Path, target: Path, on_file: Callable[[Path], None]) -> None:
    """Write a model anew as safetensors, under the same names; all of it or nothing.

    Raises:
        MissingError: the source is no model or damaged.
        OutputError: the target is taken or cannot be written.
    """
    from generator.checkpoint import convert_checkpoint
    from generator.errors import CheckpointError

    try:
        convert_checkpoint(source, target, on_file=on_file)
    except CheckpointError as err:
        if err.path.resolve().is_relative_to(source.resolve()):
            hint = "the model that is to be converted is damaged or no model"
            raise MissingError(str(err), hint=hint) from err
        raise OutputError(str(err)) from err


def fingerprint_of(path: Path, cache_folder: Path | None = None) -> str:
    """Return the SHA-256, in hex, of a model's folder or a file: what tells it from any other.

    Args:
        path: the folder of a model, or a single file.
        cache_folder: where to remember the sums of large ones, by the sizes and times of their
            files; None remembers nothing.

    Raises:
        MissingError: it is not there or cannot be read.
    """
    known = known_fingerprint(path, cache_folder)
    if known is not None:
        return known
    result = _hashed(path)
    if cache_folder is not None and _num_bytes(path) >= SLOW_BYTES and _is_settled(path):
        sums = _read_cache(cache_folder) | {str(path.resolve()): (_stamp(path), result)}
        make_folder(cache_folder)
        data = msgspec.json.format(msgspec.json.encode(sums, order="sorted"))
        write_atomically(cache_folder / _CACHE_FILE, data + b"\n")
    return result


def known_fingerprint(path: Path, cache_folder: Path | None) -> str | None:
    """Return the fingerprint if it can be told without reading a large model."""
    try:
        if _num_bytes(path) < SLOW_BYTES:
            return _hashed(path)
        if cache_folder is None:
            return None
        stamp, result = _read_cache(cache_folder).get(str(path.resolve()), ("", ""))
        return result if stamp == _stamp(path) else None
    except OSError as err:
        raise MissingError(f"{path} cannot be read: {err.strerror}") from err


def _hashed(path: Path) -> str:
    from generator.fingerprint import fingerprint

    if path.is_dir():
        with generator_errors():
            return fingerprint(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _num_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))


def _stamp(path: Path) -> str:
    """Return what changes when a file comes, goes or is written, without reading any."""
    told = hashlib.sha256()
    for file in _files(path):
        about = file.stat()
        told.update(f"{file.relative_to(path)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return told.hexdigest()


def _is_settled(path: Path) -> bool:
    """Return whether no file is so new that another change could leave the same time on it."""
    newest = max(file.stat().st_mtime for file in _files(path))
    return time.time() - newest > CLOCK_TICK_S


def _read_cache(folder: Path) -> dict[str, tuple[str, str]]:
    try:
        data = (folder / _CACHE_FILE).read_bytes()
        return msgspec.json.decode(data, type=dict[str, tuple[str, str]])
    except (OSError, msgspec.DecodeError):
        return {}


def _dtypes(folder: Path, part: str) -> tuple[str, ...]:
    """Return the kinds of numbers of a part, the most frequent first."""
    from generator.weight_files import find_weights, read_header, shard_files

    root = folder if part.startswith("mllm/") else folder / "image_generator"
    counts: dict[str, int] = {}
    for file in shard_files(find_weights(root / part)):
        if file.suffix == ".safetensors":
            found = [(about.dtype, about.num_bytes) for about in read_header(file).values()]
        else:
            from generator.weights import read_weights

            tensors = read_weights(file).values()
            found = [(str(tensor.dtype), tensor.nbytes) for tensor in tensors]
        for dtype, num_bytes in found:
            name = _DTYPES.get(dtype, dtype.removeprefix("torch."))
            counts[name] = counts.get(name, 0) + num_bytes
    return tuple(sorted(counts, key=counts.__getitem__, reverse=True))


_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64"}
"""safetensors' names for kinds of numbers, and torch's."""
