from __future__ import annotations

from pathlib import Path

import pytest

from storyboard.errors import MissingError, UsageError
from storyboard.models.shelf import (
    Record,
    Shelf,
    models_folder,
    read_record,
    remove,
    write_record,
)


def model(folder: Path) -> Path:
    (folder / "image_generator").mkdir(parents=True)
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
def mini(tmp_path: Path) -> Path:
    return model(tmp_path / "mini")


def test_the_environment_goes_before_the_configuration_and_that_before_the_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("STORYBOARD_MODELS", raising=False)
    assert models_folder(None).name == "models"
    assert models_folder(Path("mine")) == Path("mine")
    monkeypatch.setenv("STORYBOARD_MODELS", "~/theirs")
    assert models_folder(Path("mine")) == Path.home() / "theirs"


def test_a_model_is_found_by_its_path_and_by_its_name(shelf: Shelf, mini: Path) -> None:
    there = model(shelf.folder / "ink")
    assert shelf.find(there, mini) == there
    assert shelf.find(str(there), mini) == there
    assert shelf.find("ink", mini) == there
    assert shelf.find("mini", mini) == mini


def test_a_model_of_the_catalogue_that_is_not_there_is_told_with_the_way_to_it(
    shelf: Shelf, mini: Path
) -> None:
    with pytest.raises(MissingError) as missing:
        shelf.find("diffsensei", mini)
    assert missing.value.hint == "`storyboard models pull diffsensei` fetches it (71.1 GB)"


@pytest.mark.parametrize("named", ["nothing", "some/where", "."])
def test_a_model_that_is_nowhere_is_told_with_those_there_are(
    shelf: Shelf, mini: Path, named: str
) -> None:
    model(shelf.folder / "ink")
    with pytest.raises(MissingError) as missing:
        shelf.find(named, mini)
    assert missing.value.hint is not None
    assert "mini, diffsensei, ink" in missing.value.hint


def test_only_models_are_listed_and_nothing_that_is_unfinished(shelf: Shelf) -> None:
    model(shelf.folder / "ink")
    model(shelf.unfinished("other"))
    (shelf.folder / "notes").mkdir()
    assert [path.name for path in shelf] == ["ink"]
    assert list(Shelf(shelf.folder / "nowhere")) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden"])
def test_a_name_is_no_path(shelf: Shelf, name: str) -> None:
    with pytest.raises(UsageError, match="no model's name"):
        shelf.place_of(name)


def test_what_the_tool_made_can_be_removed(shelf: Shelf) -> None:
    there = model(shelf.folder / "ink")
    write_record(there, Record("convert", "mini", "CC0"))
    assert read_record(there) == Record("convert", "mini", "CC0")
    remove(there)
    assert list(shelf.folder.iterdir()) == []


def test_what_somebody_else_put_there_is_not_removed(shelf: Shelf) -> None:
    there = model(shelf.folder / "ink")
    with pytest.raises(UsageError, match="not made by"):
        remove(there)
    assert there.is_dir()
