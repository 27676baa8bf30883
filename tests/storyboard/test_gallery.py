import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from storyboard.errors import OutputError
from storyboard.gallery import Gallery, Provenance, Recipe, read_provenance
from storyboard.geometry import Box

RECIPE = Recipe(
    caption="Mika kneels in the snow",
    style="screentone",
    shot="medium",
    characters=(
        {
            "name": "Mika",
            "look": "short hair",
            "acting": "kneeling",
            "box": [0.1, 0.2, 0.9, 1.0],
            "images": ["ab12"],
        },
    ),
    dialogs=(("Mika", "speech", None), ("", "sound", Box(0.0, 0.0, 0.5, 0.2))),
    size_px=(128, 96),
    proportions=0.75,
    seed=7,
    artist="test",
)
BOXES = (Box(0.05, 0.05, 0.4, 0.3), Box(0.0, 0.0, 0.5, 0.2))


def picture(shade: int = 120) -> Image.Image:
    return Image.new("L", (96, 128), shade)


def provenance(panel: str = "p01-1", recipe: Recipe = RECIPE) -> Provenance:
    return Provenance(panel=panel, recipe=recipe, dialog_boxes=BOXES, settings={"steps": 4})


def recaptioned(caption: str) -> Recipe:
    return msgspec.structs.replace(RECIPE, caption=caption)


def test_a_saved_picture_is_found_and_tells_how_it_was_made(tmp_path):
    gallery = Gallery(tmp_path / "panels")
    path = gallery.save(picture(), provenance())
    assert gallery.holds(RECIPE.key)
    assert read_provenance(path) == provenance()


def test_a_picture_can_be_understood_without_this_tool(tmp_path):
    path = Gallery(tmp_path).save(picture(), provenance())
    with Image.open(path) as image:
        assert image.info["Description"] == RECIPE.caption
        assert image.info["Seed"] == "7"
        assert image.info["Model"] == "test"
        assert "0.05" in image.info["Boxes"]


def test_the_same_picture_is_the_same_file_to_the_byte(tmp_path):
    first = Gallery(tmp_path / "a").save(picture(), provenance())
    second = Gallery(tmp_path / "b").save(picture(), provenance())
    assert first.read_bytes() == second.read_bytes()


@given(caption=st.text(max_size=30), seed=st.integers(0, 2**31 - 1))
def test_equal_recipes_and_only_they_have_the_same_key(caption, seed):
    changed = msgspec.structs.replace(RECIPE, caption=caption, seed=seed)
    assert (changed.key == RECIPE.key) == (changed == RECIPE)


def test_a_recipe_says_what_has_changed_since_another():
    assert recaptioned("Mika runs").changes_since(RECIPE) == ("caption",)
    assert RECIPE.changes_since(RECIPE) == ()


def test_a_recipe_read_back_from_a_picture_is_unchanged(tmp_path):
    told = read_provenance(Gallery(tmp_path).save(picture(), provenance()))
    assert told is not None
    assert RECIPE.changes_since(told.recipe) == ()
    assert told.recipe.key == RECIPE.key


@pytest.mark.parametrize("size", [0, 10, 100, -40, -14])
def test_a_picture_cut_short_is_damaged(tmp_path, size):
    gallery = Gallery(tmp_path)
    path = gallery.save(picture(), provenance())
    path.write_bytes(path.read_bytes()[:size])
    assert not gallery.holds(RECIPE.key)
    assert gallery.is_damaged(RECIPE.key)
    assert gallery.last("p01-1") is None


def test_a_picture_with_a_flipped_bit_is_damaged(tmp_path):
    gallery = Gallery(tmp_path)
    path = gallery.save(picture(), provenance())
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 6] ^= 1
    path.write_bytes(data)
    assert gallery.is_damaged(RECIPE.key)


def test_a_panels_last_picture_is_the_one_saved_or_remembered_last(tmp_path):
    gallery = Gallery(tmp_path)
    later = recaptioned("Mika runs")
    gallery.save(picture(), provenance())
    gallery.remember({})
    gallery.save(picture(), provenance(recipe=later))
    os.utime(tmp_path / "panels.json", (1000, 1000))
    os.utime(gallery.path(RECIPE.key), (900, 900))
    assert Gallery(tmp_path).last("p01-1") == later.key
    os.utime(gallery.path(later.key), (1100, 1100))
    gallery.remember({"p01-1": RECIPE.key})
    assert Gallery(tmp_path).last("p01-1") == RECIPE.key
    assert gallery.path(later.key).exists()


@pytest.mark.parametrize("damage", ["delete", "break"])
def test_the_index_is_made_again_from_the_pictures(tmp_path, damage):
    gallery = Gallery(tmp_path)
    gallery.save(picture(), provenance())
    gallery.save(picture(), provenance("p01-2", recaptioned("Mika runs")))
    gallery.remember({})
    index = tmp_path / "panels.json"
    index.unlink() if damage == "delete" else index.write_text("{")
    assert Gallery(tmp_path).last("p01-1") == RECIPE.key
    assert Gallery(tmp_path).last("p01-2") == recaptioned("Mika runs").key


def test_a_picture_saved_again_by_a_picture_editor_still_counts(tmp_path):
    gallery = Gallery(tmp_path)
    path = gallery.save(picture(), provenance())
    picture(30).save(path)
    assert gallery.holds(RECIPE.key)
    assert gallery.last("p01-1") == RECIPE.key
    assert read_provenance(path) is None


def test_a_file_in_the_place_of_the_folder_is_an_output_error(tmp_path):
    (tmp_path / "panels").write_text("in the way")
    with pytest.raises(OutputError, match="panels"):
        Gallery(tmp_path / "panels").save(picture(), provenance())
