"""How much memory and time drawing will take, in lines for the writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from storyboard.artist import ArtRequest
from storyboard.diffsensei.artist import DiffSenseiArtist
from storyboard.diffsensei.requests import panel_requests
from storyboard.diffsensei.translation import generator_errors
from storyboard.models.catalogue import size_text
from storyboard.prompt import prompt_for

if TYPE_CHECKING:
    from generator.forecast import Forecast, PhaseForecast


def forecast_lines(artist: DiffSenseiArtist, requests: Sequence[ArtRequest]) -> tuple[str, ...]:
    """Return what drawing these panels now will take, a line for each phase; none for no panels.

    Nothing but headers is read; the machine's speed is tried for a second or two. Reading the
    weights is not counted.

    Raises:
        MissingError: the model is damaged.
    """
    if not requests:
        return ()
    from generator.forecast import forecast

    prompts = {request.panel_id: prompt_for(request) for request in requests}
    panels = list(panel_requests(requests, artist.size_px, prompts).values())
    with generator_errors():
        told = forecast(artist.folder, panels, mode=artist.options.mode, calibrate=True)
    phases = tuple(_as_asked(phase, artist) for phase in told.phases)
    told = replace(told, phases=phases)
    return (_head(told), *(_line(phase.name, phase) for phase in told.phases), *_warning(told))


def _as_asked(phase: PhaseForecast, artist: DiffSenseiArtist) -> PhaseForecast:
    """Return the phase with the steps and guidance asked for in place of the model's own."""
    own, asked = artist.settings, artist.options
    if phase.name != "denoise" or phase.seconds is None:
        return phase
    seconds = phase.seconds * (asked.steps or own.num_inference_steps) / own.num_inference_steps
    guidance = own.guidance_scale if asked.guidance is None else asked.guidance
    if (guidance > 1) != (own.guidance_scale > 1):  # with guidance, each step is done twice
        seconds *= 2 if guidance > 1 else 0.5
    return replace(phase, seconds=seconds)


def _head(told: Forecast) -> str:
    free = size_text(told.free_bytes)
    whole = "" if told.seconds is None else f", about {_span(told.seconds)} in all"
    return f"mode {told.mode}, {free} of memory free{whole}"


def _line(name: str, phase: PhaseForecast) -> str:
    time = "" if phase.seconds is None else f"  about {_span(phase.seconds)}"
    return f"  {name:8} {size_text(phase.peak_bytes):>8}{time}"


def _warning(told: Forecast) -> tuple[str, ...]:
    if told.fits:
        return ()
    return ("  more than is free: a smaller batch, then a leaner mode will be tried",)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
