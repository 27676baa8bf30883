from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from generator.errors import CheckpointError
from generator.loras import Lora, merge_loras
from generator.pipeline import DiffSensei
from generator.request import PanelRequest

RANK, ALPHA = 2, 3.0
TEXT_LAYERS = [
    f"text_model.encoder.layers.0.self_attn.{name}_proj" for name in ("q", "k", "v", "out")
]
PANEL = PanelRequest(id="p01-1", caption="a man runs", height_px=64, width_px=64, seed=3)


@pytest.fixture
def fresh(published_folder: Path) -> DiffSensei:
    """A model of its own, to be changed."""
    return DiffSensei.load(published_folder, device="cpu")


def unet_layer(model: DiffSensei, ending: str) -> str:
    return next(name for name, _ in model.components.unet.named_modules() if name.endswith(ending))


def low_rank(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Two matrices whose product has the weight's shape."""
    rng = torch.Generator().manual_seed(weight.numel())
    rows, columns = weight.shape[0], weight[0].numel()
    return (
        torch.randn(RANK, columns, generator=rng).view(RANK, *weight.shape[1:]),
        torch.randn(rows, RANK, generator=rng).view(rows, RANK, *[1] * (weight.dim() - 2)),
    )


def peft_form(layer: str, down: Tensor, up: Tensor) -> dict[str, Tensor]:
    return {f"unet.{layer}.lora_A.weight": down, f"unet.{layer}.lora_B.weight": up}


def kohya_form(layer: str, down: Tensor, up: Tensor) -> dict[str, Tensor]:
    name = f"lora_unet_{layer.replace('.', '_')}"
    alpha = torch.tensor(ALPHA)
    return {
        f"{name}.lora_down.weight": down,
        f"{name}.lora_up.weight": up,
        f"{name}.alpha": alpha,
    }


def sgm_form(_layer: str, down: Tensor, up: Tensor) -> dict[str, Tensor]:
    """The names of Stability's own code, which few-step LoRAs and most styles use."""
    return kohya_form("middle_block.1.transformer_blocks.0.attn2.to_q", down, up)


@pytest.mark.parametrize(
    ("form", "ending", "scale"),
    [
        (peft_form, ".attn2.to_k", 1.0),
        (peft_form, ".attn2.processor.to_k_ip", 1.0),
        (kohya_form, ".attn1.to_v", ALPHA / RANK),
        (sgm_form, "mid_block.attentions.0.transformer_blocks.0.attn2.to_q", ALPHA / RANK),
    ],
)
def test_a_lora_is_added_to_its_layer(
    form: object, ending: str, scale: float, fresh: DiffSensei, tmp_path: Path
) -> None:
    unet = fresh.components.unet
    names, layer = list(unet.state_dict()), unet_layer(fresh, ending)
    before = {name: weight.clone() for name, weight in unet.state_dict().items()}
    down, up = low_rank(before[f"{layer}.weight"])
    path = tmp_path / "style.safetensors"
    save_file(form(layer, down, up), path)
    merge_loras(fresh.components, [Lora(path, weight=0.5)])
    expected = before[f"{layer}.weight"] + 0.5 * scale * (up @ down)
    after = unet.state_dict()
    assert list(after) == names
    torch.testing.assert_close(after.pop(f"{layer}.weight"), expected)
    assert all(torch.equal(weight, before[name]) for name, weight in after.items())


def test_a_lora_may_change_the_text_encoders_too(fresh: DiffSensei, tmp_path: Path) -> None:
    text = fresh.components.text
    for number, encoder in ((1, text.encoder), (2, text.encoder_2)):
        weights, expected = {}, {}
        for layer in TEXT_LAYERS:
            own_name = f"{_own_name(layer, encoder)}.weight"
            weight = encoder.get_parameter(own_name).detach()
            down, up = low_rank(weight)
            name = f"lora_te{number}_{layer.replace('.', '_')}"
            weights |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up,
                        f"{name}.alpha": torch.tensor(float(RANK))}  # fmt: skip
            expected[own_name] = weight + up @ down
        path = tmp_path / f"{number}.safetensors"
        save_file(weights, path)
        merge_loras(fresh.components, [Lora(path)])
        for own_name, after in expected.items():
            torch.testing.assert_close(encoder.get_parameter(own_name).detach(), after)


def test_loras_given_on_loading_change_the_picture_and_are_told(
    model: DiffSensei, published_folder: Path, tmp_path: Path
) -> None:
    layer = unet_layer(model, "mid_block.attentions.0.transformer_blocks.0.attn2.to_q")
    path = tmp_path / "style.safetensors"
    save_file(
        peft_form(layer, *low_rank(model.components.unet.get_parameter(f"{layer}.weight"))), path
    )
    styled = DiffSensei.load(published_folder, device="cpu", loras=[Lora(path, 0.8)])
    [plain], [drawn] = model.draw([PANEL]), styled.draw([PANEL])
    assert drawn.image.tobytes() != plain.image.tobytes()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert drawn.provenance["loras"] == [
        {"file": "style.safetensors", "sha256": digest, "weight": 0.8}
    ]


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ({"unet.no_such.layer.lora_A.weight": torch.ones(2, 3),
          "unet.no_such.layer.lora_B.weight": torch.ones(3, 2)}, "no_such"),
        ({"prior.to_q.lora_A.weight": torch.ones(2, 3)}, r"prior\.to_q"),
        ({"unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_q.lora_A.weight":
          torch.ones(2, 3),
          "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_q.lora_B.weight":
          torch.ones(3, 2)}, "does not fit"),
        ({"lora_unet_mid_block_x.dora_scale": torch.ones(2)}, "DoRA"),
    ],
)  # fmt: skip
def test_a_lora_for_another_model_is_refused(
    weights: dict[str, Tensor], problem: str, fresh: DiffSensei, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    save_file(weights, path)
    before = {name: weight.clone() for name, weight in fresh.components.unet.state_dict().items()}
    with pytest.raises(CheckpointError, match=f"(?s)other.safetensors.*{problem}"):
        merge_loras(fresh.components, [Lora(path)])
    after = fresh.components.unet.state_dict()
    if "does not fit" not in problem:
        assert all(torch.equal(weight, before[name]) for name, weight in after.items())


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("style.bin", b"", "expected a LoRA as a .safetensors file"),
        ("style.safetensors", b"{", "cannot be read"),
        ("missing.safetensors", None, "cannot be read"),
    ],
)
def test_what_is_no_lora_file_is_refused(
    name: str, content: bytes | None, problem: str, model: DiffSensei, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=problem):
        merge_loras(model.components, [Lora(path)])


def _own_name(layer: str, encoder: torch.nn.Module) -> str:
    """Newer libraries leave the first part of the name out."""
    return layer if hasattr(encoder, "text_model") else layer.removeprefix("text_model.")
