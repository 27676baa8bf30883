from __future__ import annotations

from pathlib import Path

import pytest
from hub import REPOSITORY, REVISION, Hub

from storyboard.errors import MissingError, OutputError, UsageError
from storyboard.models.download import TRIES, RemoteFile, Repository

pytestmark = pytest.mark.enable_socket

LARGE = "image_generator/unet/pytorch_model.bin"


def repository() -> Repository:
    return Repository(REPOSITORY, REVISION, pause_s=0.0)


def file_of(path: str) -> RemoteFile:
    return next(file for file in repository().files() if file.path == path)


def fetched(path: str, folder: Path) -> tuple[Path, list[int]]:
    counted: list[int] = []
    return repository().fetch(file_of(path), folder, counted.append), counted


def ranges(hub: Hub) -> list[str]:
    return [wanted for path, wanted in hub.asked if path.startswith("/elsewhere/")]


def test_files_are_listed_with_sizes_and_checksums(hub: Hub) -> None:
    files = {file.path: file for file in repository().files()}
    assert files.keys() == hub.files.keys()
    assert files[LARGE].num_bytes == 300_000
    assert len(files[LARGE].sha256) == 64
    assert len(files["README.md"].git_sha1) == 40


@pytest.mark.parametrize("path", [LARGE, "README.md"])
def test_a_file_arrives_whole(hub: Hub, tmp_path: Path, path: str) -> None:
    there, counted = fetched(path, tmp_path)
    assert there == tmp_path / path
    assert there.read_bytes() == hub.files[path]
    assert sum(counted) == len(hub.files[path])
    assert [p.name for p in there.parent.iterdir()] == [there.name]


def test_a_broken_connection_is_taken_up_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [100_000, 50_000]
    there, counted = fetched(LARGE, tmp_path)
    assert there.read_bytes() == hub.files[LARGE]
    assert ranges(hub) == ["", "bytes=100000-", "bytes=150000-"]
    assert sum(counted) == 300_000


def test_a_later_run_goes_on_where_an_earlier_one_was_killed(hub: Hub, tmp_path: Path) -> None:
    def killed(_: int) -> None:
        raise KeyboardInterrupt

    hub.cuts = [100_000]
    with pytest.raises(KeyboardInterrupt):
        repository().fetch(file_of(LARGE), tmp_path, killed)
    part = tmp_path / f"{LARGE}.part"
    assert part.stat().st_size == 100_000
    assert not (tmp_path / LARGE).exists()
    there, counted = fetched(LARGE, tmp_path)
    assert ranges(hub)[-1] == "bytes=100000-"
    assert there.read_bytes() == hub.files[LARGE]
    assert sum(counted) == 300_000


def test_a_server_that_knows_no_ranges_sends_all_again(hub: Hub, tmp_path: Path) -> None:
    hub.cuts, hub.knows_ranges = [100_000], False
    there, counted = fetched(LARGE, tmp_path)
    assert there.read_bytes() == hub.files[LARGE]
    assert sum(counted) == 300_000


@pytest.mark.parametrize("path", [LARGE, "README.md"])
def test_a_file_that_is_not_what_was_published_is_thrown_away(
    hub: Hub, tmp_path: Path, path: str
) -> None:
    hub.sends[path] = bytes(len(hub.files[path]))
    with pytest.raises(MissingError, match="arrived damaged"):
        fetched(path, tmp_path)
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == []
    del hub.sends[path]
    assert fetched(path, tmp_path)[0].read_bytes() == hub.files[path]


def test_what_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    fetched(LARGE, tmp_path)
    before = len(ranges(hub))
    assert sum(fetched(LARGE, tmp_path)[1]) == 300_000
    assert len(ranges(hub)) == before


def test_a_server_that_is_overloaded_is_asked_again(hub: Hub, tmp_path: Path) -> None:
    file = file_of(LARGE)
    hub.errors = [503, 429]
    assert repository().fetch(file, tmp_path, lambda _: None).exists()


def test_a_server_that_stays_away_is_an_error_with_the_way_on(hub: Hub, tmp_path: Path) -> None:
    file = file_of(LARGE)
    hub.errors = [503] * TRIES
    with pytest.raises(MissingError, match="503") as failed:
        repository().fetch(file, tmp_path, lambda _: None)
    assert failed.value.hint == "the same command goes on where it stopped"


@pytest.mark.usefixtures("hub")
def test_a_repository_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(MissingError, match="404"):
        Repository("nobody/Nothing", REVISION, pause_s=60.0).files()


def test_a_path_out_of_the_folder_is_refused(hub: Hub) -> None:
    hub.files["../evil.bin"] = b"x"
    with pytest.raises(MissingError, match="cannot be"):
        repository().files()


@pytest.mark.usefixtures("hub")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "image_generator").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        fetched(LARGE, tmp_path)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_means_offline(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(UsageError, match=variable):
        repository()


def test_a_server_has_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "file:///etc")
    with pytest.raises(UsageError, match="is no server"):
        repository()
