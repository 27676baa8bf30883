from __future__ import annotations

import pytest

from storyboard.errors import StoryError
from storyboard.geometry import Box, Polygon, pt_to_mm
from storyboard.layout.staging import StagedPanel
from storyboard.lettering.letterer import Balloon, letter_panel, measure
from storyboard.plan import CharacterPlacement, Dialog, DialogKind, Panel

FRAME = Box(20, 30, 100, 110)


def staged(*dialogs: Dialog, speaker_box: Box | None = None) -> StagedPanel:
    box = speaker_box or Box(0.5, 0.4, 0.9, 1.0)
    panel = Panel(
        id="p01-2",
        caption="a room",
        characters=(CharacterPlacement("Mika", box),),
        dialogs=dialogs,
    )
    corners = (
        (FRAME.left, FRAME.top),
        (FRAME.right, FRAME.top),
        (FRAME.right, FRAME.bottom),
        (FRAME.left, FRAME.bottom),
    )
    return StagedPanel(panel, Polygon(corners), (False,) * len(dialogs))


def dialog(text: str, box: Box, kind: DialogKind = "speech", speaker: str = "Mika") -> Dialog:
    return Dialog(text=text, kind=kind, speaker=speaker, box=box)


def ink(balloon: Balloon) -> Box:
    """The drawn letters on the page, without their tilt."""
    scale = pt_to_mm(balloon.size_pt) / balloon.units_per_em
    x, y = balloon.origin_mm
    return balloon.glyphs.scaled(scale, -scale).moved(x, y).bounds


def test_a_balloon_keeps_its_box_and_its_text_as_written() -> None:
    box = Box(0.05, 0.04, 0.5, 0.3)
    (balloon,) = letter_panel(1, staged(dialog("Hold still, I said.", box)), "en")
    assert balloon.id == "p01-2.b1"
    assert balloon.value == "Hold still, I said."
    assert balloon.body_mm == box.within(FRAME)


@pytest.mark.parametrize("kind", ["speech", "shout", "whisper", "thought", "narration"])
def test_the_text_stands_in_the_middle_of_its_balloon(kind: DialogKind) -> None:
    line = Dialog(text="Are you sure this is the way?", kind=kind, speaker="Mika")
    width, height = measure(line, 60, 60)
    box = Box(0.02, 0.02, 0.02 + width / FRAME.width, 0.02 + height / FRAME.height)
    (balloon,) = letter_panel(1, staged(dialog(line.text, box, kind)), "en")
    drawn, body = ink(balloon), balloon.body_mm
    assert drawn.centre[0] == pytest.approx(body.centre[0], abs=0.1)
    assert drawn.centre[1] == pytest.approx(body.centre[1], abs=0.5)
    assert drawn.left > body.left + 1
    assert drawn.right < body.right - 1


@pytest.mark.parametrize("kind", ["speech", "narration", "sound"])
def test_the_field_holds_all_of_the_drawn_text(kind: DialogKind) -> None:
    (balloon,) = letter_panel(1, staged(dialog("Qui? Ça!", Box(0.1, 0.1, 0.6, 0.4), kind)), "fr")
    drawn, field = ink(balloon), balloon.field_mm
    assert field.left < drawn.left
    assert field.top < drawn.top
    assert field.right > drawn.right
    assert field.bottom > drawn.bottom


def test_a_box_too_small_for_its_text_grows_and_stays_in_the_panel() -> None:
    text = "I never thought the harbour would be so quiet at dawn. Do you hear it?"
    (balloon,) = letter_panel(1, staged(dialog(text, Box(0.0, 0.0, 0.15, 0.1))), "en")
    assert balloon.size_pt >= 7
    assert balloon.body_mm.width > 12
    assert balloon.body_mm.overlap(FRAME) == pytest.approx(balloon.body_mm.area)


def test_a_text_too_long_for_its_panel_is_an_error_that_names_the_balloon() -> None:
    with pytest.raises(StoryError, match=r"p01-2\.b1 \(page 3\)") as caught:
        letter_panel(3, staged(dialog("word " * 500, Box(0.1, 0.1, 0.5, 0.5))), "en")
    assert "shorten" in (caught.value.hint or "")


def test_the_tail_comes_closer_to_the_mouth_than_the_body() -> None:
    box = Box(0.02, 0.02, 0.35, 0.2)
    (balloon,) = letter_panel(1, staged(dialog("Hold still.", box)), "en")
    bounds = balloon.shape.bounds
    assert bounds.right > balloon.body_mm.right or bounds.bottom > balloon.body_mm.bottom + 2


def test_narration_has_no_tail_and_a_sound_no_shape() -> None:
    narration, sound = letter_panel(
        1,
        staged(
            dialog("That was all.", Box(0.0, 0.0, 0.4, 0.1), "narration", speaker=""),
            dialog("Crack", Box(0.5, 0.0, 1.0, 0.2), "sound", speaker=""),
        ),
        "en",
    )
    assert narration.shape.bounds == narration.body_mm
    assert not sound.shape.commands
    assert sound.font == "Bangers-Regular"


def test_neighbouring_balloons_of_one_speaker_are_one_shape() -> None:
    first, second = letter_panel(
        1,
        staged(
            dialog("Hold still.", Box(0.02, 0.02, 0.3, 0.16)),
            dialog("Please.", Box(0.1, 0.18, 0.4, 0.3)),
        ),
        "en",
    )
    contours = sum(operator == "M" for operator, _ in first.shape.commands)
    assert contours == 1
    assert first.shape.bounds.bottom >= second.body_mm.bottom - 0.1
    assert not second.shape.commands


def test_measuring_refuses_what_cannot_be_lettered() -> None:
    with pytest.raises(StoryError, match="cannot be lettered"):
        measure(Dialog(text="こんにちは"), 50, 50)
