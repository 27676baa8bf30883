from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import MissingError, OutputError, StoryError
from storyboard.geometry import Box
from storyboard.lines import DIALOG_KINDS
from storyboard.plan import (
    Character,
    CharacterPlacement,
    Dialog,
    Page,
    Panel,
    Plan,
    examine_plan,
    load_plan,
    plan_text,
    save_plan,
)
from storyboard.report import Report
from storyboard.story import SHOTS, PageSize
from storyboard.structure import read_struct
from storyboard.yamlfile import NOT_PRINTABLE, parse_yaml

FOX = Plan(
    title="The Fox in the Snow",
    author="A. Writer",
    reading="rtl",
    seed=20411,
    characters=(Character("Mika", look="short black hair, round glasses"), Character("Bo")),
    pages=(
        Page(
            template="wide-over-two",
            panels=(
                Panel(
                    id="p01-1",
                    source=(1, 2),
                    caption="Mika kneels in the snow beside a trapped fox, forest at night",
                    characters=(
                        CharacterPlacement("Mika", Box(0.52, 0.18, 0.95, 1.0), "kneeling"),
                        CharacterPlacement("Bo"),
                    ),
                    dialogs=(
                        Dialog("Hold still.", "Mika", box=Box(0.05, 0.04, 0.45, 0.3)),
                        Dialog("No", "Bo", "shout"),
                    ),
                ),
                Panel(id="p01-2", caption="A fox: it sleeps", shot="wide", locked=True, seed=3),
            ),
        ),
        Page((Panel(id="p02-1", caption="Snow", source=(3,), notes="one\ntwo\n"),)),
    ),
)

FOX_TEXT = """\
format: storyboard-plan/1
title: The Fox in the Snow
author: A. Writer
language: en
reading: rtl
page: b5
seed: 20411
characters:
  - {name: Mika, look: "short black hair, round glasses"}
  - {name: Bo}
pages:
  - template: wide-over-two
    panels:
      - id: p01-1
        source: [1, 2]
        caption: Mika kneels in the snow beside a trapped fox, forest at night
        shot: medium
        characters:
          - {name: Mika, box: [0.52, 0.18, 0.95, 1.0], acting: "kneeling"}
          - {name: Bo}
        dialogs:
          - {speaker: Mika, text: "Hold still.", box: [0.05, 0.04, 0.45, 0.3]}
          - {speaker: Bo, kind: shout, text: "No"}

      - id: p01-2
        source: []
        caption: 'A fox: it sleeps'
        shot: wide
        seed: 3
        locked: true

  - panels:
      - id: p02-1
        source: [3]
        caption: Snow
        shot: medium
        notes: |
          one
          two
"""


def problems_in(text: str, *, templates: frozenset[str] = frozenset()) -> list[str]:
    document = parse_yaml(text, Path("plan.yaml"))
    _, problems = examine_plan(document, folder=None, templates=templates)
    return [str(problem).removeprefix("plan.yaml:") for problem in problems]


def plan_with(panel: str, *, cast: str = "[{name: Mika, aliases: [the girl]}, {name: Bo}]") -> str:
    return f"title: x\ncharacters: {cast}\npages:\n  - panels:\n      - {{{panel}}}\n"


def test_a_plan_is_written_to_be_edited_by_hand() -> None:
    header, text = plan_text(FOX).split("format:")
    assert all(line.startswith("#") for line in header.splitlines())
    assert all(word in header for word in (*SHOTS, *DIALOG_KINDS))
    assert f"format:{text}" == FOX_TEXT


def test_a_saved_plan_loads_back_to_the_same_plan(tmp_path: Path) -> None:
    path = tmp_path / "fox.plan.yaml"
    save_plan(FOX, path)
    assert load_plan(path) == FOX
    save_plan(load_plan(path), path)
    assert path.read_text(encoding="utf-8") == plan_text(FOX)


TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["yes", "No", "12:30", "~", "- id: x", "  - panels:", "      - id: p", "a: b #c"]
    ),
    st.lists(st.sampled_from(["word", "\n", "      - id: ", "🦊", "#", "'", '"', "\u2028"])).map(
        " ".join
    ),
).filter(lambda text: not NOT_PRINTABLE.search(text))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
BOXES = st.none() | st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
PANELS = st.builds(
    Panel,
    id=TEXTS,
    caption=TEXTS,
    source=st.lists(st.integers(0, 99)).map(tuple),
    shot=st.sampled_from(SHOTS),
    characters=st.lists(st.builds(CharacterPlacement, TEXTS, BOXES, TEXTS), max_size=2).map(tuple),
    dialogs=st.lists(
        st.builds(Dialog, TEXTS, TEXTS, st.sampled_from(DIALOG_KINDS), BOXES), max_size=2
    ).map(tuple),
    seed=st.none() | st.integers(0, 2**63 - 1),
    locked=st.booleans(),
    notes=TEXTS,
)
TEXT_LISTS = st.lists(TEXTS, max_size=2).map(tuple)
PLANS = st.builds(
    Plan,
    title=TEXTS,
    pages=st.lists(st.builds(Page, st.lists(PANELS, max_size=2).map(tuple), TEXTS), max_size=2).map(
        tuple
    ),
    author=TEXTS,
    language=TEXTS,
    reading=st.sampled_from(["rtl", "ltr"]),
    page=st.sampled_from(["b5", "us-comic"]) | st.builds(PageSize, NUMBERS, NUMBERS, NUMBERS),
    style=TEXTS,
    seed=st.integers(0, 2**63 - 1),
    characters=st.lists(st.builds(Character, TEXTS, TEXT_LISTS, TEXTS, TEXT_LISTS), max_size=2).map(
        tuple
    ),
)


@settings(max_examples=40, deadline=None)
@given(PLANS)
def test_any_plan_is_read_back_exactly(plan: Plan) -> None:
    document = parse_yaml(plan_text(plan), Path("plan.yaml"))
    report = Report("plan.yaml", document)
    assert read_struct(document, Plan, report) == plan
    assert report.problems == []


@pytest.mark.parametrize("text", ["bell \x07", "null \x00", "escape \x1b[0m", "half \ud83e"])
def test_a_control_character_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    plan = Plan("x", (Page((Panel("a", "x", dialogs=(Dialog(text, kind="narration"),)),)),))
    with pytest.raises(StoryError, match=r"^pages\[0\]\.panels\[0\]\.dialogs\[0\]\.text: .*U\+"):
        save_plan(plan, tmp_path / "plan.yaml")
    assert not (tmp_path / "plan.yaml").exists()


def test_a_plan_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_plan(FOX, tmp_path / "nowhere" / "plan.yaml")


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        ("id: a", "pages[0].panels[0].caption: caption is missing"),
        ("id: a, caption: ''", "pages[0].panels[0].caption: the caption is empty"),
        ("id: a, caption: x, shot: closeup", "did you mean 'close-up'?"),
        ("id: a/b, caption: x", "pages[0].panels[0].id: 'a/b' cannot be part of a file name"),
        ("id: NUL, caption: x", "pages[0].panels[0].id: 'NUL' cannot be part of a file name"),
        ("id: a.b, caption: x", "pages[0].panels[0].id: 'a.b' cannot be part of a file name"),
        ("id: a, caption: x, source: [0]", "panels[0].source[0]: 0 is no sentence of the story"),
        ("id: a, caption: x, seed: -1", "pages[0].panels[0].seed: -1 is below 0"),
        ("id: a, caption: x, locked: yes", "did you mean 'true'?"),
        (
            "id: a, caption: x, characters: [{name: mika}]",
            "pages[0].panels[0].characters[0].name: 'mika' is not in the cast; "
            "allowed: Mika, Bo; did you mean 'Mika'?",
        ),
        ("id: a, caption: x, characters: [{name: the girl}]", "did you mean 'Mika'?"),
        ("id: a, caption: x, characters: [{name: Bo}, {name: Bo}]", "'Bo' is in this panel twice"),
        ("id: a, caption: x, dialogs: [{text: x, speaker: Bob}]", "did you mean 'Bo'?"),
        ("id: a, caption: x, dialogs: [{text: x}]", "dialogs[0].speaker: nobody says this speech"),
        ("id: a, caption: x, dialogs: [{text: ' ', kind: sound}]", "dialogs[0].text: the text is"),
        (
            "id: a, caption: x, dialogs: [{text: x, kind: cry}]",
            "dialogs[0].kind: 'cry' is not know",
        ),
    ],
)
def test_a_mistake_in_a_panel_is_told(panel: str, expected: str) -> None:
    (problem,) = problems_in(plan_with(panel))
    assert problem.startswith("5: ")
    assert expected in problem


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ("[0, 0, 1, 1.2]", "the box leaves the panel; allowed: fractions from 0 to 1"),
        ("[-0.1, 0, 1, 1]", "the box leaves the panel"),
        ("[0.5, 0, 0.2, 1]", "the box is inverted"),
        ("[0.5, 0, 0.5, 1]", "the box has no area"),
        (
            "[0, 0, 1]",
            "a list of 3 is not what is needed here; allowed: [left, top, right, bottom]",
        ),
        ("[0, 0, 1, x]", "'x' is not what is needed here; allowed: a number without quotes"),
        ("[0, 0, 1, .inf]", "'.inf' is not what is needed here"),
        ("[0, 0, 1, 1e999]", "'1e999' is not what is needed here"),
        ("full", "'full' is not what is needed here"),
    ],
)
def test_a_box_that_cannot_be_drawn_in_is_told(box: str, expected: str) -> None:
    (character,) = problems_in(
        plan_with(f"id: a, caption: x, characters: [{{name: Bo, box: {box}}}]")
    )
    (dialog,) = problems_in(
        plan_with(f"id: a, caption: x, dialogs: [{{text: x, kind: sound, box: {box}}}]")
    )
    assert "characters[0].box" in character
    assert expected in character
    assert "dialogs[0].box" in dialog
    assert expected in dialog


def test_a_panel_holds_no_more_than_can_be_drawn() -> None:
    cast = ", ".join(f"{{name: C{number}}}" for number in range(5))
    dialogs = ", ".join(["{text: x, kind: sound}"] * 9)
    panel = f"id: a, caption: x, characters: [{cast}], dialogs: [{dialogs}]"
    assert problems_in(plan_with(panel, cast=f"[{cast}]")) == [
        "5: pages[0].panels[0].characters: 5 characters are too many for a panel; allowed: up to 4",
        "5: pages[0].panels[0].dialogs: 9 dialogs are too many for a panel; allowed: up to 8",
    ]


def test_an_id_is_given_to_one_panel_only_however_it_is_capitalised() -> None:
    text = f"{plan_with('id: a, caption: x')}  - panels: [{{id: A, caption: x}}]\n"
    assert problems_in(text) == [
        "6: pages[1].panels[0].id: the id 'A' is already taken by pages[0].panels[0]"
    ]


def test_a_template_has_to_be_known() -> None:
    text = "title: x\npages:\n  - template: wide-over-tow\n    panels: [{id: a, caption: x}]\n"
    assert problems_in(text, templates=frozenset(["wide-over-two", "four-rows"])) == [
        "3: pages[0].template: 'wide-over-tow' is no template; "
        "allowed: four-rows, wide-over-two; did you mean 'wide-over-two'?"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: x", "1: pages: pages is missing"),
        ("title: x\npages: []", "2: pages: there are no pages"),
        ("title: x\npages: [{panels: []}]", "2: pages[0].panels: there are no panels"),
        ("format: storyboard-plan/9\ntitle: x\npages: []", "did you mean 'storyboard-plan/1'?"),
    ],
)
def test_a_plan_has_pages_and_panels_and_a_known_format(text: str, expected: str) -> None:
    assert expected in problems_in(text)[0]


def test_loading_raises_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(plan_with("id: a/b, caption: '', shot: far"), encoding="utf-8")
    with pytest.raises(StoryError, match=r"plan\.yaml has 3 problems") as caught:
        load_plan(path)
    assert len(caught.value.problems) == 3


def test_a_missing_plan_is_a_missing_error(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        load_plan(tmp_path / "plan.yaml")


def test_pictures_can_be_left_unchecked(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(plan_with("id: a, caption: x", cast="[{name: Bo, images: [bo.png]}]"))
    with pytest.raises(StoryError):
        load_plan(path)
    assert load_plan(path, pictures=False).characters[0].images == ("bo.png",)
