"""Noise becomes latents: SDXL's denoising loop with characters and dialogs in their places."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from generator.components import Components
from generator.conditioning import Conditioning
from generator.decoding import latent_factor
from generator.devices import CPU
from generator.errors import DrawingError
from generator.request import Corners, PanelRequest

OnStep = Callable[[Sequence[PanelRequest], int, int], None]
"""Called with the panels in work, the steps done and all steps; may raise to cancel."""


def panel_noise(requests: Sequence[PanelRequest]) -> list[torch.Generator]:
    """Give each panel its own source of noise; on the CPU, so that every device draws the same."""
    return [torch.Generator(CPU).manual_seed(request.seed) for request in requests]


@torch.inference_mode()
def denoise(
    requests: Sequence[PanelRequest],
    conditionings: Sequence[Conditioning],
    components: Components,
    *,
    noise: list[torch.Generator],
    device: torch.device | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Turn noise into latents, (panels, channels, height, width) in float32, ready to decode.

    Args:
        requests: panels of one size.
        conditionings: of the same panels.
        components: the parts at work.
        noise: each panel's source of randomness.
        device: to compute on; by default where the U-Net's weights lie.
        on_step: called after each step.

    Raises:
        DrawingError: the latents are not finite, as where float16 overflows.
    """
    latents = denoise_unchecked(
        requests, conditionings, components, noise=noise, device=device, on_step=on_step
    )
    if not latents.isfinite().all():
        names = ", ".join(request.id for request in requests)
        dtype = components.unet.dtype
        raise DrawingError(f"no finite picture for {names} in {dtype}; load with dtype float32")
    return latents


def denoise_unchecked(
    requests: Sequence[PanelRequest],
    conditionings: Sequence[Conditioning],
    components: Components,
    *,
    noise: list[torch.Generator],
    device: torch.device | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Do what `denoise` does without a look at the result: nothing here waits for the device.

    The scheduler's own numbers lie on the CPU, where its decisions cost no wait. One that adds
    noise takes each panel's from its own source on the CPU, and copies it once a step.
    """
    unet: Any = components.unet
    settings, dtype, device = components.settings, unet.dtype, device or unet.device
    guided = settings.guidance_scale > 1
    scheduler = _ready_scheduler(components)
    step_options = _step_options(scheduler, noise)
    latents = _first_latents(requests[0], components, scheduler, noise).to(device)
    timesteps = scheduler.timesteps.float().to(device).unbind()
    hidden_states, added = _unet_inputs(requests, conditionings, guided, device, dtype)
    with _in_place(requests, components, latents, hidden_states, guided):
        for step, timestep in enumerate(scheduler.timesteps):
            inputs = torch.cat([latents, latents]) if guided else latents
            inputs = scheduler.scale_model_input(inputs, timestep).to(dtype)
            noise_pred = unet(
                inputs, timesteps[step], hidden_states, added_cond_kwargs=added, return_dict=False
            )[0].float()
            if guided:
                unwanted, wanted = noise_pred.chunk(2)
                noise_pred = torch.lerp(unwanted, wanted, settings.guidance_scale)
            stepped = scheduler.step(noise_pred, timestep, latents, **step_options)
            latents = stepped.prev_sample
            if on_step is not None:
                on_step(requests, step + 1, len(timesteps))
    return latents


def _ready_scheduler(components: Components) -> Any:
    """Give a scheduler at its first step, with its numbers on the CPU."""
    scheduler = copy.deepcopy(components.scheduler)
    scheduler.set_timesteps(components.settings.num_inference_steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    return scheduler


def _first_latents(
    request: PanelRequest, components: Components, scheduler: Any, noise: list[torch.Generator]
) -> Tensor:
    """Draw each panel's noise from its own source; on the CPU."""
    unet: Any = components.unet
    factor = latent_factor(components.vae)
    shape = unet.config.in_channels, request.height_px // factor, request.width_px // factor
    latents = torch.stack([torch.randn(shape, generator=source) for source in noise])
    scaled: Tensor = latents * scheduler.init_noise_sigma
    return scaled


def _in_place(
    requests: Sequence[PanelRequest],
    components: Components,
    latents: Tensor,
    hidden_states: Tensor,
    guided: bool,
) -> AbstractContextManager[None]:
    """Hold the panels' characters and dialogs where they belong, in all calls of the U-Net."""
    settings, resampler = components.settings, components.resampler
    characters = [[character.box for character in panel.characters] for panel in requests]
    dialogs = [panel.dialog_boxes for panel in requests]
    dialog_boxes = None
    if any(dialogs):
        dialog_boxes = _boxes(dialogs, settings.max_dialogs, guided).to(latents.device)
    return components.adapter.condition(
        _boxes(characters, settings.max_characters, guided).to(latents.device),
        dialog_boxes,
        (latents.shape[2], latents.shape[3]),
        tokens_per_character=resampler.tokens_per_character,
        num_background_tokens=resampler.num_background_tokens,
        character_scale=settings.character_scale,
        compatibility=settings.compatibility,
        tokens=hidden_states,
    )


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
