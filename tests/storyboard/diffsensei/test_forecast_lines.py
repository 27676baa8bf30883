from __future__ import annotations

import pytest

from generator.forecast import Forecast, PhaseForecast
from storyboard.artist import ArtRequest
from storyboard.diffsensei.artist import DiffSenseiArtist
from storyboard.diffsensei.forecast import forecast_lines
from storyboard.diffsensei.weights import mini_model
from storyboard.options import DrawingOptions

PANEL = ArtRequest(
    panel_id="p01-1",
    caption="a fox",
    style="",
    shot="wide",
    width_mm=80,
    height_mm=80,
    characters=(),
    dialog_boxes=(),
    seed=1,
)


def lines(monkeypatch: pytest.MonkeyPatch, told: Forecast, **options: object) -> tuple[str, ...]:
    monkeypatch.setattr("generator.forecast.forecast", lambda *_, **__: told)
    artist = DiffSenseiArtist(mini_model(), DrawingOptions(**options))
    return forecast_lines(artist, [PANEL])


def told(seconds: float | None = 20.0, free_bytes: int = 8_000_000_000) -> Forecast:
    phases = (
        PhaseForecast("encode", 500_000_000, seconds and 1.0),
        PhaseForecast("denoise", 6_200_000_000, seconds),
    )
    return Forecast("balanced", free_bytes, phases)


def test_each_phase_has_a_line_with_memory_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(monkeypatch, told()) == (
        "mode balanced, 8.0 GB of memory free, about 21 s in all",
        "  encode     500 MB  about 1 s",
        "  denoise    6.2 GB  about 20 s",
    )


def test_steps_and_guidance_asked_for_change_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    own = DiffSenseiArtist(mini_model()).settings
    assert own.guidance_scale > 1
    twice = lines(monkeypatch, told(), steps=2 * own.num_inference_steps)
    assert twice[2].endswith("about 40 s")
    assert lines(monkeypatch, told(), guidance=1.0)[2].endswith("about 10 s")


def test_a_long_time_is_told_in_minutes_and_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(monkeypatch, told(600.0))[2].endswith("about 10 min")
    assert lines(monkeypatch, told(7200.0))[2].endswith("about 2.0 h")


def test_too_little_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "more than is free" in lines(monkeypatch, told(free_bytes=10**9))[-1]


def test_times_that_are_not_known_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lines(monkeypatch, told(None))
    assert found[0] == "mode balanced, 8.0 GB of memory free"
    assert found[2] == "  denoise    6.2 GB"


def test_nothing_to_draw_needs_no_forecast() -> None:
    assert forecast_lines(DiffSenseiArtist(mini_model()), []) == ()
