"""One call of `DiffSensei.draw`: its phases, and what it does when memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import torch
from PIL import Image
from torch import Tensor

from generator.conditioning import (
    Conditioning,
    ImagePair,
    TextPair,
    adapt,
    encode_captions,
    encode_pictures,
)
from generator.decoding import TILE_PX, decode_one, latent_factor
from generator.denoising import OnStep, denoise, panel_noise
from generator.devices import CPU, empty_cache, free_memory, is_accelerator, out_of_memory
from generator.encoders import ENCODING_BATCH
from generator.errors import DrawingError
from generator.footprint import decoder_footprint, largest_batch, working_bytes
from generator.mllm import ADAPTING_BATCH
from generator.request import DrawnPanel, PanelRequest

if TYPE_CHECKING:
    from generator.pipeline import DiffSensei

Item = TypeVar("Item")
Result = TypeVar("Result")
OnPanel = Callable[[DrawnPanel], None]
"""Gets each picture as soon as it is there; may raise to cancel."""
OnNote = Callable[[str], None]
"""Told in a few words when memory ran out, and what is done instead."""

MAX_BATCH = 8
"""Panels denoised together where nobody says how many: more gain little."""


class Drawing:
    """Draws some panels: encode all, adapt all, then batch by batch denoise and decode.

    What runs out of memory is done again with less at a time, then in the next leaner mode. What
    is done stays done: latents are kept until their picture is there.
    """

    def __init__(
        self,
        model: DiffSensei,
        panels: Sequence[PanelRequest],
        *,
        batch_size: int | None,
        on_panel: OnPanel | None,
        on_step: OnStep | None,
        on_note: OnNote | None,
    ) -> None:
        """Keep what is asked for; the panels have been checked."""
        self.model = model
        self.panels = panels
        self.batch_size = batch_size
        self.on_panel = on_panel
        self.on_step = on_step
        self.on_note = on_note
        self.drawn: dict[int, DrawnPanel] = {}

    def run(self) -> list[DrawnPanel]:
        """Draw, and return the pictures in the order of the panels."""
        if self.panels:
            texts, images = self._encode_captions(), self._adapt(self._encode_pictures())
            pairs = zip(texts, images, strict=True)
            self._draw([Conditioning(*text, *image) for text, image in pairs])
        return [self.drawn[index] for index in range(len(self.panels))]

    def _encode_captions(self) -> list[TextPair]:
        portion = _Portion(ENCODING_BATCH, "caption")

        def work() -> list[TextPair]:
            self.model.enter("captions")
            return encode_captions(self.panels, self.model.components, batch_size=portion.size)

        return self._with_room(work, portion)

    def _encode_pictures(self) -> list[ImagePair]:
        portion = _Portion(ENCODING_BATCH, "picture")

        def work() -> list[ImagePair]:
            self.model.enter("pictures")
            return encode_pictures(self.panels, self.model.components, batch_size=portion.size)

        return self._with_room(work, portion)

    def _adapt(self, images: list[ImagePair]) -> list[ImagePair]:
        """Let the language model, if there is one, adapt the tokens of panels with characters."""
        waiting = [index for index, panel in enumerate(self.panels) if panel.characters]
        if not waiting or not self.model.has_mllm:
            return images
        portion = _Portion(ADAPTING_BATCH, "caption")

        def work() -> None:
            mllm = self.model.enter_mllm()
            while waiting:
                batch = portion.take(waiting)
                panels = [self.panels[index] for index in batch]
                pairs = adapt(
                    panels, [images[index] for index in batch], mllm, self.model.components
                )
                for index, pair in zip(batch, pairs, strict=True):
                    images[index] = pair
                del waiting[: len(batch)]

        self._with_room(work, portion)
        self.model.release_mllm()
        return images

    def _draw(self, conditionings: Sequence[Conditioning]) -> None:
        """Denoise panels of one size together, and hand over each picture once it is there."""
        tiles = _Tiles(wanted=self.model.mode == "lean")
        for group in equal_size_groups(self.panels):
            portion = self._panels_at_a_time(self.panels[group[0]])
            while group:
                work = partial(self._denoise, group, portion, conditionings)
                latents = self._with_room(work, portion)
                group = group[len(latents) :]
                for index, one in latents.items():
                    picture = self._with_room(partial(self._decode, one, tiles), tiles)
                    self._hand_over(index, picture, tiled=tiles.cut(one, self.model))

    def _panels_at_a_time(self, panel: PanelRequest) -> _Portion:
        if self.batch_size is not None:
            return _Portion(self.batch_size, "panel")
        if not is_accelerator(self.model.device):  # it gains nothing from a batch
            return _Portion(1, "panel")
        self._with_room(lambda: self.model.enter("draw"), _Portion(1, "panel"))
        components = self.model.components
        factor = latent_factor(components.vae)
        size = panel.height_px // factor, panel.width_px // factor
        free_bytes = free_memory(self.model.device)
        return _Portion(largest_batch(components, size, free_bytes, at_most=MAX_BATCH), "panel")

    def _denoise(
        self, group: Sequence[int], portion: _Portion, conditionings: Sequence[Conditioning]
    ) -> dict[int, Tensor]:
        """Give the latents of the first panels of a group."""
        batch = portion.take(group)
        requests = [self.panels[index] for index in batch]
        self.model.enter("draw")
        with self._uncompiled():
            latents = denoise(
                requests,
                [conditionings[index] for index in batch],
                self.model.components,
                noise=panel_noise(requests),
                device=self.model.device,
                on_step=self.on_step,
            )
        return dict(zip(batch, latents.to(CPU), strict=True))

    def _uncompiled(self) -> AbstractContextManager[object]:
        """Leave compiled code alone where weights come layer by layer: it cannot wait for them."""
        if self.model.compiled and self.model.is_offloaded:
            eager: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
            return eager
        return nullcontext()

    def _decode(self, latents: Tensor, tiles: _Tiles) -> Image.Image:
        self.model.enter("draw")
        return decode_one(
            latents,
            self.model.components.vae,
            device=self.model.device,
            tiled=tiles.cut(latents, self.model),
        )

    def _hand_over(self, index: int, picture: Image.Image, *, tiled: bool) -> None:
        panel = self.panels[index]
        provenance = self.model.provenance(panel, tiled=tiled)
        self.drawn[index] = DrawnPanel(panel, picture, provenance)
        if self.on_panel is not None:
            self.on_panel(self.drawn[index])

    def _with_room(self, work: Callable[[], Result], way: _Way) -> Result:
        """Do some work; while memory runs out, in a smaller way, and then in a leaner mode.

        Raises:
            DrawingError: it does not fit, however it is done.
        """
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            # only here, with the error gone, are the tensors of the failed work gone too
            gc.collect()
            empty_cache(self.model.device)
            how = way.lessen()
            if how is None:
                how = self.model.lessen()
                way.reset()
            if how is None:
                raise DrawingError(f"not enough memory on {self.model.device}, however it is used")
            if self.on_note is not None:
                self.on_note(f"not enough memory: {how} from here on")


def equal_size_groups(panels: Sequence[PanelRequest]) -> list[list[int]]:
    """Group the panels' indices by picture size, in order of first appearance."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for index, panel in enumerate(panels):
        by_size.setdefault((panel.height_px, panel.width_px), []).append(index)
    return list(by_size.values())


class _Way(Protocol):
    """A way to do some work that can be made smaller."""

    def lessen(self) -> str | None:
        """Go to the next smaller way and say which; None if there is none."""

    def reset(self) -> None:
        """Go back to the first way: there is room again."""


class _Portion:
    """How many are done at a time."""

    def __init__(self, most: int, thing: str) -> None:
        self.most = self.size = self.taken = max(1, most)
        self.thing = thing

    def take(self, items: Sequence[Item]) -> Sequence[Item]:
        taken = items[: self.size]
        self.taken = len(taken)
        return taken

    def lessen(self) -> str | None:
        if min(self.size, self.taken) <= 1:
            return None
        self.size = min(self.size, self.taken) // 2
        return f"{self.size} {self.thing}{'s' * (self.size > 1)} at a time"

    def reset(self) -> None:
        self.size = self.taken = self.most


class _Tiles:
    """Whether pictures are decoded in tiles."""

    def __init__(self, *, wanted: bool) -> None:
        self.wanted = wanted

    def cut(self, latents: Tensor, model: DiffSensei) -> bool:
        """Tell whether these latents are cut: they are larger than a tile, and it is needed."""
        vae = model.components.vae
        if max(latents.shape[-2:]) <= TILE_PX // latent_factor(vae):
            return False
        if not self.wanted:
            size = latents.shape[-2], latents.shape[-1]
            whole = decoder_footprint(vae.config, size, dtype=vae.dtype)
            self.wanted = working_bytes(whole) > free_memory(model.device)
        return self.wanted

    def lessen(self) -> str | None:
        if self.wanted:
            return None
        self.wanted = True
        return "pictures decoded in tiles"

    def reset(self) -> None:
        """Tiles stay: they cost little."""
