from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from generator.errors import RequestError
from generator.request import CharacterRequest, PanelRequest, check_panels
from generator.settings import DrawSettings

WHOLE = (0.0, 0.0, 1.0, 1.0)
PANEL = PanelRequest(id="p02-3", caption="", height_px=64, width_px=2048, seed=0)


def characters(count: int) -> tuple[CharacterRequest, ...]:
    return (CharacterRequest((), WHOLE),) * count


def test_the_largest_allowed_panel_is_accepted() -> None:
    panel = replace(PANEL, characters=characters(4), dialog_boxes=(WHOLE,) * 8)
    check_panels([panel], DrawSettings())


@pytest.mark.parametrize(
    ("panel", "problem"),
    [
        (replace(PANEL, height_px=56), "multiples of 8 from 64 to 2048"),
        (replace(PANEL, width_px=2056), "64 x 2056 px"),
        (replace(PANEL, width_px=100), "multiples of 8"),
        (replace(PANEL, characters=characters(5)), "5 characters; this model draws at most 4"),
        (replace(PANEL, dialog_boxes=(WHOLE,) * 9), "9 dialogs; this model draws at most 8"),
        (replace(PANEL, dialog_boxes=((0.5, 0.0, 0.4, 1.0),)), "left <= right"),
        (replace(PANEL, dialog_boxes=((-0.1, 0.0, 0.4, 1.0),)), "from 0 to 1"),
        (replace(PANEL, dialog_boxes=((float("nan"), 0.0, 0.4, 1.0),)), "from 0 to 1"),
    ],
)
def test_a_panel_that_cannot_be_drawn_is_named(panel: PanelRequest, problem: str) -> None:
    with pytest.raises(RequestError, match=problem) as caught:
        check_panels([PANEL, panel], DrawSettings())
    assert caught.value.panel_id == "p02-3"


def test_a_model_may_draw_some_sizes_only() -> None:
    settings = DrawSettings(sizes=((192, 192), (160, 224)))
    check_panels([replace(PANEL, height_px=160, width_px=224)], settings)
    with pytest.raises(RequestError, match="192 x 192, 160 x 224"):
        check_panels([replace(PANEL, height_px=224, width_px=160)], settings)


def test_the_latents_may_ask_for_coarser_sizes() -> None:
    with pytest.raises(RequestError, match="multiples of 16"):
        check_panels([replace(PANEL, height_px=72)], DrawSettings(), size_step_px=16)


def test_plain_data_needs_no_torch() -> None:
    code = (
        "import sys, generator, generator.request, generator.settings, generator.fingerprint\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'PIL', 'diffusers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
