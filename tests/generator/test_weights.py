from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from generator.errors import CheckpointError
from generator.weight_files import read_header
from generator.weights import place_weights, read_weights, write_shards

MIB = 2**20


def anonymous_bytes() -> int:
    """Memory of this process that no file stands behind."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux")
@pytest.mark.parametrize("suffix", [".bin", ".safetensors"])
@pytest.mark.parametrize(("dtype", "expected"), [(torch.float32, 0), (torch.float16, 32 * MIB)])
def test_no_second_copy_is_held(
    suffix: str, dtype: torch.dtype, expected: int, tmp_path: Path
) -> None:
    path = tmp_path / f"model{suffix}"
    with torch.device("meta"):
        module = nn.ModuleList(nn.Linear(512, 2048, bias=False) for _ in range(16))
    weights = {name: torch.randn(2048, 512) for name in module.state_dict()}
    torch.save(weights, path) if suffix == ".bin" else save_file(weights, path)
    del weights
    before = anonymous_bytes()
    read = read_weights(path)
    assert anonymous_bytes() - before < 2 * MIB
    peak = 0

    class Watched(dict[str, torch.Tensor]):
        def popitem(self) -> tuple[str, torch.Tensor]:
            nonlocal peak
            peak = max(peak, anonymous_bytes() - before)
            return super().popitem()

    watched = Watched(read)
    del read
    place_weights(module, watched, dtype=dtype)
    assert not watched
    assert max(peak, anonymous_bytes() - before) < expected + 8 * MIB
    assert {weight.dtype for weight in module.parameters()} == {dtype}
    assert all(weight.abs().sum() > 0 for weight in module.parameters())


def test_whole_numbers_keep_their_precision() -> None:
    module = nn.BatchNorm1d(3)
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    place_weights(module, weights, dtype=torch.float16)
    assert module.num_batches_tracked is not None
    assert module.num_batches_tracked.dtype == torch.int64
    assert module.weight.dtype == torch.float16


def test_a_pickle_of_the_format_before_zip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    assert read_weights(path)["a"].tolist() == [1, 1]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    weights = {f"w{number}": torch.full((8,), float(number)) for number in range(5)}
    files = write_shards(weights, tmp_path, "model", max_shard_bytes=64)
    assert [path.name for path in files] == [
        f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)
    ]
    return tmp_path / "model.safetensors.index.json"


def test_shards_are_read_by_their_index(index: Path) -> None:
    weights = read_weights(index)
    assert {name: tensor[0].item() for name, tensor in weights.items()} == {
        f"w{number}": number for number in range(5)
    }
    assert json.loads(index.read_text())["metadata"]["total_size"] == 5 * 32


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda names: names.pop("w0"), r"unexpected: w0"),
        (lambda names: names.update(w9=names["w0"]), r"missing: w9"),
        (lambda names: names.update(w0="../other.safetensors"), "files of its own folder"),
        (lambda names: names.update(w0="gone.safetensors"), "file is missing"),
        (lambda names: names.clear(), "is no index of weights"),
    ],
)
def test_an_index_that_does_not_fit_its_files_is_refused(
    change: Callable[[dict[str, str]], object], problem: str, index: Path
) -> None:
    about = json.loads(index.read_text())
    change(about["weight_map"])
    index.write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match=problem):
        read_weights(index)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"weight_map": 3}'])
def test_a_damaged_index_is_refused(text: str, index: Path) -> None:
    index.write_text(text)
    with pytest.raises(CheckpointError, match="is no index of weights"):
        read_weights(index)


def test_a_header_tells_names_shapes_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(4, dtype=torch.int64)}, path)
    header = read_header(path)
    assert {name: (about.shape, about.num_bytes) for name, about in header.items()} == {
        "a": ((2, 3), 24),
        "b": ((4,), 32),
    }


@pytest.mark.parametrize("kept", [0, 4, 20, -1])
def test_a_header_of_a_file_that_was_cut_short_is_refused(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(2, 3)}, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="damaged or cut short"):
        read_header(path)
