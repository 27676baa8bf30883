from __future__ import annotations

import numpy as np
import pytest

from training.samples import ink_in_boxes, white_in_dialogs


def test_a_balloon_half_filled_is_half_white() -> None:
    panel = np.full((100, 200), 255, np.uint8)
    panel[:, 100:] = 0
    box = (0.4, 0.2, 0.6, 0.8)
    assert white_in_dialogs(panel, [box]) == [pytest.approx(0.5, abs=0.02)]
    assert white_in_dialogs(panel, [(0.0, 0.0, 0.4, 1.0), (0.6, 0.0, 1.0, 1.0)]) == [1.0, 0.0]


def test_ink_counts_where_a_box_holds_it() -> None:
    panel = np.full((100, 100), 255, np.uint8)
    panel[20:40, 20:40] = 0
    panel[60:80, 60:80] = 0
    assert ink_in_boxes(panel, [(0.0, 0.0, 0.5, 0.5)]) == pytest.approx(0.5)
    assert ink_in_boxes(panel, [(0.0, 0.0, 0.5, 0.5), (0.1, 0.1, 0.9, 0.9)]) == pytest.approx(1.0)
