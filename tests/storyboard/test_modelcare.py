from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from storyboard.diffsensei.weights import mini_model
from storyboard.errors import MissingError, OutputError, UsageError
from storyboard.modelcare import convert, list_models, pull_model, remove_model, show_model
from storyboard.models.shelf import Record, Shelf, read_record, write_record
from storyboard.progress import SilentProgress

QUIET = SilentProgress()


class Asked:
    """Keeps the questions and gives one answer to all."""

    def __init__(self, *, answer: bool) -> None:
        self.answer = answer
        self.questions: list[str] = []

    def __call__(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
def ink(shelf: Shelf) -> Path:
    """A model that somebody put onto the shelf: a copy of the one that ships."""
    return shutil.copytree(mini_model(), shelf.folder / "ink")


@pytest.mark.usefixtures("ink")
def test_all_models_are_listed_with_size_and_state(shelf: Shelf) -> None:
    write_record(shelf.folder / "ink", Record("convert", "mini"))
    shelf.unfinished("diffsensei").mkdir()
    (shelf.unfinished("diffsensei") / "x.part").write_bytes(bytes(2_000_000))
    mini, diffsensei, ink = list_models(shelf)
    assert mini.split()[0] == "mini"
    assert "71.1 GB  2 MB fetched" in diffsensei
    assert ink.split()[0] == "ink"
    assert ink.endswith("here          convert of mini")


def test_a_refused_pull_fetches_nothing(shelf: Shelf) -> None:
    no = Asked(answer=False)
    assert pull_model("diffsensei", shelf, QUIET, no) is None
    (question,) = no.questions
    for words in ("71.1 GB", "MIT", "jianzongwu/DiffSensei", str(shelf.folder / "diffsensei")):
        assert words in question
    assert not shelf.folder.exists()


@pytest.mark.parametrize(("name", "hint"), [("mini", "ships"), ("nothing", "no model")])
def test_what_cannot_be_fetched_is_told_without_a_question(
    shelf: Shelf, name: str, hint: str
) -> None:
    asked = Asked(answer=True)
    with pytest.raises(UsageError, match=hint):
        pull_model(name, shelf, QUIET, asked)
    assert asked.questions == []


def test_a_model_that_is_there_is_not_asked_about(shelf: Shelf) -> None:
    folder = shelf.folder / "diffsensei"
    for part in ("image_generator", "mllm"):
        (folder / part).mkdir(parents=True)
    asked = Asked(answer=True)
    assert pull_model("diffsensei", shelf, QUIET, asked) == folder
    assert asked.questions == []


def test_a_model_is_removed_only_after_a_yes(shelf: Shelf, ink: Path) -> None:
    write_record(ink, Record("pull", "somewhere"))
    no = Asked(answer=False)
    assert not remove_model("ink", shelf, no)
    assert "MB" in no.questions[0]
    assert ink.is_dir()
    assert remove_model("ink", shelf, Asked(answer=True))
    assert list(shelf.folder.iterdir()) == []


def test_a_model_that_somebody_put_there_is_not_removed_nor_asked_about(
    shelf: Shelf, ink: Path
) -> None:
    asked = Asked(answer=True)
    with pytest.raises(UsageError, match="not made by"):
        remove_model("ink", shelf, asked)
    assert asked.questions == []
    assert ink.is_dir()


def test_what_was_half_fetched_can_be_removed(shelf: Shelf) -> None:
    unfinished = shelf.unfinished("diffsensei")
    unfinished.mkdir(parents=True)
    write_record(unfinished, Record("pull", "somewhere"))
    assert remove_model("diffsensei", shelf, Asked(answer=True))
    assert not unfinished.exists()


def test_a_model_that_is_not_there_cannot_be_removed(shelf: Shelf) -> None:
    with pytest.raises(MissingError):
        remove_model("ink", shelf, Asked(answer=True))


def test_a_model_is_shown_with_its_parts_settings_and_fingerprint(shelf: Shelf) -> None:
    lines = show_model("mini", shelf, QUIET)
    told = "\n".join(lines)
    settings = json.loads((mini_model() / "settings.json").read_text())
    unet = next(line for line in lines if line.startswith("unet"))
    assert unet.split()[-1] == "float16"
    assert int(unet.split()[1].replace(",", "")) > 10_000_000
    assert f"num_inference_steps  {settings['num_inference_steps']}" in told
    assert "language model  no" in told
    assert "192 x 192" in told
    (fingerprint,) = (line.split()[1] for line in lines if line.startswith("fingerprint"))
    assert len(fingerprint) == 64


def test_a_converted_model_has_a_name_and_a_record_and_can_be_removed(shelf: Shelf) -> None:
    folder = convert("mini", "ink", shelf, QUIET)
    assert folder == shelf.folder / "ink"
    assert read_record(folder) == Record("convert", "mini")
    assert show_model("ink", shelf, QUIET)[-9:] == show_model("mini", shelf, QUIET)[-9:]
    assert remove_model("ink", shelf, Asked(answer=True))


def test_a_target_with_a_slash_is_a_folder(shelf: Shelf, tmp_path: Path) -> None:
    folder = convert(str(mini_model()), f"{tmp_path}/elsewhere/ink", shelf, QUIET)
    assert folder == tmp_path / "elsewhere" / "ink"
    assert (folder / "image_generator/unet/diffusion_pytorch_model.safetensors").is_file()


def test_a_target_that_is_taken_is_left_as_it_is(shelf: Shelf, ink: Path) -> None:
    before = sorted(ink.rglob("*"))
    with pytest.raises(OutputError, match="is there already"):
        convert("mini", "ink", shelf, QUIET)
    assert sorted(ink.rglob("*")) == before


def test_a_damaged_source_is_told_as_missing(shelf: Shelf, ink: Path) -> None:
    weights = ink / "image_generator/unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(MissingError, match="damaged or cut short"):
        convert("ink", "other", shelf, QUIET)
    assert [path.name for path in shelf] == ["ink"]
