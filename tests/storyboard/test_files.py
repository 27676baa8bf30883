from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from storyboard.errors import OutputError
from storyboard.files import write_atomically, written_atomically


def test_data_is_in_the_file_and_nothing_else_in_the_folder(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.yaml", b"one")
    write_atomically(tmp_path / "a.yaml", b"two")
    assert (tmp_path / "a.yaml").read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.yaml"]


def test_a_failed_write_keeps_the_old_file_and_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"old")

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.yaml"]


def test_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_atomically(tmp_path / "nowhere" / "a.yaml", b"x")
    assert caught.value.hint


def test_a_folder_in_the_way_is_an_output_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(OutputError):
        write_atomically(tmp_path / "a.yaml", b"x")
    assert (tmp_path / "a.yaml").is_dir()
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_of_a_replaced_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_bytes(b"old")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    write_atomically(tmp_path / "link.yaml", b"new")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_bytes() == b"new"


def test_a_file_written_in_pieces_takes_its_place_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"old")

    def half_of_it() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), written_atomically(path) as file:
        file.writelines(half_of_it())
    assert path.read_bytes() == b"old"
    with written_atomically(path) as file:
        file.write(b"who")
        assert path.read_bytes() == b"old"
        file.write(b"le")
    assert path.read_bytes() == b"whole"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]
