from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from golden_values import Golden, assert_equals
from PIL import Image

from generator.checkpoint import load_mllm
from generator.conditioning import Conditioning, encode
from generator.decoding import decode
from generator.denoising import denoise, panel_noise
from generator.drawing import equal_size_groups
from generator.errors import DrawingError, RequestError
from generator.pipeline import DiffSensei
from generator.request import CharacterRequest, DrawnPanel, PanelRequest

CAST = Image.effect_noise((40, 56), 80)
PANEL = PanelRequest(
    id="p01-1",
    caption="a man runs",
    height_px=64,
    width_px=96,
    seed=3,
    characters=(CharacterRequest((CAST,), (0.1, 0.1, 0.6, 0.9)),),
    dialog_boxes=((0.6, 0.0, 1.0, 0.4),),
)


def pixels(panel: DrawnPanel) -> np.ndarray:
    return np.asarray(panel.image).astype(int)


def published_request(golden: Golden, scenario: str) -> PanelRequest:
    about = golden.config["scenarios"][scenario]
    pictures = [
        Image.fromarray(golden[f"in/{scenario}/char_image_{number}"].numpy())
        for number in range(about["n_img"])
    ]
    return PanelRequest(
        id=scenario,
        caption=about["prompt"],
        height_px=about["h"],
        width_px=about["w"],
        seed=about["seed"],
        characters=tuple(
            CharacterRequest((picture,), tuple(box))
            for picture, box in zip(pictures, about["boxes"], strict=True)
        ),
        dialog_boxes=tuple(tuple(box) for box in about["dialogs"]),
    )


def published_model(model: DiffSensei, about: dict[str, float]) -> DiffSensei:
    settings = msgspec.structs.replace(
        model.settings, guidance_scale=about["guidance"], character_scale=about["ip_scale"]
    )
    components = replace(model.components, settings=settings)
    return DiffSensei(components, model.folder, device=model.device, dtype=model.dtype)


@contextmanager
def recorded_calls(model: DiffSensei) -> Iterator[list[dict[str, torch.Tensor]]]:
    calls: list[dict[str, torch.Tensor]] = []

    def record(_module: object, inputs: tuple, options: dict, output: tuple) -> None:
        sample, _, hidden_states = inputs
        calls.append({"latent_model_input": sample, "encoder_hidden_states": hidden_states,
                      "noise_pred": output[0], **options["added_cond_kwargs"]})  # fmt: skip

    hook = model.components.unet.register_forward_hook(record, with_kwargs=True)
    try:
        yield calls
    finally:
        hook.remove()


def assert_calls_equal(calls: list[dict[str, torch.Tensor]], golden: Golden, scenario: str) -> None:
    for name in ("encoder_hidden_states", "text_embeds", "time_ids"):
        assert_equals(calls[0][name], golden[f"out/{scenario}/{name}"])
    for step, call in enumerate(calls):
        for name in ("latent_model_input", "noise_pred"):
            assert_equals(call[name], golden[f"out/{scenario}/step{step}/{name}"])


def assert_picture_equals(picture: Image.Image, golden: Golden, scenario: str, row: int) -> None:
    expected = golden[f"out/{scenario}/images"][row].int().numpy()
    assert np.abs(np.asarray(picture).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("scenario", ["images_one_sample", "no_characters", "no_guidance_intended"])
def test_panels_equal_the_published_ones(
    scenario: str, model: DiffSensei, published_values: Golden
) -> None:
    golden = published_values
    model = published_model(model, golden.config["scenarios"][scenario])
    with recorded_calls(model) as calls:
        [drawn] = model.draw([published_request(golden, scenario)])
    assert_calls_equal(calls, golden, scenario)
    assert_picture_equals(drawn.image, golden, scenario, 0)


def test_the_published_loss_of_characters_without_guidance_is_not_repeated(
    model: DiffSensei, published_values: Golden
) -> None:
    scenario = "no_guidance_reference_bug"
    model = published_model(model, published_values.config["scenarios"][scenario])
    with recorded_calls(model) as calls:
        model.draw([published_request(published_values, scenario)])
    published = published_values[f"out/{scenario}/step0/noise_pred"]
    assert (calls[0]["noise_pred"] - published).abs().max() > 0.01


@torch.no_grad()
def test_two_samples_from_one_source_of_noise_equal_the_published_ones(
    model: DiffSensei, published_values: Golden
) -> None:
    golden, scenario = published_values, "images_two_samples"
    model = published_model(model, golden.config["scenarios"][scenario])
    requests = [published_request(golden, scenario)] * 2
    [source] = panel_noise(requests[:1])
    with recorded_calls(model) as calls:
        latents = denoise(
            requests, encode(requests, model.components), model.components, noise=[source] * 2
        )
    assert_calls_equal(calls, golden, scenario)
    for row, picture in enumerate(decode(latents, model.components.vae)):
        assert_picture_equals(picture, golden, scenario, row)


def test_character_tokens_that_are_given_equal_the_published_ones(
    model: DiffSensei, published_values: Golden
) -> None:
    """What the published demo does with its language model's tokens."""
    golden, scenario = published_values, "mllm_embeds"
    model = published_model(model, golden.config["scenarios"][scenario])
    request = published_request(golden, scenario)
    [encoded] = encode([request], model.components)
    given = golden[f"out/{scenario}/mllm_blended"].flatten(0, 1)
    tokens = torch.cat([encoded.image_tokens[: -len(given)], given])
    conditioning = Conditioning(
        encoded.text, encoded.negative_text, tokens, encoded.negative_image_tokens
    )
    with recorded_calls(model) as calls:
        latents = denoise([request], [conditioning], model.components, noise=panel_noise([request]))
    assert_calls_equal(calls, golden, scenario)
    [picture] = decode(latents, model.components.vae)
    assert_picture_equals(picture, golden, scenario, 0)


def test_adapted_panels_equal_the_published_ones(
    published_folder_with_mllm: Path, published_values: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published demo gives its language model the features of black pictures in empty slots."""
    monkeypatch.setattr("generator.request.MIN_EDGE_PX", 48)
    golden, scenario = published_values, "mllm_embeds"
    model = DiffSensei.load(published_folder_with_mllm, device="cpu")
    model = published_model(model, golden.config["scenarios"][scenario])
    settings = msgspec.structs.replace(
        model.settings, compatibility=("top-left-token", "black-empty-slots")
    )
    model.components = replace(model.components, settings=settings)
    with recorded_calls(model) as calls:
        [drawn] = model.draw([published_request(golden, scenario)])
    assert_calls_equal(calls, golden, scenario)
    assert_picture_equals(drawn.image, golden, scenario, 0)
    assert drawn.provenance["mllm"] == "float32"


def test_panels_without_characters_do_not_need_the_language_model(
    published_folder_with_mllm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = DiffSensei.load(published_folder_with_mllm, device="cpu")
    monkeypatch.setattr("generator.pipeline.load_mllm", pytest.fail)
    [drawn] = model.draw([replace(PANEL, characters=())])
    assert drawn.provenance["mllm"] is None


def test_a_share_of_zero_does_without_the_language_model(
    model: DiffSensei, published_folder_with_mllm: Path
) -> None:
    settings = msgspec.structs.replace(model.settings, mllm_scale=0.0)
    components = replace(model.components, settings=settings)
    other = DiffSensei(components, published_folder_with_mllm, device=model.device)
    [expected], [drawn] = model.draw([PANEL]), other.draw([PANEL])
    assert np.array_equal(pixels(drawn), pixels(expected))


def test_a_panel_does_not_depend_on_its_neighbours(model: DiffSensei) -> None:
    panels = [
        PANEL,
        replace(PANEL, id="p01-2", width_px=64, characters=()),
        replace(PANEL, id="p01-3", seed=4, caption="cat", dialog_boxes=()),
    ]
    together = model.draw(panels, batch_size=8)
    assert [drawn.request for drawn in together] == panels
    for panel, drawn in zip(panels, together, strict=True):
        assert drawn.image.size == (panel.width_px, panel.height_px)
        [alone] = model.draw([panel])
        assert np.abs(pixels(alone) - pixels(drawn)).max() <= 1


def test_latents_do_not_depend_on_the_batch(model: DiffSensei) -> None:
    requests = [PANEL, replace(PANEL, id="p01-2", seed=9, caption="cat")]
    conditionings = encode(requests, model.components)
    together = denoise(requests, conditionings, model.components, noise=panel_noise(requests))
    alone = denoise(
        requests[1:], conditionings[1:], model.components, noise=panel_noise(requests[1:])
    )
    assert_equals(together[1:], alone)


def test_the_same_seed_gives_the_same_picture_and_another_seed_another(model: DiffSensei) -> None:
    first, again, other = (
        model.draw([panel])[0] for panel in (PANEL, PANEL, replace(PANEL, seed=4))
    )
    assert np.array_equal(pixels(first), pixels(again))
    assert not np.array_equal(pixels(first), pixels(other))


@pytest.mark.parametrize("guidance_scale", [1.0, 5.0])
def test_characters_count_with_and_without_guidance(
    model: DiffSensei, guidance_scale: float
) -> None:
    model = published_model(model, {"guidance": guidance_scale, "ip_scale": 1.0})
    [drawn] = model.draw([PANEL])
    elsewhere = CharacterRequest((CAST,), (0.6, 0.1, 1.0, 0.9))
    [moved] = model.draw([replace(PANEL, characters=(elsewhere,))])
    assert not np.array_equal(pixels(drawn), pixels(moved))


def test_pictures_are_handed_over_batch_by_batch_and_steps_are_counted(model: DiffSensei) -> None:
    panels = [replace(PANEL, id=f"p01-{number}", seed=number) for number in range(1, 4)]
    events: list[str] = []

    def on_step(requests: Sequence[PanelRequest], step: int, num_steps: int) -> None:
        events.append(f"{len(requests)} panels {step}/{num_steps}")

    model.draw(
        panels,
        batch_size=2,
        on_step=on_step,
        on_panel=lambda drawn: events.append(drawn.request.id),
    )
    first = ["2 panels 1/3", "2 panels 2/3", "2 panels 3/3", "p01-1", "p01-2"]
    assert events == [*first, "1 panels 1/3", "1 panels 2/3", "1 panels 3/3", "p01-3"]


def test_an_error_in_a_callback_cancels_and_the_model_draws_again(model: DiffSensei) -> None:
    def cancel(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.draw([PANEL], on_step=cancel)
    assert model.draw([PANEL])


def test_panels_of_equal_size_are_drawn_together() -> None:
    wide = replace(PANEL, width_px=128)
    groups = equal_size_groups([PANEL, wide, PANEL, PANEL, wide])
    assert groups == [[0, 2, 3], [1, 4]]


def test_nothing_is_drawn_if_one_panel_is_refused(model: DiffSensei) -> None:
    drawn: list[DrawnPanel] = []
    with pytest.raises(RequestError, match="p01-9"):
        model.draw([PANEL, replace(PANEL, id="p01-9", width_px=100)], on_panel=drawn.append)
    assert not drawn


def test_no_panels_give_no_pictures(model: DiffSensei) -> None:
    assert model.draw([]) == []


def test_numbers_that_are_no_picture_are_an_error(model: DiffSensei) -> None:
    broken = published_model(model, {"guidance": 1e38, "ip_scale": 0.6})
    with pytest.raises(DrawingError, match="p01-1"):
        broken.draw([PANEL])


def test_a_picture_tells_what_it_depends_on(model: DiffSensei) -> None:
    [drawn] = model.draw([PANEL])
    about = json.loads(json.dumps(drawn.provenance))
    assert about == drawn.provenance
    assert about["weights"] == model.fingerprint
    assert about["seed"] == PANEL.seed
    assert about["settings"]["num_inference_steps"] == model.settings.num_inference_steps
    assert (about["scheduler"], about["dtype"], about["mode"]) == (
        "EulerDiscreteScheduler", "float32", "cpu"
    )  # fmt: skip
    assert (about["mllm"], about["loras"], about["tiled"]) == (None, [], False)


def test_a_language_model_given_in_memory_is_used_and_kept(
    model: DiffSensei, published_folder_with_mllm: Path
) -> None:
    mllm = load_mllm(published_folder_with_mllm / "mllm")
    given = DiffSensei(replace(model.components, mllm=mllm), model.folder, device=model.device)
    own = DiffSensei.load(published_folder_with_mllm, device="cpu")
    [first], [again], [expected] = (one.draw([PANEL]) for one in (given, given, own))
    assert first.provenance["mllm"] == "float32"
    assert np.array_equal(pixels(first), pixels(again))
    assert np.array_equal(pixels(first), pixels(expected))


def test_weights_can_be_trained_after_drawing(model: DiffSensei) -> None:
    """Nothing that drawing moves or makes is of the kind that knows no gradients."""
    model.draw([PANEL])
    parameter = model.components.unet.conv_in.weight
    (parameter.sum() * 2).backward()
    assert parameter.grad is not None
    parameter.grad = None
