from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hub import REPOSITORY, REVISION, Hub

from storyboard.cli import main
from storyboard.errors import ExitCode, LockedError, MissingError, OutputError
from storyboard.lock import locked
from storyboard.models.catalogue import Entry, Source
from storyboard.models.pull import announcement, pull
from storyboard.models.shelf import Shelf, read_record
from storyboard.progress import SilentProgress

pytestmark = pytest.mark.enable_socket

SOURCE = Source(REPOSITORY, REVISION, 71_100_000_000, 52_600_000_000, "MIT, it says")
ENTRY = Entry("tiny", "a tiny model", SOURCE)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


def pulled(shelf: Shelf, *, with_language_model: bool = True) -> Path:
    return pull(
        ENTRY,
        SOURCE,
        shelf,
        SilentProgress(),
        with_language_model=with_language_model,
        pause_s=0.0,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_the_announcement_says_what_how_large_on_which_terms_and_where(shelf: Shelf) -> None:
    told = announcement(ENTRY, SOURCE, shelf, with_language_model=True)
    for words in (REPOSITORY, "about 71.1 GB", "MIT, it says", str(shelf.folder / "tiny")):
        assert words in told
    told = announcement(ENTRY, SOURCE, shelf, with_language_model=False)
    assert "about 18.5 GB without its language model (52.6 GB)" in told


def test_a_model_comes_with_its_record_and_without_what_is_not_its_part(
    hub: Hub, shelf: Shelf
) -> None:
    folder = pulled(shelf)
    assert contents(folder) == {k: v for k, v in hub.files.items() if "assets" not in k}
    record = read_record(folder)
    assert record is not None
    assert (record.made_by, record.source) == ("pull", f"{REPOSITORY}@{REVISION}")
    assert [path.name for path in shelf] == ["tiny"]


def test_a_pull_that_failed_leaves_no_model_and_goes_on_later(hub: Hub, shelf: Shelf) -> None:
    del hub.files["README.md"]
    hub.sends["mllm/llm/model.safetensors"] = bytes(200_000)
    with pytest.raises(MissingError, match="damaged"):
        pulled(shelf)
    assert list(shelf) == []
    asked = len(hub.asked)
    hub.sends.clear()
    assert contents(pulled(shelf)).keys() >= {"mllm/llm/model.safetensors"}
    again = [path for path, _ in hub.asked[asked:]]
    assert not any("unet" in path for path in again)


def test_the_language_model_can_be_left_out_and_fetched_later(hub: Hub, shelf: Shelf) -> None:
    folder = pulled(shelf, with_language_model=False)
    assert not (folder / "mllm").exists()
    asked = len(hub.asked)
    assert (pulled(shelf) / "mllm/llm/model.safetensors").is_file()
    assert not any("unet" in path for path, _ in hub.asked[asked:])
    assert read_record(folder) is not None
    assert [path.name for path in shelf.folder.iterdir() if path.is_dir()] == ["tiny"]


def test_too_little_room_is_told_before_anything_is_fetched(
    hub: Hub, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1000))
    with pytest.raises(OutputError, match="500 kB are still to be fetched"):
        pulled(shelf)
    assert not any("resolve" in path for path, _ in hub.asked)


@pytest.mark.usefixtures("hub")
def test_two_pulls_of_one_model_do_not_mix(shelf: Shelf) -> None:
    shelf.folder.mkdir()
    with locked(shelf.folder / ".tiny.lock"), pytest.raises(LockedError):
        pulled(shelf)


def test_a_repository_of_another_kind_is_refused(hub: Hub, shelf: Shelf) -> None:
    del hub.files["mllm/llm/model.safetensors"]
    with pytest.raises(MissingError, match="no folder mllm/"):
        pulled(shelf)


def test_the_command_fetches_and_the_model_is_found_by_its_name(
    hub: Hub, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("storyboard.models.catalogue.CATALOGUE", (ENTRY,))
    monkeypatch.setenv("STORYBOARD_MODELS", str(shelf.folder))
    hub.sends["mllm/llm/model.safetensors"] = bytes(200_000)
    for code in (ExitCode.MISSING, ExitCode.DONE, ExitCode.DONE):
        with pytest.raises(SystemExit) as ended:
            main.main(args=["models", "pull", "tiny", "--yes"], prog_name="storyboard")
        assert (ended.value.code or 0) == code
        hub.sends.clear()
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(shelf.folder / "tiny")] * 2
    assert "Error: mllm/llm/model.safetensors arrived damaged" in err
    assert err.count("about 71.1 GB") == 2
    assert err.splitlines()[-1] == "tiny is there already"
    assert shelf.find("tiny", Path("mini")) == shelf.folder / "tiny"
