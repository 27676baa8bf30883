from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.lettering.drawn_text import drawn_text
from storyboard.lettering.fitting import STYLES, natural_text, text_for_balloon
from storyboard.plan import DialogKind

KINDS: tuple[DialogKind, ...] = ("speech", "whisper", "thought", "shout", "narration", "sound")
SENTENCES = st.lists(
    st.text("abcdefghijlmnop", min_size=1, max_size=9), min_size=1, max_size=18
).map(" ".join)


@given(SENTENCES, st.sampled_from(KINDS))
@settings(max_examples=40, deadline=None)
def test_a_text_fits_the_balloon_measured_for_it(text: str, kind: DialogKind) -> None:
    natural = natural_text(text, kind, "en", 90.0, 90.0)
    fitted = text_for_balloon(text, kind, "en", natural.width_mm, natural.height_mm)
    assert fitted is not None
    assert fitted.size_pt >= natural.size_pt
    assert " ".join(fitted.lines) == drawn_text(text, kind, "en")


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_text_is_never_set_larger(kind: DialogKind) -> None:
    sizes = []
    for count in range(1, 40, 3):
        fitted = text_for_balloon(" ".join(["word"] * count), kind, "en", 36.0, 24.0)
        sizes.append(fitted.size_pt if fitted else 0.0)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    "text",
    [
        "I never thought the harbour would be so quiet at dawn. Do you hear it?",
        "Are you sure this is the way?",
        "If I stay here until morning he will surely find me.",
    ],
)
def test_balloons_have_pleasant_proportions(text: str) -> None:
    natural = natural_text(text, "speech", "en", 100.0, 100.0)
    assert 1.2 <= natural.width_mm / natural.height_mm <= 2.2


def test_text_gets_smaller_before_its_balloon_gets_too_large() -> None:
    text = "I never thought the harbour would be so quiet at dawn."
    tight = natural_text(text, "speech", "en", 28.0, 18.5)
    assert tight.width_mm <= 28.0
    assert tight.height_mm <= 18.5
    assert 7.0 <= tight.size_pt < STYLES["speech"].size_pt


def test_a_text_too_long_for_its_box_gets_none() -> None:
    assert text_for_balloon("far too much to say here", "speech", "en", 9.0, 6.0) is None


def test_a_long_word_is_never_broken() -> None:
    word = "Donaudampfschifffahrtsgesellschaft"
    natural = natural_text(word, "speech", "de", 30.0, 30.0)
    assert natural.lines == (drawn_text(word, language="de"),)
    assert natural.width_mm > 30.0


def test_a_short_text_in_a_large_balloon_is_set_larger_but_not_huge() -> None:
    fitted = text_for_balloon("No.", "speech", "en", 60.0, 40.0)
    assert fitted is not None
    assert fitted.size_pt == 11.0
