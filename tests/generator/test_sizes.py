from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from published_checkpoint import save_as

from generator.errors import CheckpointError
from generator.mllm_checkpoint import load_mllm
from generator.pipeline import DiffSensei
from generator.sizes import header_bytes


@pytest.mark.parametrize("suffix", [".bin", ".safetensors"])
def test_sizes_are_those_of_the_loaded_parts(
    suffix: str, model: DiffSensei, published_folder_with_mllm: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(published_folder_with_mllm, tmp_path / "model")
    save_as(folder, suffix)
    sizes, parts = header_bytes(folder), model.components
    loaded = {
        "unet": parts.unet,
        "vae": parts.vae,
        "text_encoder": parts.text.encoder,
        "text_encoder_2": parts.text.encoder_2,
        "clip_image_encoder": parts.image_encoders.clip,
        "magi_image_encoder": parts.image_encoders.magi,
        "image_proj_model": parts.resampler,
    }
    assert sizes.keys() == {*loaded, "mllm/llm", "mllm/agent"}
    for name, part in loaded.items():
        tensors = part.state_dict().values()
        assert sizes[name].parameters == sum(tensor.numel() for tensor in tensors), name
        assert sizes[name].bytes == sum(tensor.nbytes for tensor in tensors), name
    tables = 2 * 5  # old versions wrote one in each layer
    llm = load_mllm(folder / "mllm").llm.state_dict().values()
    assert sizes["mllm/llm"].parameters == sum(tensor.numel() for tensor in llm) + tables


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="published layout"):
        header_bytes(tmp_path)
