from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from published_checkpoint import save_as
from safetensors.torch import load_file, save_file

from generator.checkpoint import (
    load_checkpoint,
    load_mllm,
    load_resampler,
    load_unet,
    save_checkpoint,
)
from generator.errors import CheckpointError
from generator.pipeline import DiffSensei
from generator.settings import DrawSettings

UNET = "image_generator/unet/pytorch_model.bin"
CLIP = "image_generator/clip_image_encoder/model.safetensors"
VAE = "image_generator/vae/diffusion_pytorch_model.safetensors"


def change_bin(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    weights = torch.load(path, weights_only=True)
    change(weights)
    torch.save(weights, path)


def change_safetensors(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(path)
    change(weights)
    save_file(weights, path, {"format": "pt"})


def test_a_saved_model_loads_with_the_same_weights(model: DiffSensei, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("model card")
    for _ in range(2):  # the second time it replaces the first
        save_checkpoint(model.components, tmp_path)
    loaded, saved = load_checkpoint(tmp_path), model.components
    for left, right in zip(
        (loaded.unet, loaded.vae, *loaded.encoding_modules()),
        (saved.unet, saved.vae, *saved.encoding_modules()),
        strict=True,
    ):
        weights = right.state_dict()
        assert left.state_dict().keys() == weights.keys()
        assert all(torch.equal(tensor, weights[name]) for name, tensor in left.state_dict().items())
    assert loaded.settings == saved.settings
    assert loaded.text.tokenizer_2("a cat").input_ids == saved.text.tokenizer_2("a cat").input_ids
    assert not list(tmp_path.rglob("*.bin"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md",
        "image_generator",
        "settings.json",
    ]


def test_every_missing_and_unexpected_unet_weight_is_named(model_folder: Path) -> None:
    def change(weights: dict[str, object]) -> None:
        del weights["dialog_bbox_embedding"]
        weights["lora_A"] = torch.zeros(1)

    change_bin(model_folder / UNET, change)
    with pytest.raises(
        CheckpointError, match=r"missing: dialog_bbox_embedding; unexpected: lora_A"
    ):
        load_unet(model_folder / "image_generator/unet")


def test_a_unet_weight_of_another_shape_is_named(model_folder: Path) -> None:
    change_bin(
        model_folder / UNET, lambda weights: weights.update(dialog_bbox_embedding=torch.zeros(3))
    )
    with pytest.raises(CheckpointError, match=r"dialog_bbox_embedding is \(3,\), expected \(16,\)"):
        load_unet(model_folder / "image_generator/unet")


def rename_as_in_memory(folder: Path, model: DiffSensei) -> None:
    """Write the encoders' weights under the names that the installed transformers gives them."""
    text, images = model.components.text, model.components.image_encoders
    renamed = set()
    for name, encoder in (
        ("text_encoder", text.encoder),
        ("text_encoder_2", text.encoder_2),
        ("clip_image_encoder", images.clip),
        ("magi_image_encoder", images.magi),
    ):
        path = folder / f"image_generator/{name}/model.safetensors"
        weights = {key: tensor.clone() for key, tensor in encoder.state_dict().items()}
        renamed |= {name} if set(weights) != set(load_file(path)) else set()
        save_file(weights, path, {"format": "pt"})
    assert renamed == {"text_encoder", "magi_image_encoder"}


@pytest.mark.parametrize(("suffix", "names"), [(".bin", "old"), (".safetensors", "new")])
def test_both_formats_and_all_names_give_the_same_model(
    suffix: str, names: str, model: DiffSensei, model_folder: Path
) -> None:
    if names == "new":
        rename_as_in_memory(model_folder, model)
    save_as(model_folder, suffix)
    actual, expected = load_checkpoint(model_folder), model.components
    for left, right in zip(
        (actual.unet, actual.vae, *actual.encoding_modules()),
        (expected.unet, expected.vae, *expected.encoding_modules()),
        strict=True,
    ):
        weights = left.state_dict()
        assert all(torch.equal(weights[name], value) for name, value in right.state_dict().items())


def test_the_language_model_is_loaded_and_saved_with_the_rest(
    published_folder_with_mllm: Path, tmp_path: Path
) -> None:
    parts = load_checkpoint(published_folder_with_mllm, mllm_dtype=torch.bfloat16)
    assert parts.mllm is not None
    assert parts.unet.dtype == torch.float32
    save_checkpoint(parts, tmp_path)
    loaded, weights = load_mllm(tmp_path / "mllm", dtype=torch.bfloat16), parts.mllm.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())


def test_the_language_model_is_left_out_on_demand(published_folder_with_mllm: Path) -> None:
    assert load_checkpoint(published_folder_with_mllm, with_mllm=False).mllm is None


@pytest.mark.parametrize("name", [CLIP, VAE])
def test_weights_that_a_library_loads_are_checked_as_strictly(
    name: str, model_folder: Path
) -> None:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights["surplus"] = weights.pop(min(weights))

    missing = min(load_file(model_folder / name))
    change_safetensors(model_folder / name, change)
    with pytest.raises(CheckpointError, match=r"missing: .*; unexpected: surplus") as caught:
        load_checkpoint(model_folder)
    assert missing.rsplit(".", 1)[-1] in str(caught.value)
    assert caught.value.path == model_folder / name


@pytest.mark.parametrize("name", [UNET, CLIP])
def test_a_file_that_was_cut_short_is_named(name: str, model_folder: Path) -> None:
    path = model_folder / name
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match="damaged or cut short") as caught:
        load_checkpoint(model_folder)
    assert caught.value.path == path


def test_a_pickle_with_code_is_refused_and_its_code_is_not_run(
    model_folder: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (trace,)

    (model_folder / UNET).write_bytes(pickle.dumps({"conv_in.weight": Evil()}, protocol=2))
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin"):
        load_unet(model_folder / "image_generator/unet")
    assert not trace.exists()


@pytest.mark.parametrize("value", [3, "text", [torch.zeros(1)]])
def test_a_pickle_with_something_else_than_tensors_is_refused(
    value: object, model_folder: Path
) -> None:
    change_bin(model_folder / UNET, lambda weights: weights.update(step=value))
    with pytest.raises(CheckpointError, match=rf"found {type(value).__name__} under 'step'"):
        load_unet(model_folder / "image_generator/unet")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image_generator", "published layout"),
        ("image_generator/vae", "file is missing"),
        ("image_generator/tokenizer", "folder is missing"),
        ("image_generator/model_index.json", "file is missing"),
        ("image_generator/unet/config.json", "file is missing"),
        (UNET, "expected one of"),
    ],
)
def test_what_is_missing_is_named(name: str, expected: str, model_folder: Path) -> None:
    (model_folder / name).rename(model_folder / "elsewhere")
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_checkpoint(model_folder)
    assert str(caught.value.path).startswith(str((model_folder / name).parent))


def test_a_missing_resampler_weight_is_named(model_folder: Path) -> None:
    folder = model_folder / "image_generator/image_proj_model"
    change_bin(folder / "pytorch_model.bin", lambda weights: weights.pop("dummy_tokens"))
    with pytest.raises(CheckpointError, match="dummy_tokens"):
        load_resampler(folder)


def test_only_known_classes_are_loaded(model_folder: Path) -> None:
    path = model_folder / "image_generator/model_index.json"
    index = json.loads(path.read_text())
    path.write_text(json.dumps({**index, "vae": ["os", "system"]}))
    with pytest.raises(CheckpointError, match="expected one of AutoencoderKL, AutoencoderDC"):
        load_checkpoint(model_folder)


def test_safetensors_come_before_pickles(model_folder: Path) -> None:
    folder = model_folder / "image_generator/unet"
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    (folder / "pytorch_model.bin").write_bytes(b"not to be read")
    save_file(weights, folder / "diffusion_pytorch_model.safetensors")
    load_unet(folder)


def test_a_model_without_settings_is_used_like_the_published_demo(model_folder: Path) -> None:
    (model_folder / "settings.json").unlink()
    settings = load_checkpoint(model_folder).settings
    assert settings == DrawSettings()
    assert (settings.num_inference_steps, settings.guidance_scale) == (30, 7.5)
    assert (settings.max_characters, settings.max_dialogs) == (4, 8)
    assert settings.character_scale == 0.6
