"""Asks a question, checks the answer, complains once, and then goes by rule; all of it logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from storyboard.planner.llm import AnswerError, LanguageModel, Question, as_text

Log = Callable[[dict[str, Any]], None]
Check = Callable[[str], str]


def accept(answer: str) -> str:
    """Find nothing wrong with an answer."""
    del answer
    return ""


class Asker:
    """The way to the model. Without a model every answer is the rule's."""

    def __init__(self, llm: LanguageModel | None, log: Log) -> None:
        """Ask `llm`, and tell `log` of every question and of every rule that had to step in."""
        self._llm = llm
        self._log = log

    def ask(self, question: Question, rule: str, check: Check = accept) -> str:
        """Return the one string asked for, or the rule's answer after two that are not right.

        Args:
            question: its schema has one property, a string.
            rule: the answer where the model has none.
            check: returns what is wrong with an answer, or nothing.
        """
        for attempt in (1, 2):
            if self._llm is None:
                break
            answer, complaint = self._try(self._llm, question, check, attempt)
            if not complaint:
                return answer
            question = msgspec.structs.replace(question, complaint=complaint)
        self.note(question.step, f"rule: {rule}")
        return rule

    def note(self, step: str, verdict: str) -> None:
        """Log a decision that was made without the model."""
        self._log({"step": step, "prompt": "", "answer": None, "verdict": verdict, "seconds": 0.0})

    def _try(
        self, llm: LanguageModel, question: Question, check: Check, attempt: int
    ) -> tuple[str, str]:
        """Return the answer and what is wrong with it, which is nothing when it is right."""
        begun = time.perf_counter()
        answer: Any = None
        try:
            answer = llm.answer(question)
            text, complaint = _only_value(answer, question)
            complaint = complaint or check(text)
        except AnswerError as err:
            text, complaint = "", str(err)
        self._log(
            {
                "step": question.step,
                "prompt": as_text(question),
                "answer": answer,
                "verdict": f"refused ({attempt}): {complaint}" if complaint else "accepted",
                "seconds": round(time.perf_counter() - begun, 3),
            }
        )
        return text, complaint


def _only_value(answer: Any, question: Question) -> tuple[str, str]:
    """Return the value of the one property asked for, and what is wrong with it."""
    ((field, wanted),) = question.schema["properties"].items()
    value = answer.get(field) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value.strip():
        return "", f"the answer has no {field}"
    if "enum" in wanted and value not in wanted["enum"]:
        return "", f"{value} is none of {', '.join(wanted['enum'])}"
    if len(value) > wanted.get("maxLength", len(value)):
        return "", f"{field} is too long"
    return value.strip(), ""
