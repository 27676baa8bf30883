from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storyboard.planner.llm import AnswerError, Question
from storyboard.story import Story

DATA = Path(__file__).parent / "data"


class DiceModel:
    """A language model that answers anything its schema allows, the same to the same question."""

    def __init__(self, seed: int = 0, *, fails: bool = False) -> None:
        self.name = f"dice-{seed}"
        self.asked: list[Question] = []
        self._seed = seed
        self._fails = fails

    def answer(self, question: Question) -> Any:
        self.asked.append(question)
        text = f"{self._seed}{question.step}{question.text}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        if self._fails and number % 3 == 0:
            raise AnswerError("the answer is unfinished")
        ((field, wanted),) = question.schema["properties"].items()
        if "enum" in wanted:
            return {field: wanted["enum"][number % len(wanted["enum"])]}
        return {field: ("The fox sits by the gate and looks up" * 4)[: wanted["maxLength"]]}


@pytest.fixture(scope="session")
def dice() -> Callable[..., DiceModel]:
    return DiceModel


@pytest.fixture
def fable() -> Callable[[str], Story]:
    def read(name: str) -> Story:
        title, text = (DATA / f"{name}.txt").read_text(encoding="utf-8").split("\n", 1)
        return Story(title=title, story=text)

    return read
