from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from storyboard.pictures import picture_fault


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "mika.png"
    Image.effect_noise((64, 64), 50).save(path)
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".gif", ".tiff"])
def test_usual_pictures_have_no_fault(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mika{suffix}"
    Image.new("RGB", (8, 8)).save(path)
    assert picture_fault(path) is None


def test_a_missing_picture_and_a_folder_are_faults(tmp_path: Path) -> None:
    assert picture_fault(tmp_path / "mika.png") == "there is no such picture"
    assert picture_fault(tmp_path) == "this is a folder, not a picture"
    assert picture_fault(tmp_path / ("x" * 5000)) is not None


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_that_is_cut_off_is_a_fault(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mika{suffix}"
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert "cannot be read" in (picture_fault(path) or "")


@pytest.mark.parametrize("data", [b"", b"no picture", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"P3 1 1 255 "])
def test_other_files_are_a_fault(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mika.png"
    path.write_bytes(data)
    assert picture_fault(path) == "this is no picture that can be read"


@pytest.mark.parametrize("side", [9_500, 60_000])
def test_a_decompression_bomb_is_a_fault_and_is_not_unpacked(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    assert "too large" in (picture_fault(path) or "")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read anything")
def test_a_picture_that_may_not_be_read_is_a_fault(picture: Path) -> None:
    picture.chmod(0)
    assert "cannot be read" in (picture_fault(picture) or "")


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 5000), place=st.integers(0, 5000), byte=st.integers(0, 255))
def test_a_damaged_picture_never_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, cut: int, place: int, byte: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    Image.effect_noise((16, 16), 50).convert("P").save(path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data[: max(1, len(data) - cut % 40)])
    fault = picture_fault(path)
    assert fault is None or fault
