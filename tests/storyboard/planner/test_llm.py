from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from storyboard.errors import MissingError
from storyboard.planner import llm
from storyboard.planner.agent import plan_story
from storyboard.planner.checks import check_plan
from storyboard.planner.llm import LlamaCppModel, as_messages, as_text, find_model
from storyboard.planner.prompts import KINDS, ask_change, ask_feeling, ask_kind
from storyboard.progress import SilentProgress
from storyboard.story import Story

needs_gemma = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None
    or importlib.util.find_spec(llm.INSTALLED_PACKAGE) is None,
    reason="llama-cpp-python or the small model is not installed (extra local-llm)",
)


def test_the_configured_model_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured, named = tmp_path / "a.gguf", tmp_path / "b.gguf"
    configured.touch()
    named.touch()
    monkeypatch.setenv(llm.ENVIRONMENT_VARIABLE, str(named))
    assert find_model(configured) == configured
    assert find_model(None) == named


def test_a_model_that_is_not_there_is_missed_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as missed:
        find_model(tmp_path / "none.gguf")
    assert "storyboard-manga[local-llm]" in (missed.value.hint or "")


def test_without_any_model_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(llm.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(llm, "INSTALLED_PACKAGE", "no_such_package_of_weights")
    with pytest.raises(MissingError) as missed:
        find_model(None)
    assert "local-llm" in (missed.value.hint or "")


def test_a_base_model_gets_examples_to_go_on_with() -> None:
    text = as_text(ask_kind("cock"))
    assert 'Name: wolf\nAnswer: {"kind": "animal"}' in text
    assert text.endswith("Name: cock\nAnswer: ")


def test_an_instruct_model_gets_a_talk_that_ends_with_the_question() -> None:
    messages = as_messages(ask_kind("cock"))
    assert [message["role"] for message in messages[:2]] == ["user", "assistant"]
    assert messages[-1]["role"] == "user"
    assert messages[-1]["content"].endswith("Name: cock")


def test_questions_fit_a_small_window() -> None:
    questions = [ask_kind("x"), ask_change("a" * 260, "b" * 260), ask_feeling("c" * 300, "Mika")]
    assert all(len(as_text(question)) / 2 < llm.CONTEXT_TOKENS for question in questions)


@pytest.mark.slow
@needs_gemma
@pytest.mark.timeout(1800)
def test_the_small_model_answers_within_the_schema_and_plans_a_fable(
    fable: Callable[[str], Story],
) -> None:
    model = LlamaCppModel(find_model(None))
    question = ask_kind("robbers")
    assert model.answer(question)["kind"] in KINDS
    assert model.answer(question) == model.answer(question)
    story = fable("cat_and_mouse")
    log: list[dict[str, object]] = []
    plan = plan_story(story, model, progress=SilentProgress(), log=log.append)
    assert check_plan(plan, story) == []
    assert any(record["verdict"] == "accepted" for record in log)
