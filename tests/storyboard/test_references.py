from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path

import pytest
from PIL import Image, ImageFilter, ImageOps

from storyboard.cast import Character
from storyboard.problems import Problem
from storyboard.references import MAX_EDGE_SHARE, edge_share, num_figures, reference_warnings
from storyboard.yamlfile import parse_yaml
from training.data.peeps.build import random_identity
from training.data.peeps.figures import EXPRESSIONS, Figure, Identity, bodies, draw

STORIES = Path(__file__).resolve().parents[2] / "stories"
CASTS = sorted(STORIES.glob("*/cast/*.png"))
POSTURES = ("bust", "sitting", "standing")
FACES = list(EXPRESSIONS)


def person(identity: Identity, body: str, face: str = "Smile", height_px: int = 400) -> Image.Image:
    raster = draw(Figure(identity, face, body))
    ink = 255 - (255 - raster.ink.astype(int)) * raster.alpha // 255
    picture = Image.fromarray(ink.astype("uint8"))
    return picture.resize((round(picture.width * height_px / picture.height), height_px))


def of_cast(name: str) -> Image.Image:
    with Image.open(STORIES / "day-or-night" / "cast" / f"{name}.png") as picture:
        return picture.convert("L")


def people(count: int) -> list[Image.Image]:
    return [of_cast(name) for name in ("jun", "pia", "viktor")[:count]]


def blurred(picture: Image.Image, share: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(share * min(picture.size)))


def beside(left: Image.Image, right: Image.Image, gap_px: int) -> Image.Image:
    size = left.width + gap_px + right.width + 20, max(left.height, right.height) + 10
    both = Image.new("L", size, "white")
    both.paste(left, (10, size[1] - left.height))
    both.paste(right, (10 + left.width + gap_px, size[1] - right.height))
    return both


def warnings(
    folder: Path, pictures: dict[str, Image.Image], **options: object
) -> tuple[Problem, ...]:
    """Return what is said of a cast in which each character has one picture of its name."""
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    cast = tuple(Character(name, images=(f"{name}.png",)) for name in pictures)
    lines = [f"  - {{name: {name}, images: [{name}.png]}}\n" for name in pictures]
    document = parse_yaml("characters:\n" + "".join(lines), folder / "story.yaml")
    return reference_warnings(document, cast, folder, **options)


@pytest.mark.parametrize("story", sorted({path.parents[1] for path in CASTS}), ids=lambda p: p.name)
def test_the_casts_of_the_example_stories_raise_no_doubt(story: Path, tmp_path: Path) -> None:
    cast = {path.stem: Image.open(path) for path in CASTS if path.parents[1] == story}
    assert cast
    assert warnings(tmp_path, cast) == ()


@pytest.mark.slow
def test_drawn_people_raise_no_doubt(tmp_path: Path) -> None:
    rng = random.Random(0)
    cast = {
        f"p{number}": person(
            random_identity(rng), rng.choice(bodies(posture)), rng.choice(FACES), height_px=640
        )
        for number, posture in enumerate(POSTURES * 5)
    }
    assert [str(warning) for warning in warnings(tmp_path, cast)] == []


def test_a_warning_names_the_line_the_character_and_the_picture(tmp_path: Path) -> None:
    small = people(2)[1].resize((90, 120))
    (warning,) = warnings(tmp_path, {"Ann": people(1)[0], "Bo": small})
    assert (warning.line, warning.path) == (3, "characters[1].images[0]")
    assert warning.message == "Bo.png, for Bo: it is only 90 x 120 pixels"


@pytest.mark.parametrize("path", CASTS, ids=lambda path: path.stem)
def test_blurred_copies_of_the_casts_are_doubted(path: Path, tmp_path: Path) -> None:
    with Image.open(path) as picture:
        (warning,) = warnings(tmp_path, {"Ann": blurred(picture.convert("L"), 4 / 256)})
        assert "blurred or enlarged" in warning.message
        assert edge_share(blurred(picture.convert("L"), 1.5 / 256)) < MAX_EDGE_SHARE


def test_blur_is_told_from_grain() -> None:
    picture = people(1)[0]
    grain = Image.effect_noise(picture.size, 12)
    assert edge_share(Image.blend(picture, grain, 0.2)) < MAX_EDGE_SHARE
    assert edge_share(Image.blend(blurred(picture, 0.03), grain, 0.1)) > MAX_EDGE_SHARE


def test_a_picture_enlarged_from_a_thumbnail_is_doubted(tmp_path: Path) -> None:
    large = people(1)[0]
    thumbnail = ImageOps.contain(large, (24, 36))
    (warning,) = warnings(tmp_path, {"Ann": thumbnail.resize(large.size, Image.Resampling.BICUBIC)})
    assert "enlarged" in warning.message


@pytest.mark.parametrize("names", [*permutations(("jun", "pia", "viktor"), 2)], ids="-".join)
def test_two_people_apart_are_two(names: tuple[str, str]) -> None:
    one, two = (of_cast(name) for name in names)
    assert num_figures(beside(one, two, gap_px=30)) == 2
    assert num_figures(one) == num_figures(two) == 1
    assert num_figures(beside(one, two, gap_px=0)) == 1  # they touch: that cannot be told


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_two_drawn_people_apart_are_two(seed: int) -> None:
    rng = random.Random(seed)
    one, two = (
        person(random_identity(rng), rng.choice(bodies(rng.choice(POSTURES)))) for _ in range(2)
    )
    assert num_figures(beside(one, two, gap_px=40)) >= 2
    assert num_figures(one) == num_figures(two) == 1


def test_separate_figures_are_doubted_and_a_picture_before_a_background_is_not(
    tmp_path: Path,
) -> None:
    both = beside(*people(2), gap_px=60)
    (warning,) = warnings(tmp_path, {"Ann": both})
    assert "2 separate figures" in warning.message
    tree = both.copy()
    for left in range(0, both.width, 40):
        tree.paste(90, (left, 0, left + 12, both.height))
    assert num_figures(tree) == 1


def changed(picture: Image.Image, how: str) -> Image.Image:
    if how == "mirrored":
        return ImageOps.mirror(picture)
    if how == "smaller":
        return picture.resize((picture.width * 2 // 3, picture.height * 2 // 3))
    if how == "framed":
        return ImageOps.expand(picture, (30, 10, 5, 40), 255)
    return picture.point(lambda grey: 30 + grey * 8 // 10)


@pytest.mark.parametrize("how", ["mirrored", "smaller", "framed", "lighter"])
def test_a_copy_of_anothers_picture_is_doubted(how: str, tmp_path: Path) -> None:
    ann, cy = people(2)
    cast = {"Ann": ann, "Bo": changed(ann, how), "Cy": cy}
    (warning,) = warnings(tmp_path, cast)
    assert warning.message.startswith("Bo.png, for Bo: it is nearly the same picture as Ann.png")
    assert ("mirrored" in warning.message) == (how == "mirrored")


@pytest.mark.slow
def test_people_in_one_pose_are_told_apart_by_their_hair(tmp_path: Path) -> None:
    body = bodies("bust")[0]
    rng = random.Random(3)
    looks = {identity.hair: identity for identity in (random_identity(rng) for _ in range(6))}
    cast = {hair: person(identity, body) for hair, identity in looks.items()}
    assert warnings(tmp_path, cast) == ()


def test_several_pictures_of_one_character_may_be_alike(tmp_path: Path) -> None:
    picture = people(1)[0]
    picture.save(tmp_path / "ann.png")
    cast = (Character("Ann", images=("ann.png", "ann.png")),)
    document = parse_yaml("characters: []\n", tmp_path / "story.yaml")
    assert reference_warnings(document, cast, tmp_path) == ()


def test_a_tall_picture_is_doubted_where_the_model_looks_at_the_middle(tmp_path: Path) -> None:
    tall = {"Ann": ImageOps.expand(people(1)[0], (0, 0, 0, 200), 255)}
    assert warnings(tmp_path, tall) == ()
    (warning,) = warnings(tmp_path, tall, looks_at_middle=True)
    assert "the head is cut" in warning.message


def test_only_characters_that_are_asked_for_are_told_of(tmp_path: Path) -> None:
    tiny = {name: people(2)[number].resize((100, 120)) for number, name in enumerate(("Ann", "Bo"))}
    assert len(warnings(tmp_path, tiny)) == 2
    (warning,) = warnings(tmp_path, tiny, names={"Bo"})
    assert "for Bo" in warning.message


def test_a_picture_that_cannot_be_read_is_left_to_the_checks(tmp_path: Path) -> None:
    (tmp_path / "ann.png").write_bytes(b"no picture")
    cast = (Character("Ann", images=("ann.png", "gone.png")),)
    document = parse_yaml("characters: []\n", tmp_path / "story.yaml")
    assert reference_warnings(document, cast, tmp_path) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2)])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "P", "I;16"])
def test_odd_pictures_do_no_harm(size: tuple[int, int], mode: str, tmp_path: Path) -> None:
    Image.new(mode, size).save(tmp_path / "ann.png")
    cast = (Character("Ann", images=("ann.png",)), Character("Bo", images=("ann.png",)))
    document = parse_yaml("characters: []\n", tmp_path / "story.yaml")
    found = reference_warnings(document, cast, tmp_path)
    assert all("only" in warning.message or "same" in warning.message for warning in found)
