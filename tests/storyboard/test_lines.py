from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.lines import SPOKEN_KINDS, LineError, SpokenLine, parse_line

NAMES = st.text(alphabet="abcdefgh MikaÉé三", min_size=1, max_size=12).map(str.strip).filter(bool)


@pytest.mark.parametrize(
    ("key", "speaker", "kind"),
    [
        ("Mika", "Mika", "speech"),
        ("Mika (whisper)", "Mika", "whisper"),
        (" Mika ( Shout ) ", "Mika", "shout"),
        ("ミカ\uff08thought\uff09", "ミカ", "thought"),
        ("narration", "", "narration"),
        ("Sound", "", "sound"),
    ],
)
def test_a_key_says_who_speaks_and_how(key: str, speaker: str, kind: str) -> None:
    spoken = parse_line({key: "text"})
    assert (spoken.speaker, spoken.kind, spoken.text) == (speaker, kind, "text")


@settings(max_examples=50, deadline=None)
@given(NAMES, st.sampled_from(SPOKEN_KINDS), st.text())
def test_any_name_and_kind_is_read_back(name: str, kind: str, text: str) -> None:
    assert parse_line({f"{name} ({kind})": text}) == SpokenLine(name, kind, text)  # type: ignore[arg-type]


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(LineError, match="'softly' is no way to speak") as caught:
        parse_line({"Mika (softly)": "x"})
    assert caught.value.found == "softly"
    assert caught.value.allowed == "speech, thought, shout, whisper, radio"


@pytest.mark.parametrize("line", [{}, {"Mika": "x", "Bo": "y"}, {"": "x"}, {"(shout)": "x"}])
def test_a_line_has_one_key_that_names_someone(line: dict[str, str]) -> None:
    with pytest.raises(LineError):
        parse_line(line)
