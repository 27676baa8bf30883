from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.data.annotations import read_annotations, relative_box
from training.data.buckets import MINI_SIZES, nearest_size
from training.data.cache import bucket_name, build_cache
from training.data.peeps.build import build, page_panels, shelve
from training.data.peeps.captions import look
from training.data.peeps.figures import Figure, Identity, draw, parts
from training.data.peeps.panels import compose

HERO = (Identity("Afro", "Full", "GlassRound"), "bust/Hoodie")
FRIEND = (Identity("Beanie"), "bust/Turtleneck")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peeps")
    build(3, folder, workers=1)
    return folder


def test_every_part_of_the_library_can_be_drawn_without_medical_or_monstrous_ones() -> None:
    library = parts()
    assert {kind: len(found) for kind, found in library.items()} == {
        "hair": 47, "face": 31, "beard": 16, "accessory": 9,
        "bust": 28, "sitting": 11, "standing": 23,
    }  # fmt: skip
    names = {name for kind in library.values() for name in kind}
    assert not {"Cyclops", "Monster", "Bear", "DocShield"} & names


def test_a_mirrored_figure_is_the_mirror_of_the_figure() -> None:
    figure = Figure(HERO[0], "Smile", HERO[1])
    mirrored = Figure(HERO[0], "Smile", HERO[1], is_mirrored=True)
    assert np.array_equal(draw(figure).ink[:, ::-1], draw(mirrored).ink)


def test_a_face_changes_the_picture_and_nothing_but_the_face() -> None:
    calm, angry = (draw(Figure(HERO[0], face, HERO[1])) for face in ("Calm", "Rage"))
    rows, columns = np.nonzero(calm.ink != angry.ink)
    left, top, right, bottom = calm.head
    assert len(rows) > 50
    assert left <= columns.min() and columns.max() <= right  # noqa: PT018  one range
    assert top <= rows.min() and rows.max() <= bottom  # noqa: PT018  one range


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.sampled_from(MINI_SIZES), count=st.integers(0, 2))
def test_people_and_balloons_lie_in_the_panel_and_balloons_are_blank(
    seed: int, size: tuple[int, int], count: int
) -> None:
    height, width = size
    panel = compose([HERO, FRIEND][:count], (width, height), random.Random(seed))
    assert panel.ink.shape == size
    assert len(panel.people) == count
    for box in (*(person.box for person in panel.people), *panel.dialogs):
        assert 0 <= box[0] < box[2] <= width
        assert 0 <= box[1] < box[3] <= height
    for left, top, right, bottom in panel.dialogs:
        x, y = (left + right) // 2, (top + bottom) // 2
        assert panel.ink[y - 3 : y + 3, x - 3 : x + 3].min() == 255


def test_the_caption_names_shot_expression_and_place() -> None:
    panel = compose([HERO], (192, 192), random.Random(1), is_portrait=True)
    assert "medium" in panel.caption or "waist up" in panel.caption or "one person" in panel.caption
    assert look(panel.people[0].figure) == "an afro and glasses and a beard"


def test_the_same_seed_gives_the_same_page() -> None:
    first, second = (page_panels(random.Random("page")) for _ in range(2))
    assert all(np.array_equal(a.ink, b.ink) for (a, _), (b, _) in zip(first, second, strict=True))


def test_panels_on_a_page_do_not_overlap() -> None:
    sizes = [(192, 192), (160, 224), (288, 128), (128, 288), (192, 192)]
    boxes = [
        (left, top, left + width, top + height)
        for (left, top), (height, width) in zip(shelve(sizes), sizes, strict=True)
    ]
    for index, a in enumerate(boxes):
        for b in boxes[index + 1 :]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def test_pages_are_annotated_in_mangazeros_schema(pages: Path) -> None:
    written = json.loads((pages / "annotations.json").read_text())
    assert {"image_path", "meta", "frames"} <= written[0].keys()
    frame = written[0]["frames"][0]
    assert {"bbox", "caption", "characters", "dialogs"} <= frame.keys()
    assert {"bbox", "id", "type"} <= frame["characters"][0].keys()
    with Image.open(pages / written[0]["image_path"]) as page:
        assert frame["bbox"][2] <= page.width


def test_the_same_person_has_the_same_id_on_a_page(pages: Path) -> None:
    for page in read_annotations(pages / "annotations.json"):
        identities: dict[int, set[tuple[str, ...]]] = {}
        for frame in page.frames:
            for character in frame.characters:
                identities.setdefault(character.id, set()).add(character.identity)
        assert all(len(found) == 1 for found in identities.values())


def test_the_cache_holds_every_panel_as_it_was_drawn(pages: Path, tmp_path: Path) -> None:
    count = build_cache(pages, tmp_path)
    records = json.loads((tmp_path / "panels.json").read_text())
    assert len(records) == count
    annotated = read_annotations(pages / "annotations.json")
    record, frame = records[0], annotated[0].frames[0]
    panels = np.load(tmp_path / f"{bucket_name(tuple(record['size']))}.npy")
    with Image.open(pages / annotated[0].image_path) as page:
        expected = np.asarray(page.crop(tuple(int(value) for value in frame.bbox)))
    assert np.array_equal(panels[record["index"]], expected)
    assert record["characters"][0]["row"] in record["characters"][0]["rows"]


def test_a_file_in_another_schema_is_refused_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"image_path": "a.png", "frames": [{"bbox": [0, 0, 1]}]}]')
    with pytest.raises(ValueError, match=r"\$\[0\].frames\[0\]"):
        read_annotations(tmp_path / "a.json")


def test_boxes_are_cut_at_the_frame() -> None:
    assert relative_box((90, 50, 160, 300), (100, 100, 200, 200)) == (0.0, 0.0, 0.6, 1.0)


def test_a_panel_goes_to_the_size_of_nearest_proportions() -> None:
    assert nearest_size((400, 900)) == (128, 288)
    assert nearest_size((1000, 990)) == (192, 192)
