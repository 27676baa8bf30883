from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from generator.checkpoint import load_checkpoint
from generator.conversion import convert_checkpoint
from generator.errors import CheckpointError
from generator.mllm_checkpoint import load_mllm
from generator.pipeline import DiffSensei
from generator.weight_files import find_weights
from generator.weights import read_weights

UNET = "image_generator/unet"


@pytest.fixture
def source(published_folder_with_mllm: Path, tmp_path: Path) -> Path:
    return shutil.copytree(published_folder_with_mllm, tmp_path / "source")


def test_a_converted_model_has_the_same_weights_in_small_files(
    source: Path, tmp_path: Path
) -> None:
    (source / "README.md").write_text("model card")
    (source / UNET / "diffusion_pytorch_model.fp16.bin").write_bytes(b"another copy")
    target = tmp_path / "new/target"
    written: list[Path] = []
    convert_checkpoint(source, target, max_shard_bytes=20_000, on_file=written.append)
    for part in (UNET, "image_generator/vae", "mllm/llm", "mllm/agent"):
        before, after = (read_weights(find_weights(folder / part)) for folder in (source, target))
        assert after.keys() == before.keys()
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
        assert find_weights(target / part).name.endswith(".index.json")
    assert not [*target.rglob("*.bin")]
    assert sorted(written) == sorted(
        path.relative_to(target) for path in target.rglob("*.safetensors")
    )
    for path in target.rglob("*.safetensors"):
        tensors = read_weights(path).values()
        assert sum(tensor.nbytes for tensor in tensors) <= 20_000 or len(tensors) == 1
    copied = [path for path in source.rglob("*") if path.suffix in (".md", ".json", ".txt")]
    assert all((target / path.relative_to(source)).exists() for path in copied)
    assert not [*tmp_path.rglob(".unfinished*")]


def test_every_part_is_loaded_from_shards(
    model: DiffSensei, published_folder: Path, tmp_path: Path
) -> None:
    convert_checkpoint(published_folder, tmp_path / "target", max_shard_bytes=20_000)
    loaded = load_checkpoint(tmp_path / "target")
    for left, right in zip(
        (model.components.unet, model.components.vae, *model.components.encoding_modules()),
        (loaded.unet, loaded.vae, *loaded.encoding_modules()),
        strict=True,
    ):
        weights = right.state_dict()
        assert all(torch.equal(weights[name], value) for name, value in left.state_dict().items())


def test_a_model_that_fits_into_one_file_has_no_index(mllm_folder: Path, tmp_path: Path) -> None:
    convert_checkpoint(mllm_folder, tmp_path / "target")
    assert not [*(tmp_path / "target").rglob("*.index.json")]
    before, after = load_mllm(mllm_folder).state_dict(), load_mllm(tmp_path / "target").state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_weights_that_share_memory_are_written_one_by_one(source: Path, tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    path = source / UNET / "pytorch_model.bin"
    torch.save({"a": whole, "b": whole, "c": whole[2:4], "d": whole.view(2, 3).T}, path)
    convert_checkpoint(source, tmp_path / "target")
    after = read_weights(find_weights(tmp_path / "target" / UNET))
    assert after["a"].tolist() == after["b"].tolist() == [0, 1, 2, 3, 4, 5]
    assert after["c"].tolist() == [2, 3]
    assert after["d"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_target_that_is_taken_is_left_alone(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    with pytest.raises(CheckpointError, match="is there already"):
        convert_checkpoint(source, target)
    (target / "notes.txt").unlink()
    convert_checkpoint(source, target)
    with pytest.raises(CheckpointError, match="lies in the model"):
        convert_checkpoint(source, source / "mllm/new")


def test_nothing_is_left_of_a_conversion_that_failed(source: Path, tmp_path: Path) -> None:
    def cancel(path: Path) -> None:
        if path.parts[0] == "mllm":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_checkpoint(source, tmp_path / "new/target", on_file=cancel)
    assert list((tmp_path / "new").iterdir()) == []
    path = source / "mllm/llm/pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(CheckpointError, match="damaged or cut short"):
        convert_checkpoint(source, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_too_little_room_is_told_beforehand(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")(10**6, 10**6, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(CheckpointError, match=r"GB are needed, 0\.0 GB are free"):
        convert_checkpoint(source, tmp_path / "target")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="published layout"):
        convert_checkpoint(tmp_path, tmp_path / "target")
