"""Where the weights lie while a book is drawn: four modes, from the quickest to the leanest.

- `fast`: all of them on the device, all the time.
- `balanced`: on the device only what the phase at work needs.
- `lean`: so too, and the language model in 8 or 4 bits, whatever does not fit brought in layer by
  layer, pictures decoded in tiles.
- `cpu`: on the CPU, the language model only while it is at work.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal, Protocol, get_args

import torch
from torch import nn

from generator.components import Components
from generator.devices import CPU, empty_cache, free_memory, has_streams, is_accelerator

__all__ = [
    "MODES",
    "PHASES",
    "Mode",
    "Phase",
    "Precision",
    "Residency",
    "choose_mode",
    "free_memory",
    "mllm_precision",
    "phase_bytes",
]

Mode = Literal["fast", "balanced", "lean", "cpu"]
MODES: tuple[Mode, ...] = get_args(Mode)
Phase = Literal["captions", "pictures", "adapt", "draw"]
Precision = Literal["int8", "int4"] | None

PHASES: Mapping[Phase, tuple[str, ...]] = {
    "captions": ("text_encoder", "text_encoder_2"),
    "pictures": ("clip_image_encoder", "magi_image_encoder", "image_proj_model"),
    "adapt": ("mllm",),
    "draw": ("unet", "vae"),
}
"""The parts of a model folder that are at work together."""

WORKING_SHARE = 0.5
"""Memory for numbers in work, as a share of what is drawn with: one panel of a megapixel."""
MLLM_MARGIN = 1.15
"""What the language model needs, as a multiple of its weights."""


class Size(Protocol):
    """How large a part of a model is."""

    @property
    def parameters(self) -> int:
        """How many numbers."""


def phase_bytes(sizes: Mapping[str, Size], itemsize: int) -> dict[Phase, int]:
    """Return the bytes of the weights each phase works with.

    Args:
        sizes: of the parts of a model folder, by name.
        itemsize: bytes of one number on the device.
    """
    return {
        phase: sum(
            itemsize * size.parameters
            for part, size in sizes.items()
            if part.partition("/")[0] in parts
        )
        for phase, parts in PHASES.items()
    }


def choose_mode(
    sizes: Mapping[str, Size], free_bytes: int, device: torch.device, *, itemsize: int = 2
) -> Mode:
    """Return the quickest mode that fits.

    Args:
        sizes: of the parts of a model folder, by name.
        free_bytes: memory left on the device.
        device: to compute on.
        itemsize: bytes of one number on the device.
    """
    if not is_accelerator(device):
        return "cpu"
    weights = phase_bytes(sizes, itemsize)
    working = WORKING_SHARE * weights["draw"]
    if sum(weights.values()) + working <= free_bytes:
        return "fast"
    largest = max(weights["captions"], weights["pictures"], weights["draw"] + working)
    if max(largest, MLLM_MARGIN * weights["adapt"]) <= free_bytes:
        return "balanced"
    return "lean" if working <= free_bytes else "cpu"


def mllm_precision(
    mode: Mode, parameters: int, free_bytes: int, dtype: torch.dtype
) -> tuple[torch.dtype, Precision]:
    """Return in what precision to hold the language model, and in how many bits its weights.

    Args:
        mode: only `lean` and, where memory is short, `cpu` quantise.
        parameters: of the language model.
        free_bytes: memory left where it will lie.
        dtype: of the rest of the model.
    """
    room = free_bytes / MLLM_MARGIN / max(1, parameters)  # bytes for one number
    half = dtype if dtype.itemsize == 2 else torch.bfloat16
    if mode in {"fast", "balanced"} or (mode == "cpu" and room >= dtype.itemsize):
        return dtype, None
    if mode == "cpu" and room >= half.itemsize:
        return half, None
    return (dtype if mode == "lean" else half), "int8" if room >= 1 else "int4"


class Residency:
    """Keeps each part of a model where the mode wants it in each phase.

    Attributes:
        mode: at present; `lessen` goes to the next leaner one.
    """

    def __init__(self, mode: Mode, device: torch.device) -> None:
        """Move nothing yet; `device` is where to compute unless the mode is `cpu`."""
        self.mode: Mode = mode
        self._device = device
        self._must_offload = False
        self._offloaded: set[nn.Module] = set()
        self._present: list[nn.Module] = []

    @property
    def device(self) -> torch.device:
        """Where to compute."""
        return CPU if self.mode == "cpu" else self._device

    def enter(self, phase: Phase, components: Components) -> None:
        """Bring in what the phase works with; in all modes but `fast` put the rest away first."""
        wanted = list(modules_of(phase, components))
        if wanted and wanted == self._present:
            return
        self._present = []  # in case memory runs out half-way
        if self.mode != "fast":
            self._put_away(components, but=wanted)
        for module in wanted:
            self._bring(module, may_offload=module is components.unet)
        self._present = wanted

    def leave(self, components: Components) -> None:
        """Leave the device to others, where the mode is not `fast`."""
        self._present = []
        if self.mode != "fast":
            self._put_away(components, but=[])

    def lessen(self) -> str | None:
        """Go to the next leaner way and say which; None if there is none.

        The modules follow in the next `enter`.
        """
        self._present = []
        if not is_accelerator(self._device):
            return None
        if self.mode == "lean" and not self._must_offload:
            self._must_offload = True
            return "weights come to the device layer by layer"
        if self.mode == MODES[-1]:
            return None
        self.mode = MODES[MODES.index(self.mode) + 1]
        return f"mode {self.mode}"

    def is_offloaded(self, module: nn.Module) -> bool:
        """Tell whether a module's weights come to the device layer by layer."""
        return module in self._offloaded

    def _put_away(self, components: Components, *, but: list[nn.Module]) -> None:
        if not is_accelerator(self._device):
            return
        for phase in PHASES:
            for module in modules_of(phase, components):
                if module in self._offloaded and (module not in but or self.mode == "cpu"):
                    stop_offloading(module)
                    self._offloaded.remove(module)
                if module not in but:
                    module.to(CPU)
        empty_cache(self._device)

    def _bring(self, module: nn.Module, *, may_offload: bool) -> None:
        if module in self._offloaded:
            return
        may_offload = may_offload and self.mode == "lean" and is_accelerator(self.device)
        if may_offload and not self._fits(module):
            offload(module, self.device)
            self._offloaded.add(module)
        elif self.mode == "cpu" and is_accelerator(self._device):
            module.to(CPU).float()
        else:
            module.to(self.device)

    def _fits(self, module: nn.Module) -> bool:
        tensors = (*module.parameters(), *module.buffers())
        needed = sum(tensor.nbytes for tensor in tensors if not is_accelerator(tensor.device))
        margin = 1 + WORKING_SHARE
        return not self._must_offload and margin * needed <= free_memory(self.device)


def modules_of(phase: Phase, components: Components) -> tuple[nn.Module, ...]:
    """Return the modules at work in a phase."""
    match phase:
        case "captions":
            return components.text.encoder, components.text.encoder_2
        case "pictures":
            encoders = components.image_encoders
            return encoders.clip, encoders.magi, components.resampler
        case "adapt":
            return () if components.mllm is None else (components.mllm,)
        case "draw":
            return components.unet, components.vae


def offload(module: nn.Module, device: torch.device) -> None:
    """Keep a module's weights on the CPU and bring each layer's to the device while it computes.

    Where the device can, the next layer's are copied meanwhile.
    """
    from diffusers.hooks.group_offloading import apply_group_offloading

    # it names every layer that a U-Net call leaves out: here those of keys and values, on purpose
    logging.getLogger("diffusers.hooks.group_offloading").setLevel(logging.ERROR)
    module.to(CPU)
    copies_meanwhile = has_streams(device)
    apply_group_offloading(
        module,
        onload_device=device,
        offload_device=CPU,
        offload_type="leaf_level",
        use_stream=copies_meanwhile,
        record_stream=copies_meanwhile,
    )


def stop_offloading(module: nn.Module) -> None:
    """Undo `offload`; the weights lie on the CPU."""
    for child in module.modules():
        registry: Any = getattr(child, "_diffusers_hook", None)
        for name in [] if registry is None else list(registry.hooks):
            registry.remove_hook(name, recurse=False)
    module.to(CPU)
