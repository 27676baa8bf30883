"""RoughArtist draws people into their boxes, in no time and always alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from storyboard.artist import ArtCharacter, Artist, ArtRequest
from storyboard.geometry import Box
from storyboard.mannequin_words import acting_in, expression_of, pose_of
from storyboard.rough import RoughArtist

BOX = Box(0.3, 0.2, 0.7, 1.0)
SHOTS = ("wide", "full", "medium", "close-up", "detail")
ALL_ACTING = (
    "smiling, walking",
    "angry, arms crossed",
    "sits, crying",
    "kneeling, afraid",
    "points, shouting",
    "surprised, arms raised",
    "thinking",
    "hands on her hips, laughing",
    "waves",
    "reaching out",
    "bows",
)


def request(shot="medium", acting="", look="", box=BOX, size=(75, 60)):
    mika = ArtCharacter("Mika", look, acting, (), box)
    return ArtRequest(
        panel_id="p01-1",
        caption="",
        style="",
        shot=shot,
        width_mm=size[0],
        height_mm=size[1],
        characters=(mika,),
        dialog_boxes=(),
        seed=1,
    )


def drawn(*requests: ArtRequest) -> list[Image.Image]:
    pictures: list[Image.Image] = []
    artist: Artist = RoughArtist()
    artist.draw(requests, lambda _panel_id, picture, _settings: pictures.append(picture))
    return pictures


def ink(picture: Image.Image) -> Box:
    """Where anything darker than the ground's light lines is, as fractions of the picture."""
    edges = picture.point(lambda grey: 255 if grey < 90 else 0).getbbox()
    width, height = picture.size
    return Box(edges[0] / width, edges[1] / height, edges[2] / width, edges[3] / height)


@pytest.mark.parametrize("shot", SHOTS)
def test_a_mannequin_fills_its_box(shot):
    box = Box(0.35, 0.2, 0.65, 0.9) if shot in ("wide", "full") else Box(0.25, 0.25, 0.75, 1.0)
    (picture,) = drawn(request(shot, box=box))
    found = ink(picture)
    assert abs(found.top - box.top) < 0.08
    assert abs(found.bottom - box.bottom) < 0.08
    assert found.left > box.left - 0.1
    assert found.right < box.right + 0.1


@pytest.mark.parametrize("acting", ALL_ACTING)
@pytest.mark.parametrize("shot", SHOTS)
def test_every_acting_can_be_drawn_in_every_shot(shot, acting):
    look = "long black hair, hat, glasses, beard"
    (plain, acted) = drawn(request(shot), request(shot, acting, look))
    if shot != "detail":
        assert ImageChops.difference(plain, acted).getbbox()


def test_a_picture_is_at_most_1600_pixels_long_and_300_dpi():
    assert RoughArtist().size_px(188, 263) == (1600, 1144)
    assert RoughArtist().size_px(25.4, 50.8) == (600, 300)
    (picture,) = drawn(request(size=(25.4, 50.8)))
    assert picture.size == (300, 600)


def test_the_same_request_gives_the_same_picture():
    first, second = drawn(request(acting="smiling"), request(acting="smiling"))
    assert not ImageChops.difference(first, second).getbbox()


def test_a_tiny_box_and_a_long_name_are_no_trouble():
    odd = ArtCharacter("Bartholomew the Third", "", "", (Path("a.png"),), Box(0.1, 0.1, 0.11, 0.11))
    panel = ArtRequest("p", "", "", "wide", 40, 40, (odd,), (), 0)
    assert drawn(panel)


@pytest.mark.parametrize(
    ("acting", "pose"),
    [
        ("kneeling, worried", "kneeling"),
        ("she points at the door", "pointing"),
        ("sits down and waves", "sitting"),
        ("with arms crossed", "crossed"),
        ("", "standing"),
        ("disappointed", "standing"),
    ],
)
def test_words_become_a_pose(acting, pose):
    assert pose_of(acting) == pose


def test_words_become_an_expression():
    assert expression_of("smiling warmly").smile > 0
    assert expression_of("sad").smile < 0
    assert expression_of("angry").brow_tilt > 0 > expression_of("afraid").brow_tilt
    assert expression_of("gasps in surprise").mouth_open > 0
    assert expression_of("fast asleep").eyes_open == 0
    assert expression_of("").mouth_open == 0


def test_a_caption_tells_each_character_what_they_do():
    caption = "Medium shot, Viktor on the left, serious; Jun on the right, arms crossed"
    assert acting_in(caption, "Viktor", ["Jun"]) == " on the left, serious"
    assert pose_of(acting_in(caption, "Jun", ["Viktor"])) == "crossed"
    assert acting_in(caption, "Pia", []) == ""
