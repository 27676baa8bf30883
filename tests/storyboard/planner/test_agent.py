from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import StoryError, UsageError
from storyboard.plan import Plan
from storyboard.planner.agent import needs_model, plan_story
from storyboard.planner.checks import check_plan, panels_of
from storyboard.progress import SilentProgress
from storyboard.story import Character, Scene, ScenePanel, Story

FABLES = ("travelling_musicians", "cat_and_mouse")


def planned(story: Story, llm: Any, log: list[dict[str, Any]] | None = None) -> Plan:
    records = log if log is not None else []
    return plan_story(story, llm, progress=SilentProgress(), log=records.append)


@pytest.mark.parametrize("name", FABLES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_fable_is_planned_whole_whatever_the_model_answers(
    name: str, seed: int, fable: Callable[[str], Story], dice: Callable[..., Any]
) -> None:
    story = fable(name)
    plan = planned(story, dice(seed, fails=True))
    assert check_plan(plan, story) == []
    assert len(plan.pages) > 4


def test_every_line_of_the_musicians_has_its_speaker(
    fable: Callable[[str], Story], dice: Callable[..., Any]
) -> None:
    plan = planned(fable("travelling_musicians"), dice())
    said = {d.text: d.speaker for panel in panels_of(plan) for d in panel.dialogs if d.speaker}
    assert said["What do I see?"] == "Ass"
    assert said["Well, Donkey, what do you see?"] == "Cock"
    assert said["There must be a house no great way off, for I see a light."] == "Cock"
    assert said["For there, I may turn musician."] == "Ass"


def test_the_same_story_and_model_give_the_same_plan(
    fable: Callable[[str], Story], dice: Callable[..., Any]
) -> None:
    story = fable("cat_and_mouse")
    assert planned(story, dice(3)) == planned(story, dice(3))


def test_a_wanted_length_is_met(fable: Callable[[str], Story], dice: Callable[..., Any]) -> None:
    for pages in (5, 9):
        story = Story(title="t", story=fable("cat_and_mouse").story, pages=pages)
        assert len(planned(story, dice()).pages) == pages


def test_a_wanted_length_that_cannot_hold_the_story_is_passed_and_logged(
    fable: Callable[[str], Story], dice: Callable[..., Any]
) -> None:
    log: list[dict[str, Any]] = []
    story = Story(title="t", story=fable("cat_and_mouse").story, pages=1)
    assert len(planned(story, dice(), log).pages) > 1
    assert any("instead of 1" in record["verdict"] for record in log)


def test_a_refused_answer_is_asked_again_with_the_complaint_and_then_ruled(
    fable: Callable[[str], Story], dice: Callable[..., Any]
) -> None:
    log: list[dict[str, Any]] = []
    model = dice(0, fails=True)
    planned(fable("cat_and_mouse"), model, log)
    verdicts = [record["verdict"] for record in log]
    assert any(verdict.startswith("refused (2)") for verdict in verdicts)
    assert any(verdict.startswith("rule:") for verdict in verdicts)
    assert any(question.complaint for question in model.asked)
    assert all(set(r) == {"step", "prompt", "answer", "verdict", "seconds"} for r in log)


def test_a_story_that_lists_its_panels_needs_no_model() -> None:
    panel = ScenePanel(
        "Mika waves", "full", ("the girl",), ({"Mika (whisper)": "Hi."}, {"sound": "CRACK"})
    )
    turned = ScenePanel("Mika leaves", page_break=True)
    mika = Character("Mika", aliases=("the girl",))
    story = Story("t", characters=(mika,), scenes=(Scene(panels=(panel, turned)),), seed=7)
    assert not needs_model(story)
    plan = planned(story, None)
    assert [[panel.id for panel in page.panels] for page in plan.pages] == [["p01-1"], ["p02-1"]]
    first = plan.pages[0].panels[0]
    assert (first.caption, first.shot, first.characters[0].name) == ("Mika waves", "full", "Mika")
    assert [(d.kind, d.speaker, d.text) for d in first.dialogs] == [
        ("whisper", "Mika", "Hi."),
        ("sound", "", "CRACK"),
    ]
    assert plan.seed == 7
    assert check_plan(plan, story) == []


def test_scenes_keep_their_lines_in_order_after_their_text(dice: Callable[..., Any]) -> None:
    lines = ({"Mika": "Hold still."}, {"narration": "That was the first winter."}, {"Jun": "Yes."})
    scene = Scene("forest at night", "Mika finds a fox in a trap and kneels beside it.", lines)
    listed = Scene(panels=(ScenePanel("the empty trap"),))
    story = Story("t", characters=(Character("Mika"), Character("Jun")), scenes=(scene, listed))
    plan = planned(story, dice())
    assert check_plan(plan, story) == []
    texts = [dialog.text for panel in panels_of(plan) for dialog in panel.dialogs]
    assert texts[-3:] == ["Hold still.", "That was the first winter.", "Yes."]
    assert "forest at night" in panels_of(plan)[0].caption
    assert panels_of(plan)[-1].caption == "the empty trap"


def test_a_story_without_a_model_is_refused() -> None:
    with pytest.raises(UsageError):
        planned(Story("t", story="Mika sat."), None)


def test_a_story_that_tells_nothing_is_refused(dice: Callable[..., Any]) -> None:
    with pytest.raises(StoryError):
        planned(Story("t", story="  \n "), dice())


def test_reading_and_seed_follow_from_the_story(dice: Callable[..., Any]) -> None:
    plan = planned(Story("t", story="Mika sat down.", language="ja"), dice())
    other = planned(Story("t", story="Mika stood up."), dice())
    assert (plan.reading, other.reading) == ("rtl", "ltr")
    assert plan.seed != other.seed


_FRAGMENTS = [
    'Mika looked at the fox. ', '"Hold still," said Mika. ', '"Why?" ', '"I am cold!" cried Jun. ',
    'They went into the wood, and it was night. ', "\n\n", '"One," he said, "and two." ',
    'The old woman whispered: "Come in. Sit down. Eat." ', "It rained... and rained. ",
    '"' + "A long speech that goes on and on, " * 8 + 'and ends." ', "the fox", '"unclosed ',
    "'Don't,' said the fox. ", "— Non, dit Jun.\n\n", "Mr. Fox, the robbers' friend; slept. ",
    "「待って」とミカは言った。", "He said nothing more. ", "A " * 90 + "end. ", "“Yes”",
    "I said, ",
]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    fragments=st.lists(st.sampled_from(_FRAGMENTS), min_size=1, max_size=25),
    seed=st.integers(0, 5),
    pages=st.sampled_from([None, 1, 3, 7]),
    is_cast_given=st.booleans(),
)
def test_any_prose_is_planned_by_the_rules(
    dice: Callable[..., Any],
    fragments: list[str],
    seed: int,
    pages: int | None,
    is_cast_given: bool,
) -> None:
    prose = "".join(fragments)
    if not any(letter.isalnum() for letter in prose):
        return
    cast = (Character("Mika"), Character("Jun")) if is_cast_given else ()
    story = Story("t", story=prose, pages=pages, characters=cast)
    assert check_plan(planned(story, dice(seed, fails=True)), story) == []


def test_the_checks_find_what_is_wrong(
    fable: Callable[[str], Story], dice: Callable[..., Any]
) -> None:
    import msgspec

    story = fable("cat_and_mouse")
    plan = planned(story, dice())
    rng = random.Random(1)
    number = rng.randrange(1, len(plan.pages) - 1)
    fewer = msgspec.structs.replace(plan, pages=plan.pages[:number] + plan.pages[number + 1 :])
    complaints = check_plan(fewer, story)
    assert any("told in no panel" in complaint for complaint in complaints)
    assert any("word for word" in complaint for complaint in complaints)
    nobody = msgspec.structs.replace(plan, characters=())
    assert any("cannot say" in complaint for complaint in check_plan(nobody, story))
    doubled = msgspec.structs.replace(plan, pages=plan.pages + plan.pages[-1:])
    assert any("are called" in complaint for complaint in check_plan(doubled, story))
