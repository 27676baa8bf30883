from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from storyboard.artist import ArtCharacter, ArtRequest
from storyboard.geometry import Box
from storyboard.prompt import ReadsWhole, prompt_for

LEFT, RIGHT = Box(0.1, 0.2, 0.5, 1), Box(0.5, 0.2, 0.9, 1)
NELL = ArtCharacter("Nell", "tall girl, long hair, short skirt", "standing, calm", (), LEFT)
IDRIS = ArtCharacter("Idris", "thin, thin face, long hair", "standing, afraid", (), RIGHT)
REQUEST = ArtRequest(
    panel_id="p01-1",
    caption="",
    style="soft winter light",
    shot="wide",
    width_mm=80,
    height_mm=60,
    characters=(),
    dialog_boxes=(),
    seed=1,
)


def request(caption: str, *characters: ArtCharacter, **changes: object) -> ArtRequest:
    return msgspec.structs.replace(REQUEST, caption=caption, characters=characters, **changes)


def test_the_prompt_names_shot_caption_people_and_style() -> None:
    mika = ArtCharacter("Mika", "a girl with short hair", "kneeling", (), Box(0, 0, 1, 1))
    assert prompt_for(request("Mika kneels in the snow.", mika)) == (
        "wide shot, one person, Mika kneels in the snow, "
        "Mika kneeling, a girl with short hair, soft winter light"
    )


def test_the_prompt_says_who_stands_on_which_side_and_nothing_twice() -> None:
    mika = ArtCharacter("Mika", "", "worried", (Path("mika.png"),), RIGHT)
    ren = ArtCharacter("Ren", "tall", "", (Path("ren.png"),), LEFT)
    caption = "Medium shot, Mika, worried, and Ren, smiling, in a room"
    assert prompt_for(request(caption, mika, ren, shot="medium", style="")) == (
        "two people, Medium shot, Mika, worried, and Ren, smiling, in a room,"
        " Mika on the right; Ren on the left"
    )


@pytest.mark.parametrize(
    ("caption", "left_out"),
    [
        ("Nell looks up. Nell standing and calm", "standing, calm"),
        ("Nell on the left, calm; Idris on the right, afraid", "Nell on the left, standing, calm"),
        ("Nell, a tall girl, waits", "Nell on the left, standing, calm, tall girl"),
    ],
)
def test_what_the_caption_says_of_someone_is_not_said_again(caption: str, left_out: str) -> None:
    prompt = prompt_for(request(caption, NELL, IDRIS))
    assert left_out not in prompt.removeprefix(f"wide shot, two people, {caption}")


def test_what_the_caption_says_of_another_is_still_said() -> None:
    prompt = prompt_for(request("Idris standing and calm; Nell waits", NELL, IDRIS))
    assert "Nell on the left, standing, calm" in prompt


def reading(num_words: int) -> ReadsWhole:
    return lambda prompt: len(prompt.split()) <= num_words


CAPTION = "Nobody spoke. There was not one cloud over Tanner Street. They look at each other."


@pytest.mark.parametrize("num_words", range(18, 60, 3))
def test_a_prompt_is_shortened_until_the_model_reads_it_whole(num_words: int) -> None:
    prompt = prompt_for(request(CAPTION, NELL, IDRIS), reading(num_words))
    assert len(prompt.split()) <= num_words
    for words in ("two people", "Nobody spoke", "Nell on the left", "Idris on the right"):
        assert words in prompt
    assert prompt.endswith("soft winter light")


def test_looks_go_before_the_caption_and_the_caption_before_what_people_do() -> None:
    asked = request(CAPTION, NELL, IDRIS)
    full = prompt_for(asked)
    shorter = [prompt_for(asked, reading(words)) for words in (len(full.split()) - 1, 35, 22)]
    assert "short skirt" in full
    assert "short skirt" not in shorter[0]
    assert "each other" in shorter[0]
    assert "each other" not in shorter[1]
    assert "tall girl" in shorter[1]
    assert "tall girl" not in shorter[2]
    assert "standing, afraid" in shorter[2]


def test_the_shortest_form_is_given_even_if_nothing_fits() -> None:
    asked = request(CAPTION, NELL, IDRIS)
    assert prompt_for(asked, lambda _: False) == prompt_for(asked, reading(18))
