"""Noise becomes latents: SDXL's denoising loop with characters and dialogs in their places."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from generator.components import Components
from generator.decoding import latent_factor
from generator.errors import DrawingError
from generator.prompts import TextConditioning
from generator.request import Corners, PanelRequest

OnStep = Callable[[Sequence[PanelRequest], int, int], None]
"""Called with the panels in work, the steps done and all steps; may raise to cancel."""


@dataclass(frozen=True)
class Conditioning:
    """What one panel is drawn from: text and image tokens of the wanted and the unwanted.

    Image tokens are (background + characters * tokens per character, width).
    """

    text: TextConditioning
    negative_text: TextConditioning
    image_tokens: Tensor
    negative_image_tokens: Tensor


def panel_noise(requests: Sequence[PanelRequest]) -> list[torch.Generator]:
    """Give each panel its own source of noise; on the CPU, so that every device draws the same."""
    return [torch.Generator("cpu").manual_seed(request.seed) for request in requests]


def denoise(
    requests: Sequence[PanelRequest],
    conditionings: Sequence[Conditioning],
    components: Components,
    *,
    noise: list[torch.Generator],
    on_step: OnStep | None = None,
) -> Tensor:
    """Turn noise into latents, (panels, channels, height, width) in float32, ready to decode.

    Args:
        requests: panels of one size.
        conditionings: of the same panels.
        components: the U-Net lies on the device to compute on.
        noise: each panel's source of randomness.
        on_step: called after each step.

    Raises:
        DrawingError: the latents are not finite, as where float16 overflows.
    """
    unet: Any = components.unet
    settings, scheduler = components.settings, copy.deepcopy(components.scheduler)
    device, dtype = unet.device, unet.dtype
    guided = settings.guidance_scale > 1
    factor = latent_factor(components.vae)
    size = requests[0].height_px // factor, requests[0].width_px // factor
    scheduler.set_timesteps(settings.num_inference_steps, device=device)
    shape = unet.config.in_channels, *size
    latents: Tensor = torch.stack([torch.randn(shape, generator=source) for source in noise]).to(
        device
    )
    latents = latents * scheduler.init_noise_sigma
    step_options = _step_options(scheduler, noise)
    hidden_states, added = _unet_inputs(requests, conditionings, guided, device, dtype)
    characters = [[character.box for character in panel.characters] for panel in requests]
    dialogs = [panel.dialog_boxes for panel in requests]
    with components.adapter.condition(
        _boxes(characters, settings.max_characters, guided).to(device),
        _boxes(dialogs, settings.max_dialogs, guided).to(device),
        size,
        tokens_per_character=components.resampler.tokens_per_character,
        num_background_tokens=components.resampler.num_background_tokens,
        character_scale=settings.character_scale,
    ):
        for step, timestep in enumerate(scheduler.timesteps, start=1):
            inputs = torch.cat([latents, latents]) if guided else latents
            inputs = scheduler.scale_model_input(inputs, timestep).to(dtype)
            noise_pred = unet(inputs, timestep, hidden_states, added_cond_kwargs=added).sample
            noise_pred = noise_pred.float()
            if guided:
                unwanted, wanted = noise_pred.chunk(2)
                noise_pred = unwanted + settings.guidance_scale * (wanted - unwanted)
            latents = scheduler.step(noise_pred, timestep, latents, **step_options).prev_sample
            if on_step is not None:
                on_step(requests, step, len(scheduler.timesteps))
    if not latents.isfinite().all():
        names = ", ".join(request.id for request in requests)
        raise DrawingError(f"no finite picture for {names} in {dtype}; load with dtype float32")
    return latents


def _unet_inputs(
    requests: Sequence[PanelRequest],
    conditionings: Sequence[Conditioning],
    guided: bool,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Lay out tokens and SDXL's added conditions, the negatives first."""
    rows = [(each.text, each.image_tokens) for each in conditionings]
    if guided:
        rows = [(each.negative_text, each.negative_image_tokens) for each in conditionings] + rows
    hidden_states = torch.stack([torch.cat([text.prompt_embeds, image]) for text, image in rows])
    pooled = torch.stack([text.pooled for text, _ in rows])
    height, width = requests[0].height_px, requests[0].width_px
    time_ids = torch.tensor([[height, width, 0, 0, height, width]]).expand(len(rows), -1)
    added = {"text_embeds": pooled.to(device, dtype), "time_ids": time_ids.to(device, dtype)}
    return hidden_states.to(device, dtype), added


def _boxes(boxes: Sequence[Sequence[Corners]], slots: int, guided: bool) -> Tensor:
    """Fill up with zero boxes, (panels, slots, 4), and put rows of them first for the negatives."""
    rows = torch.zeros(len(boxes), slots, 4)
    for row, panel_boxes in zip(rows, boxes, strict=True):
        if panel_boxes:
            row[: len(panel_boxes)] = torch.tensor(list(panel_boxes))
    return torch.cat([torch.zeros_like(rows), rows]) if guided else rows


def _step_options(scheduler: Any, noise: list[torch.Generator]) -> dict[str, Any]:
    """Let a scheduler that adds noise take it from each panel's own source."""
    if "generator" in inspect.signature(scheduler.step).parameters:
        return {"generator": noise}
    return {}
