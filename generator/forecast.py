"""How much memory and time drawing some panels will take, told before a model is loaded.

Sizes come from the headers of the weight files, operations from a count on tensors without
content (`generator.footprint`), the device's speed from a calibration of a second or two. Times
leave out reading the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from generator.calibration import Rates, measure_rates
from generator.checkpoint import IMAGE_GENERATOR, header_bytes
from generator.decoding import TILE_PX
from generator.devices import CPU, free_memory, is_accelerator, pick_device, pick_dtype
from generator.drawing import MAX_BATCH
from generator.footprint import decoder_footprint, unet_footprint, working_bytes
from generator.json_files import read_object
from generator.request import PanelRequest
from generator.residency import (
    WORKING_SHARE,
    Mode,
    Phase,
    choose_mode,
    mllm_precision,
    phase_bytes,
)
from generator.settings import DrawSettings, read_settings
from generator.sizes import PartSize

TOKENS_OF_A_CAPTION = 77
TOKENS_OF_A_PICTURE = 257
TOKENS_OF_AN_ANSWER = 200
"""What the language model reads for one panel, its answer included."""
BYTES_OF_A_NUMBER = {"int8": 1.0, "int4": 0.6}
"""Of the language model's, where it is quantised."""
SMALL_SHARE = 0.1
"""Memory for numbers in work where they are few, as a share of the weights."""


@dataclass(frozen=True)
class PhaseForecast:
    """What one phase will take.

    Attributes:
        name: `encode`, `adapt`, `denoise` or `decode`.
        peak_bytes: on the device, the weights that lie there included.
        seconds: for all panels; None without a calibration.
    """

    name: str
    peak_bytes: int
    seconds: float | None


@dataclass(frozen=True)
class Forecast:
    """What drawing will take.

    Attributes:
        mode: where the weights will lie.
        free_bytes: memory on the device now.
        phases: in order; `adapt` is left out where no language model is at work.
    """

    mode: Mode
    free_bytes: int
    phases: tuple[PhaseForecast, ...]

    @property
    def peak_bytes(self) -> int:
        """Of the largest phase."""
        return max(phase.peak_bytes for phase in self.phases)

    @property
    def seconds(self) -> float | None:
        """Of all phases together; None without a calibration."""
        times = [phase.seconds for phase in self.phases]
        return None if None in times else sum(time for time in times if time is not None)

    @property
    def fits(self) -> bool:
        """Whether there is memory for the largest phase."""
        return self.peak_bytes <= self.free_bytes


def forecast(
    folder: Path,
    panels: Sequence[PanelRequest],
    *,
    mode: Mode | None = None,
    device: str | torch.device | None = None,
    calibrate: bool = False,
) -> Forecast:
    """Tell what drawing these panels with the model in a folder will take.

    Args:
        folder: in the published layout; nothing but headers and configurations is read.
        panels: to be drawn.
        mode: by default the one that `DiffSensei.load` would choose now.
        device: by default the one that it would choose.
        calibrate: try for a second or two how quick the device is, and tell the times too.

    Raises:
        CheckpointError: the folder holds no model, or a file of it is damaged.
    """
    torch_device = torch.device(device) if device else pick_device()
    sizes, free_bytes = header_bytes(folder), free_memory(torch_device)
    itemsize = pick_dtype(torch_device).itemsize
    mode = mode or choose_mode(sizes, free_bytes, torch_device, itemsize=itemsize)
    if mode == "cpu" and is_accelerator(torch_device):
        torch_device, free_bytes = CPU, free_memory(CPU)
    model = _Model(folder, sizes, mode, torch_device, free_bytes)
    rates = None
    if calibrate and panels:
        size = model.latent_size(panels[0])
        channels = model.unet["block_out_channels"]
        rates = measure_rates(torch_device, model.dtype, channels, size)
    phases = (
        model.encode(panels, rates),
        model.adapt(panels, rates),
        model.denoise(panels, rates),
        model.decode(panels, rates),
    )
    return Forecast(mode, free_bytes, tuple(phase for phase in phases if phase is not None))


class _Model:
    """What is known of a model without its weights."""

    def __init__(
        self,
        folder: Path,
        sizes: Mapping[str, PartSize],
        mode: Mode,
        device: torch.device,
        free_bytes: int,
    ) -> None:
        root = folder / IMAGE_GENERATOR
        self.settings: DrawSettings = read_settings(folder)
        self.unet = read_object(root / "unet" / "config.json")
        self.vae = read_object(root / "vae" / "config.json")
        self.sizes = sizes
        self.mode: Mode = mode
        self.device = device
        self.dtype = pick_dtype(device)
        self.vae_dtype = torch.float32 if self.vae.get("force_upcast", False) else self.dtype
        self.free_bytes = free_bytes
        self.weights = phase_bytes(sizes, self.dtype.itemsize)

    def encode(self, panels: Sequence[PanelRequest], rates: Rates | None) -> PhaseForecast:
        prompts = {panel.caption for panel in panels} | {panel.negative_prompt for panel in panels}
        pictures = {
            id(image) for panel in panels for one in panel.characters for image in one.images
        }
        captions_flops = len(prompts) * TOKENS_OF_A_CAPTION * self._parameters("captions")
        pictures_flops = len(pictures) * TOKENS_OF_A_PICTURE * self._parameters("pictures")
        weights = max(self.weights["captions"], self.weights["pictures"])
        flops = 2 * (captions_flops + pictures_flops)
        seconds = None if rates is None else flops / rates.matrix
        return self._phase("encode", weights, int(SMALL_SHARE * weights), seconds)

    def adapt(self, panels: Sequence[PanelRequest], rates: Rates | None) -> PhaseForecast | None:
        adapted = sum(1 for panel in panels if panel.characters)
        parameters = self._parameters("adapt")
        if not adapted or not parameters or not self.settings.mllm_scale:
            return None
        dtype, quantize = mllm_precision(self.mode, parameters, self.free_bytes, self.dtype)
        weights = int(parameters * (BYTES_OF_A_NUMBER[quantize] if quantize else dtype.itemsize))
        flops = 2 * adapted * TOKENS_OF_AN_ANSWER * parameters
        seconds = None if rates is None else flops / rates.matrix
        return self._phase("adapt", weights, int(SMALL_SHARE * weights), seconds)

    def denoise(self, panels: Sequence[PanelRequest], rates: Rates | None) -> PhaseForecast:
        rows = 2 if self.settings.guidance_scale > 1 else 1
        each = [
            unet_footprint(
                self.unet,
                self.latent_size(panel),
                rows,
                max_characters=self.settings.max_characters,
                dtype=self.dtype,
            )
            for panel in panels
        ]
        one = max((working_bytes(taken) for taken in each), default=0)
        weights = self.weights["draw"]
        if self.mode == "lean" and (1 + WORKING_SHARE) * weights > self.free_bytes:
            weights = int(SMALL_SHARE * weights)  # the others wait on the CPU
        at_once = 1
        if is_accelerator(self.device) and one:
            at_once = max(1, min(MAX_BATCH, len(panels), (self.free_bytes - weights) // one))
        steps = self.settings.num_inference_steps
        seconds = None
        if rates is not None:
            seconds = steps * sum(rates.seconds(taken) for taken in each)
        return self._phase("denoise", weights, one * at_once, seconds)

    def decode(self, panels: Sequence[PanelRequest], rates: Rates | None) -> PhaseForecast:
        each = [
            decoder_footprint(self.vae, self.latent_size(panel), dtype=self.vae_dtype)
            for panel in panels
        ]
        weights = self.weights["draw"]
        working = max((working_bytes(taken) for taken in each), default=0)
        if self.mode == "lean" or working > self.free_bytes - weights:
            edge = TILE_PX // self.factor
            tile = decoder_footprint(self.vae, (edge, edge), dtype=self.vae_dtype)
            working = min(working, working_bytes(tile))
        seconds = None if rates is None else sum(rates.seconds(taken) for taken in each)
        return self._phase("decode", weights, working, seconds)

    @property
    def factor(self) -> int:
        """How many pixels a side one cell of the latents stands for."""
        levels = self.vae.get("encoder_block_out_channels") or self.vae["block_out_channels"]
        return int(2 ** (len(levels) - 1))

    def latent_size(self, panel: PanelRequest) -> tuple[int, int]:
        """Return height and width of a panel's latents."""
        return panel.height_px // self.factor, panel.width_px // self.factor

    def _phase(self, name: str, weights: int, working: int, seconds: float | None) -> PhaseForecast:
        """Add the weights that lie there although they are not at work."""
        if self.mode in {"fast", "cpu"}:
            mllm = weights if name == "adapt" else 0
            if self.mode == "fast":
                mllm = self.weights["adapt"]
            weights = sum(self.weights.values()) - self.weights["adapt"] + mllm
        return PhaseForecast(name, weights + working, seconds)

    def _parameters(self, phase: Phase) -> int:
        return phase_bytes(self.sizes, 1)[phase]
