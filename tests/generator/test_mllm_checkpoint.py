from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_values import Golden, assert_equals
from safetensors.torch import save_file
from torch import Tensor

from generator.errors import CheckpointError
from generator.mllm import blend
from generator.mllm_checkpoint import load_mllm, save_mllm
from generator.quantization import QuantizedLinear

LLM = "llm/pytorch_model.bin"
AGENT = "agent/pytorch_model.bin"
Q_PROJ = "model.layers.0.self_attn.q_proj"
WIDTH = 40


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    weights = torch.load(path, weights_only=True)
    edit(weights)
    torch.save(weights, path)


def read(path: Path) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = torch.load(path, weights_only=True)
    return weights


def test_a_published_folder_adapts_as_recorded(mllm_folder: Path, published_values: Golden) -> None:
    source = published_values["out/mllm_embeds/mllm_source_tokens"].reshape(1, 4, 4, -1)
    caption = published_values.config["scenarios"]["mllm_embeds"]["prompt"]
    adapted = load_mllm(mllm_folder).adapt([caption], source)
    expected = published_values["out/mllm_embeds/mllm_img_gen_feat"].reshape(1, 4, 4, -1)
    assert_equals(adapted, expected)
    blended = blend(adapted, source, published_values.config["mllm_scale"])
    assert_equals(blended[0], published_values["out/mllm_embeds/mllm_blended"])


def test_a_saved_adapter_loads_with_the_same_weights(mllm_folder: Path, tmp_path: Path) -> None:
    mllm = load_mllm(mllm_folder)
    save_mllm(mllm, tmp_path / "saved")
    loaded = load_mllm(tmp_path / "saved")
    weights = mllm.state_dict()
    assert loaded.state_dict().keys() == weights.keys()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in loaded.state_dict().items())
    assert loaded.tokens.prompt("a man") == mllm.tokens.prompt("a man")
    assert loaded.output_resampler.num_heads == mllm.output_resampler.num_heads
    assert not list((tmp_path / "saved").rglob("*.bin"))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_come_in_the_wanted_precision(dtype: torch.dtype, mllm_folder: Path) -> None:
    mllm = load_mllm(mllm_folder, dtype=dtype)
    assert {parameter.dtype for parameter in mllm.parameters()} == {dtype}
    assert mllm.llm.model.rotary_emb.inv_freq.dtype == torch.float32
    assert not any(tensor.is_meta for tensor in [*mllm.parameters(), *mllm.buffers()])


@pytest.mark.parametrize(("bits", "allowed"), [("int8", 0.02), ("int4", 0.35)])
def test_a_quantised_adapter_gives_nearly_the_same(
    bits: Any, allowed: float, mllm_folder: Path, published_values: Golden, tmp_path: Path
) -> None:
    mllm = load_mllm(mllm_folder, quantize=bits)
    layers = [child for child in mllm.llm.modules() if isinstance(child, QuantizedLinear)]
    assert len(layers) == 2 * 7
    source = published_values["out/mllm_embeds/mllm_source_tokens"].reshape(1, 4, 4, -1)
    expected = published_values["out/mllm_embeds/mllm_img_gen_feat"].reshape(1, 4, 4, -1)
    adapted = mllm.adapt(["a man runs"], source)
    assert (adapted - expected).norm() / expected.norm() < allowed
    with pytest.raises(CheckpointError, match="quantised language model cannot be written"):
        save_mllm(mllm, tmp_path / "saved")


def test_every_missing_and_unexpected_weight_is_named(mllm_folder: Path) -> None:
    def edit(weights: dict[str, Any]) -> None:
        del weights["lm_head.weight"], weights["model.norm.weight"]
        weights["surplus"] = torch.zeros(1)

    change(mllm_folder / LLM, edit)
    with pytest.raises(
        CheckpointError, match=r"missing: lm_head\.weight, model\.norm\.weight; unexpected: surplus"
    ) as caught:
        load_mllm(mllm_folder)
    assert caught.value.path == mllm_folder / LLM


@pytest.mark.parametrize("name", ["other.weight", "llm.other.weight", "llm.model.norm.lora_C"])
def test_an_unexpected_weight_of_the_agent_is_named(name: str, mllm_folder: Path) -> None:
    change(mllm_folder / AGENT, lambda weights: weights.update({name: torch.zeros(1)}))
    with pytest.raises(CheckpointError, match=rf"unexpected: {name}") as caught:
        load_mllm(mllm_folder)
    assert caught.value.path == mllm_folder / AGENT


@pytest.mark.parametrize("name", ["query", "attn.in_proj_bias"])
def test_a_missing_weight_of_a_resampler_is_named(name: str, mllm_folder: Path) -> None:
    change(mllm_folder / AGENT, lambda weights: weights.pop(f"output_resampler.{name}"))
    with pytest.raises(CheckpointError, match=rf"output_resampler.*{name}"):
        load_mllm(mllm_folder)


def test_positions_may_be_absent(mllm_folder: Path) -> None:
    """Training does not save them, because they are not trained."""
    expected = read(mllm_folder / AGENT)["input_resampler.pos_embed"]
    change(mllm_folder / AGENT, lambda weights: weights.pop("input_resampler.pos_embed"))
    assert_equals(load_mllm(mllm_folder).input_resampler.pos_embed, expected, tolerance=5e-4)


@pytest.mark.parametrize("path", [LLM, AGENT])
def test_a_file_that_was_cut_short_is_named(path: str, mllm_folder: Path) -> None:
    file = mllm_folder / path
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(CheckpointError, match="damaged or cut short") as caught:
        load_mllm(mllm_folder)
    assert caught.value.path == file


@pytest.mark.parametrize("path", [LLM, AGENT])
def test_a_pickle_with_something_else_than_tensors_is_refused(path: str, mllm_folder: Path) -> None:
    change(mllm_folder / path, lambda weights: weights.update(epoch=3))
    with pytest.raises(CheckpointError, match="found int under 'epoch'"):
        load_mllm(mllm_folder)
    (mllm_folder / path).write_bytes(pickle.dumps({"code": Path("x")}, protocol=2))
    with pytest.raises(CheckpointError, match="expected a pickle of tensors only"):
        load_mllm(mllm_folder)


@pytest.mark.parametrize("name", ["tokenizer", "llm", "agent", "llm/config.json"])
def test_what_is_missing_is_named(name: str, mllm_folder: Path) -> None:
    (mllm_folder / name).rename(mllm_folder / "elsewhere")
    with pytest.raises(CheckpointError, match="is missing from the model") as caught:
        load_mllm(mllm_folder)
    assert str(caught.value.path).startswith(str(mllm_folder / name))


def edit_config(folder: Path, **values: object) -> None:
    path = folder / "llm/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_language_model_of_another_kind_is_refused(mllm_folder: Path) -> None:
    edit_config(mllm_folder, model_type="gpt2")
    with pytest.raises(CheckpointError, match="model_type is 'gpt2'; expected 'llama'"):
        load_mllm(mllm_folder)


def test_tied_embeddings_are_the_output_layer_too(mllm_folder: Path) -> None:
    edit_config(mllm_folder, tie_word_embeddings=True)
    change(mllm_folder / LLM, lambda weights: weights.pop("lm_head.weight"))
    llm = load_mllm(mllm_folder).llm
    assert torch.equal(llm.lm_head.weight, llm.model.embed_tokens.weight)
    change(mllm_folder / LLM, lambda weights: weights.pop("model.embed_tokens.weight"))
    with pytest.raises(CheckpointError, match=r"missing: lm_head.weight, model\.embed_tokens"):
        load_mllm(mllm_folder)


def test_only_known_tokenizers_are_loaded(mllm_folder: Path) -> None:
    path = mllm_folder / "tokenizer/tokenizer_config.json"
    path.write_text(json.dumps({"tokenizer_class": "Other"}))
    with pytest.raises(CheckpointError, match="tokenizer_class is 'Other'; expected one of Llama"):
        load_mllm(mllm_folder)


def test_parts_that_do_not_fit_together_are_refused(mllm_folder: Path) -> None:
    path = mllm_folder / "tokenizer/tokenizer.json"
    path.write_text(path.read_text().replace("</img>", "</other>"))
    with pytest.raises(CheckpointError, match="do not fit together: the tokenizer has no token"):
        load_mllm(mllm_folder)


def test_a_weight_of_another_shape_is_named(mllm_folder: Path) -> None:
    change(mllm_folder / LLM, lambda weights: weights.update({"lm_head.weight": torch.zeros(3, 3)}))
    with pytest.raises(CheckpointError, match=r"lm_head\.weight is \(3, 3\), expected \(40, 40\)"):
        load_mllm(mllm_folder)


# names as the agent's file may have them, and the language model's weight that they replace
REPLACING = {
    "llm.model.norm.weight": "model.norm.weight",
    "llm.base_model.model.model.norm.weight": "model.norm.weight",
    "llm.base_model.model.model.norm.modules_to_save.default.weight": "model.norm.weight",
    f"llm.base_model.model.{Q_PROJ}.base_layer.weight": f"{Q_PROJ}.weight",
}


@pytest.mark.parametrize("name", REPLACING)
def test_weights_of_the_agent_replace_those_of_the_folder(name: str, mllm_folder: Path) -> None:
    replaced = REPLACING[name]
    value = torch.randn_like(read(mllm_folder / LLM)[replaced])
    change(mllm_folder / AGENT, lambda weights: weights.update({name: value}))
    change(mllm_folder / LLM, lambda weights: weights.pop(replaced))  # it may even be there only
    assert torch.equal(load_mllm(mllm_folder).llm.get_parameter(replaced), value)


def test_what_a_trained_module_replaced_is_passed_over(mllm_folder: Path) -> None:
    value = torch.randn(WIDTH)
    stem = "llm.base_model.model.model.norm"
    both = {f"{stem}.original_module.weight": torch.zeros(WIDTH)}
    change(mllm_folder / AGENT, lambda weights: weights.update(both))
    with pytest.raises(CheckpointError, match=r"unexpected: .*original_module"):
        load_mllm(mllm_folder)
    both = {f"{stem}.modules_to_save.default.weight": value}
    change(mllm_folder / AGENT, lambda weights: weights.update(both))
    assert torch.equal(load_mllm(mllm_folder).llm.model.norm.weight, value)


def lora(rank: int, name: str = f"llm.base_model.model.{Q_PROJ}") -> dict[str, Tensor]:
    return {
        f"{name}.lora_A.default.weight": torch.randn(rank, WIDTH),
        f"{name}.lora_B.default.weight": torch.randn(WIDTH, rank),
    }


def merged(folder: Path) -> Tensor:
    return load_mllm(folder).llm.get_parameter(f"{Q_PROJ}.weight")


def test_a_lora_of_the_published_rank_is_merged(mllm_folder: Path) -> None:
    down, up = (pair := lora(64)).values()
    change(mllm_folder / AGENT, lambda weights: weights.update(pair))
    expected = read(mllm_folder / LLM)[f"{Q_PROJ}.weight"] + up @ down
    torch.testing.assert_close(merged(mllm_folder), expected)


@pytest.mark.parametrize(("use_rslora", "scale"), [(False, 32 / 4), (True, 32 / 2)])
def test_a_lora_is_merged_as_strongly_as_its_configuration_says(
    use_rslora: bool, scale: float, mllm_folder: Path
) -> None:
    down, up = (pair := lora(4)).values()
    change(mllm_folder / AGENT, lambda weights: weights.update(pair))
    with pytest.raises(CheckpointError, match=r"rank 4, and adapter_config\.json is missing"):
        load_mllm(mllm_folder)
    config = {"r": 4, "lora_alpha": 32, "use_rslora": use_rslora}
    (mllm_folder / "agent/adapter_config.json").write_text(json.dumps(config))
    expected = read(mllm_folder / LLM)[f"{Q_PROJ}.weight"] + scale * up @ down
    torch.testing.assert_close(merged(mllm_folder), expected)


def test_a_lora_changes_the_weight_that_the_agent_brings(mllm_folder: Path) -> None:
    down, up = (pair := lora(64)).values()
    base = {f"llm.base_model.model.{Q_PROJ}.base_layer.weight": torch.randn(WIDTH, WIDTH)}
    change(mllm_folder / AGENT, lambda weights: weights.update(pair | base))
    torch.testing.assert_close(merged(mllm_folder), next(iter(base.values())) + up @ down)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda pair: pair.popitem(), f"half of the LoRA for {Q_PROJ}"),
        (lambda pair: pair.update(lora(64, "llm.model.other")), "unexpected: .*other"),
        (lambda pair: pair.update(lora(64, f"llm.{Q_PROJ}")), "second weight for the same place"),
        (lambda pair: pair.update({next(iter(pair)): torch.randn(64, 3)}), r"is \(40, 3\)"),
    ],
)
def test_a_lora_that_cannot_be_merged_is_refused(
    edit: Callable[[dict[str, Tensor]], object], problem: str, mllm_folder: Path
) -> None:
    pair = lora(64)
    edit(pair)
    change(mllm_folder / AGENT, lambda weights: weights.update(pair))
    with pytest.raises(CheckpointError, match=problem):
        load_mllm(mllm_folder)


def test_safetensors_in_shards_are_read(mllm_folder: Path) -> None:
    expected = load_mllm(mllm_folder).llm.state_dict()
    weights = read(mllm_folder / LLM)
    (mllm_folder / LLM).unlink()
    names = sorted(weights)
    shards = {"model-00001-of-00002.safetensors": names[::2], "rest.safetensors": names[1::2]}
    for file, part in shards.items():
        save_file({name: weights[name] for name in part}, mllm_folder / "llm" / file)
    index = {"weight_map": {name: file for file, part in shards.items() for name in part}}
    path = mllm_folder / "llm/model.safetensors.index.json"
    path.write_text(json.dumps(index))
    loaded = load_mllm(mllm_folder).llm.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in expected.items())
    (mllm_folder / "llm/rest.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"rest\.safetensors: file is missing"):
        load_mllm(mllm_folder)
