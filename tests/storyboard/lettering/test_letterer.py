from __future__ import annotations

import pytest

from storyboard.errors import StoryError
from storyboard.geometry import Box, Polygon, pt_to_mm
from storyboard.layout.staging import StagedPanel
from storyboard.lettering.letterer import Balloon, letter_panel, measure
from storyboard.lettering.runs import turned
from storyboard.lettering_style import LetteringStyle
from storyboard.plan import CharacterPlacement, Dialog, DialogKind, Panel

FRAME = Box(20, 30, 100, 110)


def staged(
    *dialogs: Dialog,
    speaker_box: Box | None = None,
    explicit: bool = False,
    style: LetteringStyle | None = None,
) -> StagedPanel:
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
    given = (explicit,) * len(dialogs)
    return StagedPanel(panel, Polygon(corners), given, lettering=style or LetteringStyle())


def dialog(text: str, box: Box, kind: DialogKind = "speech", speaker: str = "Mika") -> Dialog:
    return Dialog(text=text, kind=kind, speaker=speaker, box=box)


def ink(balloon: Balloon) -> Box:
    """The box around the drawn letters on the page."""
    scale = pt_to_mm(balloon.size_pt) / balloon.units_per_em
    x, y = balloon.origin_mm
    return turned(balloon.glyphs, balloon.angle_deg).scaled(scale, -scale).moved(x, y).bounds


def test_a_balloon_keeps_its_box_and_its_text_as_written() -> None:
    box = Box(0.05, 0.04, 0.5, 0.3)
    (balloon,) = letter_panel(1, staged(dialog("Hold still, I said.", box)), "en")
    assert balloon.id == "p01-2.b1"
    assert balloon.value == "Hold still, I said."
    assert balloon.body_mm == box.within(FRAME)
    assert " ".join(balloon.lines) == "HOLD STILL, I SAID."


@pytest.mark.parametrize("kind", ["speech", "shout", "whisper", "thought", "radio", "narration"])
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
    with pytest.raises(
        StoryError, match=r"p01-2\.b1 \(page 3\).*the panel has 78 x 78 mm"
    ) as caught:
        letter_panel(3, staged(dialog("word " * 500, Box(0.1, 0.1, 0.5, 0.5))), "en")
    assert "shorten" in (caught.value.hint or "")


def test_a_text_too_long_for_the_box_given_to_it_is_an_error_that_says_by_how_much() -> None:
    panel = staged(dialog("Are you sure this is the way?", Box(0.1, 0.1, 0.25, 0.2)), explicit=True)
    with pytest.raises(StoryError, match=r"at 7 pt.*needs 1\d x 1\d mm.*its box has 12 x 8 mm"):
        letter_panel(3, panel, "en")


def test_a_balloon_that_grows_keeps_off_its_neighbours() -> None:
    text = "I never thought the harbour would be so quiet at dawn."
    first, second = letter_panel(
        1,
        staged(
            dialog("No.", Box(0.35, 0.02, 0.6, 0.12)),
            dialog(text, Box(0.3, 0.14, 0.5, 0.2), speaker="Ren"),
        ),
        "en",
    )
    assert second.body_mm.width > 20
    assert first.body_mm.overlap(second.body_mm) < 0.1 * first.body_mm.area


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


def test_the_second_of_joined_balloons_names_the_first() -> None:
    balloons = letter_panel(
        1,
        staged(
            dialog("Hold still.", Box(0.02, 0.02, 0.3, 0.16)),
            dialog("Please.", Box(0.1, 0.18, 0.4, 0.3)),
        ),
        "en",
    )
    assert [balloon.joined_to for balloon in balloons] == ["", "p01-2.b1"]


def test_balloons_of_one_speaker_are_not_joined_across_another_balloon() -> None:
    balloons = letter_panel(
        1,
        staged(
            dialog("Hold still.", Box(0.02, 0.02, 0.25, 0.14)),
            dialog("Please.", Box(0.02, 0.25, 0.25, 0.37)),
            dialog("Crack", Box(0.02, 0.15, 0.25, 0.24), "narration", speaker=""),
        ),
        "en",
    )
    assert all(balloon.shape.commands for balloon in balloons)


def test_without_balloons_only_letters_with_a_rim_are_drawn() -> None:
    style = LetteringStyle(balloons="none")
    (balloon,) = letter_panel(
        1, staged(dialog("Hold still.", Box(0.02, 0.02, 0.4, 0.2)), style=style), "en"
    )
    assert not balloon.shape.commands
    assert balloon.glyphs.commands
    assert balloon.outline_mm > 0


def test_blank_balloons_have_a_shape_and_no_text() -> None:
    style = LetteringStyle(balloons="blank")
    (balloon,) = letter_panel(
        1, staged(dialog("Hold still.", Box(0.02, 0.02, 0.4, 0.2)), style=style), "en"
    )
    assert balloon.shape.commands
    assert not balloon.glyphs.commands
    assert balloon.value == ""


def test_a_sound_is_turned_as_the_plan_says_and_fills_its_box() -> None:
    box = Box(0.1, 0.1, 0.9, 0.5)
    sound = Dialog(text="Crash", kind="sound", box=box, angle=30.0)
    (balloon,) = letter_panel(1, staged(sound, explicit=True), "en")
    drawn, body = ink(balloon), box.within(FRAME)
    assert balloon.angle_deg == 30.0
    assert drawn.overlap(body) == pytest.approx(drawn.area)
    assert drawn.height > 0.8 * body.height or drawn.width > 0.8 * body.width


def test_japanese_goes_down_and_is_edited_with_a_japanese_font() -> None:
    line = Dialog(text="{約束|やくそく}だからな", speaker="Mika")
    width, height = measure(line, 60, 60, language="ja")
    assert height > width
    box = Box(0.02, 0.02, 0.02 + width / FRAME.width, 0.02 + height / FRAME.height)
    (balloon,) = letter_panel(1, staged(dialog(line.text, box)), "ja")
    assert balloon.is_vertical
    assert balloon.font == "MPLUSRounded1c-Bold"
    assert balloon.value == "{約束|やくそく}だからな"
    assert balloon.text == "約束だからな"
    drawn = ink(balloon)
    assert drawn.overlap(balloon.field_mm) == pytest.approx(drawn.area)


def test_measuring_refuses_what_cannot_be_lettered() -> None:
    with pytest.raises(StoryError, match="is in none of the fonts"):
        measure(Dialog(text="\U0001f600"), 50, 50)
