"""The artist that draws with DiffSensei."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from storyboard.artist import ArtRequest, OnDrawn, megapixel_sizes, nearest_size
from storyboard.diffsensei.requests import panel_requests
from storyboard.diffsensei.translation import generator_errors
from storyboard.diffsensei.weights import fingerprint_of, known_fingerprint
from storyboard.errors import MissingError, PanelError
from storyboard.models.catalogue import size_text
from storyboard.models.shelf import size_of
from storyboard.options import DrawingOptions, as_text, scheduler_key
from storyboard.prompt import PROMPT_FORM, prompt_for

if TYPE_CHECKING:
    from generator.pipeline import DiffSensei
    from generator.request import DrawnPanel

OnNote = Callable[[str], None]
_AS_GIVEN = DrawingOptions()


class DiffSenseiArtist:
    """Draws with the DiffSensei weights of a folder, which load when the first panel is drawn."""

    def __init__(
        self,
        model: Path,
        options: DrawingOptions = _AS_GIVEN,
        *,
        cache_folder: Path | None = None,
        note: OnNote = lambda _: None,
    ) -> None:
        """Look at the model's settings and weights, without loading them.

        Args:
            model: a folder in the published layout.
            options: what to do in another way than the model is meant for.
            cache_folder: where to remember the fingerprints of large models.
            note: told what the writer should know while panels are drawn, a line at a time.

        Raises:
            MissingError: the model or a LoRA is not there, or holds no such thing.
        """
        from generator.settings import read_settings

        if not (model / "image_generator").is_dir():
            raise MissingError(
                f"there is no DiffSensei model in {model}",
                hint="name a folder holding `image_generator`, with --model or in storyboard.yaml",
            )
        self.folder, self.options = model, options
        self._note = note
        with generator_errors():
            settings = read_settings(model)
        self.settings = settings
        if known_fingerprint(model, cache_folder) is None:
            note(f"reading {size_text(size_of(model))} of {model} once, to know it again")
        self._weights = fingerprint_of(model, cache_folder)
        self._loras = as_text(
            (_lora_fingerprint(lora.path, cache_folder)[:12], lora.weight) for lora in options.loras
        )
        self._model: DiffSensei | None = None
        self._is_told_of_prompts = False

    @property
    def fingerprint(self) -> str:
        """All that decides what is drawn: weights, options, the way requests are put to the model.

        Mode and batch are not in it: they change time and memory, and of the picture nothing but
        rounding.
        """
        options, own = self.options, self.settings
        parts = [f"diffsensei {self._weights[:32]}"]
        parts.append(f"{options.steps or own.num_inference_steps} steps")
        if options.guidance not in (None, own.guidance_scale):
            parts.append(f"guidance {options.guidance:g}")
        if options.scheduler and scheduler_key(options.scheduler) != _own_scheduler(self.folder):
            parts.append(f"scheduler {scheduler_key(options.scheduler)}")
        if self._loras:
            parts.append(f"loras {self._loras}")
        return ", ".join([*parts, f"prompts {PROMPT_FORM}"])

    def size_px(self, width_mm: float, height_mm: float) -> tuple[int, int]:
        """Return (height, width): of the sizes the model draws, the nearest in proportions."""
        return nearest_size(self.settings.sizes or megapixel_sizes(), width_mm, height_mm)

    def draw(self, requests: Sequence[ArtRequest], done: OnDrawn) -> None:
        """Draw every panel, and call `done` the moment one is there.

        Raises:
            PanelError: one panel cannot be drawn.
            MissingError: the weights cannot be loaded.
            UsageError: an option is not one of this model's.
        """
        from generator.errors import DrawingError, RequestError

        model = self._loaded()
        prompts = self._prompts(requests, model)
        left = panel_requests(requests, self.size_px, prompts)

        def on_panel(drawn: DrawnPanel) -> None:
            panel = left.pop(drawn.request.id)
            done(panel.id, drawn.image, drawn.provenance)

        def draw(batch: int | None) -> None:
            with generator_errors():  # the language model is only read now
                model.draw(
                    list(left.values()), batch_size=batch, on_panel=on_panel, on_note=self._note
                )

        try:
            draw(self.options.batch)
        except RequestError as err:
            problem = str(err).removeprefix(f"panel {err.panel_id}: ")
            raise PanelError(err.panel_id, problem) from err
        except DrawingError:  # by one of a batch: one at a time, the first left over is to blame
            try:
                draw(1)
            except DrawingError as err:
                raise PanelError(next(iter(left)), str(err)) from err

    def _loaded(self) -> DiffSensei:
        from generator.pipeline import DiffSensei, Lora

        if self._model is None:
            options = self.options
            with generator_errors():
                self._model = DiffSensei.load(
                    self.folder,
                    mode=options.mode,
                    steps=options.steps,
                    scheduler=options.scheduler,
                    guidance_scale=options.guidance,
                    loras=[Lora(lora.path, lora.weight) for lora in options.loras],
                )
            self._model.fingerprint = self._weights  # known already, and long to find out
        return self._model

    def _prompts(self, requests: Sequence[ArtRequest], model: DiffSensei) -> dict[str, str]:
        """Put each panel so that the text encoders read it whole, and tell if that took cuts."""
        text = model.components.text
        lost: dict[str, int] = {}
        prompts: dict[str, str] = {}
        for request in requests:
            full = prompt_for(request)
            prompt = prompt_for(request, lambda words: not text.unread(words))
            prompts[request.panel_id] = prompt
            if prompt != full or text.unread(prompt):
                num_read = len(prompt.split()) - len(text.unread(prompt).split())
                lost[request.panel_id] = len(full.split()) - num_read
        if lost and not self._is_told_of_prompts:
            self._is_told_of_prompts = True
            self._note(_told_of(lost, len(requests)))
        return prompts


def _told_of(lost: dict[str, int], num_panels: int) -> str:
    worst = max(lost, key=lost.__getitem__)
    were = "one prompt was" if len(lost) == 1 else f"{len(lost)} prompts were"
    words = "one word" if lost[worst] == 1 else f"{max(lost[worst], 1)} words"
    return (
        f"Note: of {num_panels} panels, {were} longer than the model reads and shortened; "
        f"{worst} lost most, {words}. Shorter captions and looks in the plan lose nothing."
    )


def _own_scheduler(folder: Path) -> str:
    file = folder / "image_generator" / "scheduler" / "scheduler_config.json"
    try:
        about = json.loads(file.read_bytes())  # holds infinities, which only this reader takes
        return scheduler_key(str(about["_class_name"]))
    except (OSError, ValueError, TypeError, KeyError):  # loading will say what is wrong with it
        return ""


def _lora_fingerprint(path: Path, cache_folder: Path | None) -> str:
    if not path.is_file():
        raise MissingError(
            f"there is no LoRA at {path}", hint="name a .safetensors file after --lora"
        )
    return fingerprint_of(path, cache_folder)
