"""The stage's models at their real size, untrained: what it trains is what the generator draws."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from generator.checkpoint import save_checkpoint
from generator.components import Components
from generator.encoders import character_tokens, empty_slot_tokens
from generator.pipeline import DiffSensei
from generator.request import CharacterRequest, PanelRequest
from training.autoencoder import mini_autoencoder
from training.data.tokens import train_tokenizer
from training.encoders import mini_encoders, save_encoders
from training.export import mini_components
from training.loop import LoopSettings, Training
from training.stage1_characters import MAX_CHARACTERS, MAX_DIALOGS, Batch, Stage

SIZE = (128, 288)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("runs")
    tokenizer = train_tokenizer(["medium shot, a man on the left"] * 3, root / "encoders/tokenizer")
    save_encoders(mini_encoders(len(tokenizer)), root / "encoders")
    mini_autoencoder().save_pretrained(root / "autoencoder" / "vae")
    stage = Stage(root / "encoders")
    Training(stage.trained(), LoopSettings(steps=1, learning_rate=1e-3), root / "stage1").save()
    return root


@pytest.fixture(scope="module")
def stage(folder: Path) -> Stage:
    return Stage(folder / "encoders")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (96, 96), np.uint8) for _ in range(2)]


@pytest.fixture
def batch(pictures: list[np.ndarray]) -> Batch:
    boxes = torch.zeros(2, MAX_CHARACTERS, 4)
    boxes[0, :2] = torch.tensor([[0.0, 0.2, 0.4, 1.0], [0.6, 0.2, 1.0, 1.0]])
    return Batch(
        size=SIZE,
        latents=torch.randn(2, 8, SIZE[0] // 8, SIZE[1] // 8),
        captions=["medium shot, two people", ""],
        pictures=torch.from_numpy(np.stack(pictures))[:, None].expand(-1, 3, -1, -1) / 127.5 - 1,
        slots=torch.tensor([[0, 0], [0, 1]]),
        character_boxes=boxes,
        head_boxes=boxes * torch.tensor([1, 1, 1, 0.5]),
        dialog_boxes=torch.zeros(2, MAX_DIALOGS, 4),
    )


def test_training_sees_the_tokens_that_drawing_will_see(
    folder: Path, stage: Stage, batch: Batch, pictures: list[np.ndarray]
) -> None:
    stage.resampler.load_state_dict(
        (drawing := components(folder)).resampler.state_dict(), strict=True
    )
    with torch.no_grad():
        trained = stage.image_tokens(batch)
        drawn = character_tokens(
            [(Image.fromarray(picture),) for picture in pictures],
            drawing.image_encoders,
            drawing.resampler,
        )
        empty = empty_slot_tokens(drawing.image_encoders, drawing.resampler)
    background = stage.resampler.dummy_tokens
    assert torch.allclose(trained[0], torch.cat([background, *drawn, empty, empty]), atol=1e-4)
    assert torch.allclose(trained[1], torch.cat([background, *[empty] * 4]), atol=1e-4)


def test_a_character_box_and_its_picture_reach_every_trained_part(
    stage: Stage, batch: Batch
) -> None:
    stage.loss(batch)["loss"].backward()
    for name in ("unet", "resampler", "text_encoder", "text_encoder_2"):
        gradients = [value.grad for value in stage.trained()[name].parameters()]
        assert any(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)
    frozen = (*stage.clip.parameters(), *stage.magi.parameters())
    assert all(value.grad is None for value in frozen)


def test_training_goes_on_in_full_precision_from_a_folder_in_half(
    folder: Path, tmp_path: Path
) -> None:
    shipped = components(folder)
    for part in (shipped.unet, shipped.vae, *shipped.encoding_modules()):
        part.half()
    save_checkpoint(shipped, tmp_path)
    stage = Stage(tmp_path / "image_generator")
    stage.start_from(tmp_path)
    for module in (stage.magi, *stage.trained().values()):
        assert all(value.dtype == torch.float32 for value in module.parameters())
    name = "conv_in.weight"
    assert torch.equal(stage.unet.state_dict()[name], shipped.unet.state_dict()[name].float())


def test_the_exported_folder_draws(
    folder: Path, tmp_path: Path, pictures: list[np.ndarray]
) -> None:
    exported = components(folder)
    quick = replace(
        exported, settings=type(exported.settings)(num_inference_steps=2, sizes=(SIZE,))
    )
    save_checkpoint(quick, tmp_path)
    panel = PanelRequest(
        id="p01-1",
        caption="medium shot, a man",
        height_px=SIZE[0],
        width_px=SIZE[1],
        seed=random.Random(0).randrange(2**31),
        characters=(CharacterRequest((Image.fromarray(pictures[0]),), (0.1, 0.1, 0.5, 1.0)),),
    )
    [drawn] = DiffSensei.load(tmp_path).draw([panel])
    assert drawn.image.size == (SIZE[1], SIZE[0])


def components(folder: Path) -> Components:
    return mini_components(
        folder / "encoders", folder / "autoencoder", folder / "stage1" / "checkpoint.pt"
    )
