"""Draw panels in phases: encode all pictures and captions, then batch by batch denoise, decode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from generator.checkpoint import load_checkpoint
from generator.components import Components
from generator.decoding import decode, latent_factor
from generator.denoising import Conditioning, OnStep, denoise, panel_noise
from generator.devices import pick_device, pick_dtype
from generator.encoders import character_tokens, empty_slot_tokens
from generator.fingerprint import fingerprint
from generator.prompts import encode_distinct
from generator.request import SIZE_STEP_PX, DrawnPanel, PanelRequest, check_panels
from generator.settings import DrawSettings

OnPanel = Callable[[DrawnPanel], None]


class DiffSensei:
    """Draws manga panels with several characters in given places; arXiv:2412.07589."""

    def __init__(
        self,
        components: Components,
        folder: Path,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Keep the components; `load` reads them from a folder."""
        self.components = components
        self.folder = folder
        self.device = device or pick_device()
        self.dtype = dtype or pick_dtype(self.device)

    @classmethod
    def load(
        cls, folder: Path, *, device: str | None = None, dtype: torch.dtype | None = None
    ) -> DiffSensei:
        """Load a model in the published folder layout.

        Args:
            folder: holds `image_generator/` and, if the model has its own, `settings.json`.
            device: as torch names it; by default an accelerator if there is one.
            dtype: by default float16 on an accelerator, float32 on the CPU.

        Raises:
            CheckpointError: a file is missing or damaged, or its weights do not fit.
        """
        torch_device = torch.device(device) if device else pick_device()
        dtype = dtype or pick_dtype(torch_device)
        return cls(load_checkpoint(folder, dtype=dtype), folder, device=torch_device, dtype=dtype)

    @property
    def settings(self) -> DrawSettings:
        """How the model is meant to be used."""
        return self.components.settings

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256, in hex, over the model's files."""
        return fingerprint(self.folder)

    @torch.inference_mode()
    def draw(
        self,
        panels: Sequence[PanelRequest],
        *,
        batch_size: int = 8,
        on_panel: OnPanel | None = None,
        on_step: OnStep | None = None,
    ) -> list[DrawnPanel]:
        """Draw panels; those of equal size are denoised together.

        A picture depends only on its own request, but for rounding, not on its neighbours.

        Args:
            panels: in any order.
            batch_size: panels denoised together at most.
            on_panel: gets each picture as soon as it is there; may raise to cancel.
            on_step: called after each denoising step; may raise to cancel.

        Returns:
            The pictures in the order of the panels.

        Raises:
            RequestError: a panel cannot be drawn as asked; nothing was drawn.
            DrawingError: the model gave numbers that are no picture.
        """
        check_panels(panels, self.settings, size_step_px=max(SIZE_STEP_PX, self._latent_factor))
        with self._in_work(*self.components.encoding_modules()):
            conditionings = encode(panels, self.components)
        drawn: dict[int, DrawnPanel] = {}
        for batch in equal_size_batches(panels, batch_size):
            requests = [panels[index] for index in batch]
            with self._in_work(self.components.unet):
                latents = denoise(
                    requests,
                    [conditionings[index] for index in batch],
                    self.components,
                    noise=panel_noise(requests),
                    on_step=on_step,
                )
            with self._in_work(self.components.vae):
                for index, picture in zip(batch, decode(latents, self.components.vae), strict=True):
                    drawn[index] = DrawnPanel(panels[index], picture)
                    if on_panel is not None:
                        on_panel(drawn[index])
        return [drawn[index] for index in range(len(panels))]

    @property
    def _latent_factor(self) -> int:
        return latent_factor(self.components.vae)

    @contextmanager
    def _in_work(self, *modules: nn.Module) -> Iterator[None]:
        """Hold modules on the device for one phase, so that the phases share its memory."""
        for module in modules:
            module.to(self.device)
        try:
            yield
        finally:
            if self.device.type != "cpu":
                for module in modules:
                    module.to("cpu")


def encode(panels: Sequence[PanelRequest], components: Components) -> list[Conditioning]:
    """Turn captions and pictures into tokens, each distinct one once."""
    settings, resampler = components.settings, components.resampler
    negatives = [
        settings.negative_prompt if panel.negative_prompt is None else panel.negative_prompt
        for panel in panels
    ]
    texts = encode_distinct([*(panel.caption for panel in panels), *negatives], components.text)
    pictures = [character.images for panel in panels for character in panel.characters]
    tokens = iter(character_tokens(pictures, components.image_encoders, resampler))
    empty = empty_slot_tokens(components.image_encoders, resampler)
    background = resampler.dummy_tokens.to(empty.dtype)
    nobody = torch.cat([background, *[empty] * settings.max_characters])
    conditionings = []
    for panel, negative in zip(panels, negatives, strict=True):
        slots = [next(tokens) for _ in panel.characters]
        slots += [empty] * (settings.max_characters - len(slots))
        conditionings.append(
            Conditioning(
                texts[panel.caption], texts[negative], torch.cat([background, *slots]), nobody
            )
        )
    return conditionings


def equal_size_batches(panels: Sequence[PanelRequest], batch_size: int) -> list[list[int]]:
    """Group the panels' indices by picture size, in order of first appearance."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for index, panel in enumerate(panels):
        by_size.setdefault((panel.height_px, panel.width_px), []).append(index)
    return [
        indices[start : start + batch_size]
        for indices in by_size.values()
        for start in range(0, len(indices), batch_size)
    ]
