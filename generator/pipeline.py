"""Draw panels in phases: encode all captions and pictures, adapt them, denoise, decode."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import torch

from generator.checkpoint import MLLM, header_bytes, load_checkpoint, load_mllm
from generator.components import Components
from generator.conditioning import encode
from generator.decoding import latent_factor
from generator.denoising import OnStep
from generator.devices import (
    CPU,
    free_memory,
    is_accelerator,
    likes_channels_last,
    pick_device,
    pick_dtype,
)
from generator.drawing import Drawing, OnNote, OnPanel, equal_size_groups
from generator.errors import OptionError
from generator.fingerprint import fingerprint
from generator.loras import Lora, merge_loras
from generator.mllm import CharacterMllm
from generator.provenance import about_loras, about_panel, library_versions
from generator.request import SIZE_STEP_PX, DrawnPanel, PanelRequest, check_panels
from generator.residency import MODES, Mode, Phase, Residency, choose_mode, mllm_precision
from generator.schedulers import check_steps, make_scheduler
from generator.settings import DrawSettings
from generator.unet import compile_blocks

__all__ = ["DiffSensei", "Lora", "OnNote", "OnPanel", "OnStep", "encode", "equal_size_groups"]


class DiffSensei:
    """Draws manga panels with several characters in given places; arXiv:2412.07589.

    Attributes:
        components: the parts of the model; may be replaced between two calls of `draw`.
        folder: where they come from.
        dtype: in which all but the autoencoder computes on an accelerator.
    """

    def __init__(
        self,
        components: Components,
        folder: Path,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        mode: Mode | None = None,
        scheduler: str | None = None,
        loras: Sequence[Lora] = (),
        compiled: bool = False,
    ) -> None:
        """Keep the components; `load` reads them from a folder.

        Scheduler, LoRAs and whether blocks are compiled are only told in the provenance: they are
        in the components.
        """
        device = device or pick_device()
        self.components = components
        self.folder = folder
        self.dtype = dtype or pick_dtype(device)
        self.scheduler = scheduler
        self.loras = tuple(loras)
        self.compiled = compiled
        self._residency = Residency(
            mode or ("balanced" if is_accelerator(device) else "cpu"), device
        )
        self._mllm: CharacterMllm | None = None
        self._mllm_form: str | None = None

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        device: str | torch.device | None = None,
        dtype: torch.dtype | None = None,
        mode: Mode | None = None,
        compile: bool = False,  # noqa: A002  torch's word for it
        steps: int | None = None,
        scheduler: str | None = None,
        guidance_scale: float | None = None,
        loras: Sequence[Lora] = (),
    ) -> DiffSensei:
        """Load a model in the published folder layout.

        Its language model is read when the first panel with characters is drawn.

        Args:
            folder: holds `image_generator/` and, if the model has them, `mllm/` and
                `settings.json`.
            device: as torch names it; by default an accelerator if there is one.
            dtype: by default float16 on an accelerator, float32 on the CPU.
            mode: where the weights lie, see `generator.residency`; by default the quickest that
                fits into the memory that is free now.
            compile: let torch compile the U-Net's transformer blocks: some minutes once, then
                quicker; for many panels on an accelerator.
            steps: denoising steps; by default those of the model's settings.
            scheduler: name of another of diffusers' schedulers, see `make_scheduler`.
            guidance_scale: by default that of the model's settings; 1 for few-step LoRAs.
            loras: are added to the weights, in this order.

        Raises:
            CheckpointError: a file is missing or damaged, or its weights do not fit.
            OptionError: there is no such mode or scheduler, or a number is out of range.
        """
        if mode is not None and mode not in MODES:
            raise OptionError(f"no mode {mode!r}; there are {', '.join(MODES)}")
        torch_device = torch.device(device) if device else pick_device()
        sizes = header_bytes(folder)
        itemsize = (dtype or pick_dtype(torch_device)).itemsize
        mode = mode or choose_mode(
            sizes, free_memory(torch_device), torch_device, itemsize=itemsize
        )
        if mode == "cpu":
            torch_device = CPU
        dtype = dtype or pick_dtype(torch_device)
        components = load_checkpoint(folder, dtype=dtype, with_mllm=False)
        settings = _changed(components.settings, steps, guidance_scale)
        components = replace(components, settings=settings)
        if scheduler is not None:
            own = make_scheduler(scheduler, components.scheduler)
            components = replace(components, scheduler=own)
        check_steps(components.scheduler, settings.num_inference_steps)
        merge_loras(components, loras)
        if likes_channels_last(torch_device):
            convolving: tuple[Any, ...] = components.unet, components.vae
            for module in convolving:
                module.to(memory_format=torch.channels_last)
        if compile:
            compile_blocks(components.unet)
        return cls(
            components,
            folder,
            device=torch_device,
            dtype=dtype,
            mode=mode,
            scheduler=scheduler,
            loras=loras,
            compiled=compile,
        )

    @property
    def settings(self) -> DrawSettings:
        """How the model is meant to be used."""
        return self.components.settings

    @property
    def device(self) -> torch.device:
        """Where it computes now."""
        return self._residency.device

    @property
    def mode(self) -> Mode:
        """Where its weights lie; leaner than at first once memory ran out."""
        return self._residency.mode

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256, in hex, over the model's files."""
        return fingerprint(self.folder)

    def draw(
        self,
        panels: Sequence[PanelRequest],
        *,
        batch_size: int | None = None,
        on_panel: OnPanel | None = None,
        on_step: OnStep | None = None,
        on_note: OnNote | None = None,
    ) -> list[DrawnPanel]:
        """Draw panels; those of equal size are denoised together.

        A picture depends only on its own request, but for rounding, not on its neighbours. When
        memory runs out, fewer panels are drawn at a time, then the next leaner mode is taken;
        what is drawn stays drawn.

        Args:
            panels: in any order.
            batch_size: panels denoised together at most; by default as many as fit, up to 8, and
                on the CPU one.
            on_panel: gets each picture as soon as it is there, once; may raise to cancel.
            on_step: called after each denoising step; may raise to cancel.
            on_note: told in a few words when memory ran out, and what is done instead.

        Returns:
            The pictures in the order of the panels.

        Raises:
            RequestError: a panel cannot be drawn as asked; nothing was drawn.
            DrawingError: the model gave numbers that are no picture, its language model no tokens
                for a caption, or there is too little memory for it in any mode.
            CheckpointError: the language model cannot be read.
        """
        step_px = max(SIZE_STEP_PX, latent_factor(self.components.vae))
        check_panels(panels, self.settings, size_step_px=step_px)
        drawing = Drawing(
            self,
            panels,
            batch_size=batch_size,
            on_panel=on_panel,
            on_step=on_step,
            on_note=on_note,
        )
        try:
            return drawing.run()
        finally:
            self.release_mllm()
            self._residency.leave(self.components)

    @property
    def has_mllm(self) -> bool:
        """Whether a language model adapts the characters' tokens."""
        has_one = self.components.mllm is not None or (self.folder / MLLM).is_dir()
        return has_one and self.settings.mllm_scale > 0

    def enter(self, phase: Phase) -> None:
        """Bring what a phase works with to where it computes."""
        self._residency.enter(phase, self.components)

    def enter_mllm(self) -> CharacterMllm:
        """Give the language model where it computes; read it if it is not there."""
        self.enter("adapt")
        own = self.components.mllm or self._mllm
        if own is None:
            sizes = header_bytes(self.folder)
            parameters = sum(
                size.parameters for name, size in sizes.items() if name.startswith(f"{MLLM}/")
            )
            wanted = self.dtype
            if self.mode == "cpu" and wanted == torch.float16:  # slow there, where it works
                wanted = torch.float32
            dtype, quantize = mllm_precision(
                self.mode, parameters, free_memory(self.device), wanted
            )
            own = load_mllm(self.folder / MLLM, dtype=dtype, quantize=quantize, device=self.device)
            self._mllm_form = quantize or _name(dtype)
        elif self._mllm is None:
            self._mllm_form = _name(next(own.parameters()).dtype)
        self._mllm = own
        return own

    def release_mllm(self) -> None:
        """Let the language model's memory go, unless the mode keeps all in place."""
        if self.mode != "fast" and self._mllm is not None:
            self._mllm = None
            gc.collect()  # it must be gone before the next phase takes its place

    def lessen(self) -> str | None:
        """Go to the next leaner mode and say which; None if there is none."""
        how = self._residency.lessen()
        self._mllm = None
        return how

    @property
    def is_offloaded(self) -> bool:
        """Whether the U-Net's weights come to the device layer by layer."""
        return self._residency.is_offloaded(self.components.unet)

    def provenance(self, panel: PanelRequest, *, tiled: bool) -> dict[str, Any]:
        """Return what a picture drawn now depends on; see `DrawnPanel`."""
        mllm = self._mllm_form if self.has_mllm and panel.characters else None
        return {
            **about_panel(panel, self.components),
            "weights": self.fingerprint,
            "scheduler": self.scheduler or type(self.components.scheduler).__name__,
            "loras": about_loras(self.loras),
            "dtype": _name(self.components.unet.dtype),
            "mode": self.mode,
            "mllm": mllm,
            "tiled": tiled,
            "versions": library_versions(),
        }


def _changed(
    settings: DrawSettings, steps: int | None, guidance_scale: float | None
) -> DrawSettings:
    """Return the settings with what is given in place of their own."""
    given = {"num_inference_steps": steps, "guidance_scale": guidance_scale}
    changes = {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert({**msgspec.to_builtins(settings), **changes}, DrawSettings)
    except msgspec.ValidationError as error:
        raise OptionError(str(error)) from error


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
