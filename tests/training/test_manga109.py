from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from training.data.annotations import read_annotations
from training.data.manga109 import convert, main

BOOK = """<?xml version="1.0" encoding="UTF-8"?>
<book title="Karakuri">
  <characters>
    <character id="00000a01" name="レン"/>
    <character id="00000a02" name="_Other"/>
  </characters>
  <pages>
    <page index="0" width="200" height="100"/>
    <page index="1" width="200" height="100">
      <frame id="00000001" xmin="100" ymin="0" xmax="200" ymax="100"/>
      <frame id="00000002" xmin="0" ymin="0" xmax="100" ymax="100"/>
      <body id="00000003" xmin="120" ymin="20" xmax="160" ymax="90" character="00000a01"/>
      <face id="00000004" xmin="130" ymin="22" xmax="150" ymax="40" character="00000a01"/>
      <face id="00000005" xmin="20" ymin="30" xmax="50" ymax="60" character="00000a01"/>
      <body id="00000006" xmin="60" ymin="20" xmax="130" ymax="90" character="00000a02"/>
      <body id="00000007" xmin="165" ymin="20" xmax="195" ymax="90" character="00000a02"/>
      <text id="00000008" xmin="5" ymin="5" xmax="40" ymax="25">え？
もう一度</text>
      <onomatopoeia id="00000009" xmin="5" ymin="5" xmax="40" ymax="25">ドン</onomatopoeia>
    </page>
    {more}
  </pages>
</book>
"""

NO_FRAME = """<page index="2" width="200" height="100">
  <text id="0b" xmin="1" ymin="1" xmax="9" ymax="9"/></page>"""


def collection(root: Path, more: str = "", *, num_pages: int = 2) -> Path:
    (root / "annotations").mkdir(parents=True)
    (root / "annotations" / "Karakuri.xml").write_text(BOOK.format(more=more), "utf-8")
    (root / "images" / "Karakuri").mkdir(parents=True)
    for number in range(num_pages):
        Image.new("L", (200, 100), 200).save(root / "images" / "Karakuri" / f"{number:03d}.jpg")
    return root


def test_frames_become_panels_with_their_people_and_texts(tmp_path: Path) -> None:
    [page] = convert(collection(tmp_path)).pages
    assert page.image_path == "images/Karakuri/001.jpg"
    right, left = page.frames
    assert right.bbox == (100, 0, 200, 100)
    assert left.dialogs[0].bbox == (5, 5, 40, 25)
    assert left.dialogs[0].text == "え？\nもう一度"
    assert right.dialogs == ()


def test_a_person_keeps_the_id_and_gets_the_face_in_the_body(tmp_path: Path) -> None:
    [page] = convert(collection(tmp_path)).pages
    right, left = page.frames
    body = right.characters[0]
    assert (body.id, body.type, body.bbox) == (0xA01, 0, (120, 20, 160, 90))
    assert body.face == (130, 22, 150, 40)
    face_alone = left.characters[1]
    assert (face_alone.id, face_alone.bbox) == (0xA01, (20, 30, 50, 60))
    assert face_alone.face == face_alone.bbox


def test_those_who_are_nobody_are_not_one_person(tmp_path: Path) -> None:
    [page] = convert(collection(tmp_path)).pages
    right, left = page.frames
    nobodies = [one for frame in (left, right) for one in frame.characters if one.type == 1]
    assert [one.id for one in nobodies] == [6, 7]


def test_a_body_across_a_gutter_belongs_where_most_of_it_is(tmp_path: Path) -> None:
    [page] = convert(collection(tmp_path)).pages
    assert page.frames[1].characters[0].bbox == (60, 20, 130, 90)


def test_what_lies_in_no_frame_is_counted(tmp_path: Path) -> None:
    more = """<page index="2" width="200" height="100">
      <frame id="0000000c" xmin="0" ymin="0" xmax="50" ymax="50"/>
      <text id="0000000d" xmin="100" ymin="60" xmax="140" ymax="90">外</text></page>"""
    result = convert(collection(tmp_path, more, num_pages=3))
    assert result.num_outside == 1
    assert result.num_pages == 3
    assert len(result.pages) == 2


def test_pages_without_frames_are_no_panels_and_need_no_picture(tmp_path: Path) -> None:
    result = convert(collection(tmp_path, NO_FRAME))
    assert [page.image_path for page in result.pages] == ["images/Karakuri/001.jpg"]
    assert not result.bad


def test_a_corrupt_page_is_counted_and_skipped_with_its_name(tmp_path: Path) -> None:
    page = (
        '<page index="{0}" width="200" height="100"><frame id="1" {1} ymin="0" ymax="50"/></page>'
    )
    whole = 'xmin="0" xmax="50"'
    more = "".join(page.format(n, 'xmin="60" xmax="50"' if n == 4 else whole) for n in (2, 3, 4))
    root = collection(tmp_path, more, num_pages=5)
    picture = root / "images" / "Karakuri" / "002.jpg"
    picture.write_bytes(picture.read_bytes()[:300])
    Image.new("L", (100, 100)).save(root / "images" / "Karakuri" / "003.jpg")
    result = convert(root)
    assert {name: reason.split(":")[0] for name, reason in result.bad.reasons.items()} == {
        "images/Karakuri/002.jpg": "damaged",
        "images/Karakuri/003.jpg": "100 x 100 px, annotated at 200 x 100 px",
        "images/Karakuri/004.jpg": "frame 1",
    }
    assert "60, 0, 50, 50 has no area" in result.bad.reasons["images/Karakuri/004.jpg"]
    assert len(result.pages) == 1


def test_books_can_be_chosen_and_held_out(tmp_path: Path) -> None:
    root = collection(tmp_path)
    assert convert(root, held_out=["Karakuri"]).pages[0].held_out
    with pytest.raises(ValueError, match=r"no Unknown\.xml"):
        convert(root, books=["Unknown"])
    (root / "annotations" / "Broken.xml").write_text("<book")
    with pytest.raises(ValueError, match=r"Broken\.xml is not XML"):
        convert(root)
    assert len(convert(root, books=["Karakuri"]).pages) == 1


def test_the_command_writes_a_file_that_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = collection(tmp_path)
    monkeypatch.setattr(sys, "argv", ["manga109", "--root", str(root)])
    main()
    assert capsys.readouterr().out.startswith("1 pages with 2 panels; 0 bodies")
    assert len(read_annotations(root / "annotations.json")) == 1
    (root / "images" / "Karakuri" / "001.jpg").unlink()
    with pytest.raises(SystemExit, match=r"1 of 2 pages cannot be used"):
        main()
    monkeypatch.setattr(sys, "argv", ["manga109", "--root", str(root), "--allow-missing"])
    main()
    assert "001.jpg: the picture is missing" in capsys.readouterr().err
