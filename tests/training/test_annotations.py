from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.annotations import (
    BadPageError,
    BadPages,
    CharacterAnnotation,
    DialogAnnotation,
    FrameAnnotation,
    PageAnnotation,
    TooManyBadPagesError,
    read_annotations,
    read_page,
    write_annotations,
)
from training.data.cache import build_cache

FRAME = FrameAnnotation(
    (0, 0, 64, 48),
    "A hand holds a key.",
    (CharacterAnnotation((4, 4, 40, 44), id=3, face=(8, 8, 20, 20)),),
    (DialogAnnotation((44, 4, 60, 14), "Who?"),),
)


def noise(path: Path, size: tuple[int, int] = (64, 48)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0]), np.uint8)
    Image.fromarray(pixels).save(path)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    pages = [
        PageAnnotation("a/000.jpg", (FRAME,), {"url1": "https://example.org/a"}, held_out=True)
    ]
    write_annotations(pages, tmp_path / "annotations.json")
    assert read_annotations(tmp_path / "annotations.json") == pages
    assert [path.name for path in tmp_path.iterdir()] == ["annotations.json"]


def test_the_published_form_is_read_whatever_else_it_holds(tmp_path: Path) -> None:
    (tmp_path / "annotations.json").write_text(
        '[{"image_path": "20th-century-boys/000.jpg", "meta": {"url1": "u", "url2": "v"},'
        ' "frames": [{"bbox": [755, 35, 1451, 481], "caption": "A building.", "characters":'
        ' [{"bbox": [800, 40, 900, 300], "id": 2, "type": 0, "score": 0.9}],'
        ' "dialogs": [{"bbox": [760, 40, 800, 90]}]}]}]'
    )
    [page] = read_annotations(tmp_path / "annotations.json")
    assert page.frames[0].characters[0].id == 2
    assert page.frames[0].dialogs[0].bbox == (760, 40, 800, 90)


def test_a_page_is_read_to_its_end(tmp_path: Path) -> None:
    page = PageAnnotation("a/000.png", (FRAME,))
    noise(tmp_path / page.image_path)
    assert read_page(tmp_path, page).size == (64, 48)
    whole = (tmp_path / page.image_path).read_bytes()
    (tmp_path / page.image_path).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadPageError, match="damaged"):
        read_page(tmp_path, page)
    (tmp_path / page.image_path).write_bytes(b"<html>not found</html>")
    with pytest.raises(BadPageError, match="not a picture"):
        read_page(tmp_path, page)
    (tmp_path / page.image_path).unlink()
    with pytest.raises(BadPageError, match="missing"):
        read_page(tmp_path, page)


def test_a_frame_without_area_makes_a_bad_page(tmp_path: Path) -> None:
    flat = FrameAnnotation((10, 10, 10, 40), "", (), ())
    with pytest.raises(BadPageError, match="frame 2 is 0 x 30 px"):
        read_page(tmp_path, PageAnnotation("a.png", (FRAME, flat)))


def test_bad_pages_are_counted_and_named_and_some_are_too_many() -> None:
    bad = BadPages()
    bad.add("a/003.jpg", "damaged")
    assert bad.summary() == "1 page could not be used:\n  a/003.jpg: damaged"
    bad.check(100)  # one of a hundred is the most that is allowed
    with pytest.raises(TooManyBadPagesError, match=r"1 of 99 pages .*\n.*\n.*a/003\.jpg: damaged"):
        bad.check(99)
    bad.check(2, allowed_share=1.0)
    for number in range(30):
        bad.add(f"b/{number}.jpg", "missing")
    assert bad.summary().startswith("31 pages")
    assert bad.summary().endswith("  and 11 more")
    BadPages().check(0)


def test_the_cache_leaves_out_bad_pages_and_names_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [PageAnnotation(f"{number:03d}.png", (FRAME,)) for number in range(3)]
    write_annotations(pages, tmp_path / "annotations.json")
    for page in pages:
        noise(tmp_path / page.image_path)
    (tmp_path / "001.png").write_bytes(b"")
    with pytest.raises(TooManyBadPagesError, match=r"001\.png"):
        build_cache(tmp_path, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    assert build_cache(tmp_path, tmp_path / "cache", allowed_bad_share=0.5) == 2
    assert "001.png: not a picture" in capsys.readouterr().err
