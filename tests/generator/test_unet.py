from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch
from diffusers import UNet2DConditionModel
from golden_values import Golden, assert_equals, assert_gradient_equals
from torch import Tensor
from torch.nn import functional

from generator.settings import Oddity
from generator.unet import CharacterAdapter, add_characters, compile_blocks

GOLDEN = Golden("unet_forward")
TOKENS = GOLDEN.config["manga"]["num_vision_tokens"]


@pytest.fixture
def unet() -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(**GOLDEN.config["unet"]).eval()


@pytest.fixture
def adapter(unet: UNet2DConditionModel) -> CharacterAdapter:
    adapter = add_characters(unet)
    unet.load_state_dict(GOLDEN.group("weights/"), strict=True)
    return adapter


def condition(
    adapter: CharacterAdapter, case: str, tokens: Tensor | None = None
) -> AbstractContextManager[None]:
    sizes = GOLDEN.config["cases"][case]
    return adapter.condition(
        GOLDEN[f"in/{case}/bbox"],
        GOLDEN[f"in/{case}/dialog_bbox"] if sizes["has_dialog"] else None,
        (sizes["h"], sizes["w"]),
        tokens_per_character=TOKENS,
        num_background_tokens=TOKENS,
        tokens=tokens,
    )


def call(unet: UNet2DConditionModel, case: str, tokens: Tensor | None = None) -> Tensor:
    inputs = GOLDEN.group(f"in/{case}/")
    output: Tensor = unet(
        inputs["sample"],
        inputs["timestep"],
        inputs["encoder_hidden_states"] if tokens is None else tokens,
        added_cond_kwargs={"text_embeds": inputs["text_embeds"], "time_ids": inputs["time_ids"]},
    ).sample
    return output


@pytest.mark.parametrize("case", GOLDEN.config["cases"])
def test_the_unet_equals_the_published_one(case: str, adapter: CharacterAdapter) -> None:
    with torch.no_grad(), condition(adapter, case):
        assert_equals(call(adapter.unet, case), GOLDEN[f"out/{case}/sample"])


def test_gradients_equal_the_published_ones(adapter: CharacterAdapter) -> None:
    tokens = GOLDEN["in/cfg16/encoder_hidden_states"].clone().requires_grad_()
    with condition(adapter, "cfg16"):
        output = call(adapter.unet, "cfg16", tokens)
        loss = functional.mse_loss(output, GOLDEN["in/cfg16/noise_target"])
        loss.backward()
    assert_equals(loss.detach().reshape(1), GOLDEN["out/cfg16/loss"])
    assert_gradient_equals(tokens.grad, GOLDEN["out/cfg16/grad_encoder_hidden_states"])
    parameters = dict(adapter.unet.named_parameters())
    for name, expected in GOLDEN.group("out/cfg16/grad/").items():
        assert_gradient_equals(parameters[name].grad, expected)


def test_characters_add_exactly_the_published_keys(unet: UNet2DConditionModel) -> None:
    before = set(unet.state_dict())
    adapter = add_characters(unet)
    added = set(unet.state_dict()) - before
    assert added == set(GOLDEN.config["manga_keys"])
    assert set(adapter.parameters_by_name) == added


def test_projections_start_as_copies_of_the_text_projections(unet: UNet2DConditionModel) -> None:
    add_characters(unet)
    layer = unet.mid_block.attentions[0].transformer_blocks[0].attn2
    assert torch.equal(layer.processor.to_k_ip.weight, layer.to_k.weight)
    assert torch.equal(layer.processor.to_v_ip.weight, layer.to_v.weight)
    assert layer.processor.to_k_ip.weight is not layer.to_k.weight


@torch.no_grad()
def test_removing_characters_restores_keys_and_outputs_bit_for_bit(
    unet: UNet2DConditionModel,
) -> None:
    keys, output = list(unet.state_dict()), call(unet, "cfg16")
    adapter = add_characters(unet)
    with condition(adapter, "cfg16"):
        assert not torch.equal(call(unet, "cfg16"), output)
    adapter.remove()
    assert list(unet.state_dict()) == keys
    assert torch.equal(call(unet, "cfg16"), output)
    add_characters(unet)


@torch.no_grad()
@pytest.mark.parametrize("case", GOLDEN.config["cases"])
def test_tokens_that_are_given_beforehand_change_nothing(
    case: str, adapter: CharacterAdapter
) -> None:
    with condition(adapter, case):
        expected = call(adapter.unet, case)
    with condition(adapter, case, tokens=GOLDEN[f"in/{case}/encoder_hidden_states"]):
        assert_equals(call(adapter.unet, case), expected, 1e-6)


@torch.no_grad()
def test_an_inner_condition_gives_way_to_the_outer_one(adapter: CharacterAdapter) -> None:
    with condition(adapter, "cfg16"):
        expected = call(adapter.unet, "cfg16")
        with condition(adapter, "r17x23_odd"):
            pass
        assert torch.equal(call(adapter.unet, "cfg16"), expected)


@torch.no_grad()
def test_the_condition_ends_with_its_block(adapter: CharacterAdapter) -> None:
    with condition(adapter, "cfg16"):
        pass
    with pytest.raises(RuntimeError, match="condition"):
        call(adapter.unet, "cfg16")


def test_characters_are_added_only_once(adapter: CharacterAdapter) -> None:
    with pytest.raises(ValueError, match="already"):
        add_characters(adapter.unet)


@torch.no_grad()
def test_dialogs_for_another_size_are_refused(adapter: CharacterAdapter) -> None:
    with condition(adapter, "r24x40_overlap"), pytest.raises(ValueError, match="the latents are"):
        call(adapter.unet, "r17x23_odd")


SMALL = {
    "layers_per_block": 1,
    "block_out_channels": (8, 16, 24),
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "cross_attention_dim": 12,
    "mid_block_type": "UNetMidBlock2DCrossAttn",
}
EVERY_LEVEL = ("CrossAttnDownBlock2D",) * 3, ("CrossAttnUpBlock2D",) * 3
LOWER_LEVELS = (
    ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
)


@pytest.mark.parametrize("blocks", [EVERY_LEVEL, LOWER_LEVELS], ids=["every level", "lower levels"])
@pytest.mark.parametrize("size", [(24, 24), (20, 28), (36, 16)])
def test_training_in_bfloat16_reaches_every_added_weight(
    blocks: tuple[tuple[str, ...], tuple[str, ...]], size: tuple[int, int]
) -> None:
    down, up = blocks
    unet = UNet2DConditionModel(down_block_types=down, up_block_types=up, **SMALL)
    adapter = add_characters(unet)
    tokens = torch.randn(2, 5 + 2 + 3 * 2, 12, requires_grad=True)
    boxes = torch.tensor([[[0.1, 0.1, 0.5, 0.9], [0.5, 0.2, 0.9, 1.0], [0.0] * 4]]).expand(2, 3, 4)
    dialogs = torch.tensor([[[0.0, 0.0, 0.3, 0.3]]]).expand(2, 1, 4)
    with (
        torch.autocast("cpu", dtype=torch.bfloat16),
        adapter.condition(boxes, dialogs, size, tokens_per_character=2, num_background_tokens=2),
    ):
        output = unet(torch.randn(2, 4, *size), torch.tensor([3, 700]), tokens).sample
        output.float().square().mean().backward()
    assert tokens.grad is not None
    assert tokens.grad.isfinite().all()
    for name, parameter in adapter.parameters_by_name.items():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@torch.no_grad()
def test_a_character_changes_nothing_outside_its_box_within_one_layer(
    adapter: CharacterAdapter,
) -> None:
    layer = adapter.unet.mid_block.attentions[0].transformer_blocks[0].attn2
    tokens = torch.randn(1, 5 + TOKENS + TOKENS, 64)
    other = tokens.clone()
    other[:, -TOKENS:] += 1
    boxes = torch.tensor([[[0.5, 0.0, 1.0, 1.0]]])
    with adapter.condition(
        boxes, None, (16, 18), tokens_per_character=TOKENS, num_background_tokens=TOKENS
    ):
        hidden_states = torch.randn(1, 72, 64)
        changed = (layer(hidden_states, tokens) - layer(hidden_states, other)).abs().sum(-1)
    changed = changed.reshape(8, 9)
    assert (changed[:, 4:] > 0).all()
    assert (changed[:, :4] == 0).all()


@torch.no_grad()
def test_scale_zero_leaves_only_the_text(adapter: CharacterAdapter) -> None:
    layer = adapter.unet.mid_block.attentions[0].transformer_blocks[0].attn2
    tokens, hidden_states = torch.randn(1, 5 + 2 * TOKENS, 64), torch.randn(1, 16, 64)
    with adapter.condition(
        torch.ones(1, 1, 4),
        None,
        (8, 8),
        tokens_per_character=TOKENS,
        num_background_tokens=TOKENS,
        character_scale=0,
    ):
        scaled = layer(hidden_states, tokens)
    adapter.remove()
    torch.testing.assert_close(scaled, layer(hidden_states, tokens[:, :5]))


@torch.no_grad()
def test_the_published_grids_are_used_only_on_demand(adapter: CharacterAdapter) -> None:
    """At 22 x 12 cells the published code lays the boxes on 24 x 11."""
    layer = adapter.unet.mid_block.attentions[0].transformer_blocks[0].attn2
    tokens, hidden_states = torch.randn(1, 5 + 2 * TOKENS, 64), torch.randn(1, 22 * 12, 64)
    boxes = torch.tensor([[[0.0, 0.0, 0.5, 1.0]]])
    outputs = []
    for compatibility in ((), ("guessed-grid",)):
        with adapter.condition(
            boxes,
            None,
            (44, 23),
            tokens_per_character=TOKENS,
            num_background_tokens=TOKENS,
            compatibility=compatibility,
        ):
            outputs.append(layer(hidden_states, tokens))
    assert not torch.allclose(*outputs)


@torch.no_grad()
@pytest.mark.parametrize(("compatibility", "reaches"), [((), False), (("top-left-token",), True)])
def test_an_empty_slot_is_seen_at_the_top_left_only_as_an_oddity(
    compatibility: tuple[Oddity, ...], reaches: bool, adapter: CharacterAdapter
) -> None:
    layer = adapter.unet.mid_block.attentions[0].transformer_blocks[0].attn2
    tokens, hidden_states = torch.randn(1, 5 + 2 * TOKENS, 64), torch.randn(1, 12, 64)
    other = tokens.clone()
    other[:, -TOKENS:] += 1
    with adapter.condition(
        torch.zeros(1, 1, 4),
        None,
        (6, 8),
        tokens_per_character=TOKENS,
        num_background_tokens=TOKENS,
        compatibility=compatibility,
    ):
        changed = (layer(hidden_states, tokens) - layer(hidden_states, other)).abs().sum(-1)[0]
    assert (changed[0] > 0) == reaches
    assert (changed[1:] == 0).all()


@torch.no_grad()
def test_dialog_edges_in_half_precision_move_by_a_cell() -> None:
    """0.4999 is 0.5 in float16."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(**GOLDEN.config["unet"]).half()
    adapter = add_characters(unet)
    boxes, features = torch.zeros(1, 1, 4), torch.zeros(1, 4, 12, 12).half()
    dialogs = torch.tensor([[[0.0, 0.0, 0.4999, 1.0]]])
    widths = []
    for compatibility in ((), ("half-precision-boxes",)):
        with adapter.condition(
            boxes,
            dialogs,
            (12, 12),
            tokens_per_character=TOKENS,
            num_background_tokens=TOKENS,
            compatibility=compatibility,
        ):
            dialog = unet.conv_in(features) - unet.conv_in.bias[:, None, None]
        widths.append(int((dialog.abs().sum(1)[0, 0] > 0).sum()))
    assert widths == [5, 6]


@pytest.mark.slow
def test_compiled_blocks_share_a_few_graphs_for_all_sizes_and_batches() -> None:
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        down_block_types=EVERY_LEVEL[0], up_block_types=EVERY_LEVEL[1], **SMALL
    ).eval()
    adapter, graphs = add_characters(unet), []

    def draw(size: tuple[int, int], rows: int) -> Tensor:
        rng = torch.Generator().manual_seed(1)
        tokens = torch.randn(rows, 5 + 2 + 3 * 2, 12, generator=rng)
        boxes = torch.rand(rows, 3, 4, generator=rng)
        with (
            torch.inference_mode(),
            adapter.condition(
                boxes, boxes, size, tokens_per_character=2, num_background_tokens=2, tokens=tokens
            ),
        ):
            output: Tensor = unet(
                torch.randn(rows, 4, *size, generator=rng), torch.tensor(5), tokens
            ).sample
        return output

    def count(graph: torch.fx.GraphModule, _inputs: object) -> Callable[..., object]:
        graphs.append(graph)
        return graph.forward

    cases = [((16, 16), 2), ((16, 24), 2), ((24, 16), 4), ((8, 40), 8)]
    expected = [draw(*case) for case in cases]
    compile_blocks(unet, backend=count, fullgraph=True)
    for case, output in zip(cases, expected, strict=True):
        assert_equals(draw(*case), output, 1e-5)
    assert 0 < len(graphs) <= 2 * len(SMALL["block_out_channels"])
