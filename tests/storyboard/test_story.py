from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from storyboard.errors import StoryError
from storyboard.story import (
    Character,
    PageSize,
    Scene,
    ScenePanel,
    Story,
    examine_story,
    read_story,
)
from storyboard.yamlfile import parse_yaml

CAST = "title: The Fox\ncharacters:\n  - name: Mika\n    aliases: [the girl]\n  - name: Old Bo\n"


def story_from(text: str) -> Story:
    story, problems = examine_story(parse_yaml(text, Path("story.yaml")), Path())
    assert problems == []
    return story


def problems_in(text: str) -> list[str]:
    _, problems = examine_story(parse_yaml(text, Path("story.yaml")), Path())
    return [str(problem).removeprefix("story.yaml") for problem in problems]


def test_every_field_of_a_story_is_read() -> None:
    assert story_from(
        "title: The Fox\nauthor: A. Writer\nlanguage: ja\nreading: rtl\npages: 4\nseed: 7\n"
        "page: {width_mm: 182, height_mm: 257.5}\nstyle: screentone\n"
        "characters:\n  - {name: Mika, aliases: [the girl], look: short hair}\n"
        "scenes:\n  - place: forest\n    text: A fox.\n    lines: [{Mika: Hm.}]\n"
        "  - panels:\n      - {caption: A fox, shot: wide, characters: [Mika], page_break: true}\n"
    ) == Story(
        title="The Fox",
        author="A. Writer",
        language="ja",
        reading="rtl",
        pages=4,
        seed=7,
        page=PageSize(182.0, 257.5),
        style="screentone",
        characters=(Character("Mika", ("the girl",), "short hair"),),
        scenes=(
            Scene("forest", "A fox.", ({"Mika": "Hm."},)),
            Scene(panels=(ScenePanel("A fox", "wide", ("Mika",), page_break=True),)),
        ),
    )


@pytest.mark.parametrize("text", ["No", "on", "12:30", "1e3", "~", "2024-01-01", "0x1F"])
def test_a_spoken_line_is_the_text_as_written(text: str) -> None:
    story = story_from(f"{CAST}scenes:\n  - lines:\n      - Mika: {text}\n")
    assert story.scenes[0].lines == ({"Mika": text},)


def test_a_field_left_empty_has_its_default() -> None:
    assert story_from("title: x\nauthor:\npages:\ncharacters:\nstory: x\n") == Story("x", story="x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("titel: x\nstory: x", ":1: titel: there is no field 'titel'; allowed: title, "),
        ("titel: x\nstory: x", "did you mean 'title'?"),
        ("story: x", ":1: title: title is missing; allowed: text"),
        ("title:\nstory: x", ":1: title: title is left empty"),
        ("title: ''\nstory: x", ":1: title: title is empty"),
        ("title: x\nstory: x\nlanguage: ' '", ":3: language: language is empty"),
        ("title: x\nstory: x\nreading: RTL", ":3: reading: 'RTL' is not known here; allowed: "),
        ("title: x\nstory: x\nreading: RTL", "did you mean 'rtl'?"),
        ("title: x\nstory: x\npage: b6", "did you mean 'b5'?"),
        ("title: x\nstory: x\npages: four", ":3: pages: 'four' is not what is needed here; allow"),
        ("title: x\nstory: x\npages: '4'", ":3: pages: the quoted text '4' is not what is needed"),
        ("title: x\nstory: x\npages: 1.5", ":3: pages: '1.5' is not what is needed here"),
        ("title: x\nstory: x\npages: 0", ":3: pages: 0 pages; allowed: 1 to 1000"),
        ("title: x\nstory: x\nseed: -1", ":3: seed: -1 is below 0"),
        ("title: x\nstory: x\nseed: 99999999999999999999", ":3: seed: '99999999999999999999' is"),
        ("title: x\nstory: x\npage: {width_mm: 0, height_mm: 100}", ":3: page.width_mm: 0 mm"),
        ("title: x\nstory: x\npage: {width_mm: .nan, height_mm: 1}", ":3: page.width_mm: '.nan'"),
        ("title: x\nstory: x\npage: {width_mm: 100}", ":3: page.height_mm: height_mm is missing"),
        ("title: x\nstory: x\ncharacters: Mika", ":3: characters: 'Mika' is not what is needed"),
        ("title: [x]\nstory: x", ":1: title: a list of 1 is not what is needed here; allowed: te"),
        ("title: x", ":1: there is nothing to tell; allowed: `story` or `scenes`"),
        ("title: x\nstory: x\nscenes: [{text: x}]", ":3: scenes: there are both prose and scenes"),
        ("title: x\nscenes: [{place: x}]", ":2: scenes[0]: nothing happens in this scene"),
        ("- a", ":1: a list of 1 is not what is needed here; allowed: a mapping with title, "),
        ('title: "a\\x07"\nstory: x', ":1: title: the text holds the control character U+0007"),
    ],
)
def test_a_mistake_is_told_with_line_path_and_what_is_allowed(text: str, expected: str) -> None:
    assert any(
        problem.startswith(expected) or problem.endswith(expected) for problem in problems_in(text)
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Mica: Hm.", "'Mica' is not in the cast; allowed: Mika, Old Bo; did you mean 'Mika'?"),
        ("mika: Hm.", "'mika' is not in the cast; allowed: Mika, Old Bo; did you mean 'Mika'?"),
        ("Bo: Hm.", "'Bo' is not in the cast; allowed: Mika, Old Bo; did you mean 'Old Bo'?"),
        ("Mika (shuot): Hm.", "'shuot' is no way to speak; allowed: speech, thought, shout, whis"),
        ("Mika: ''", "the line is empty"),
        ("Mika says hm", "'Mika says hm' is not what is needed here; allowed: one `Name: text`"),
        ("{Mika: Hm., narration: x}", "a line has one key, not 2; allowed: `Name: text`, `Name ("),
    ],
)
def test_a_mistaken_line_is_told(line: str, expected: str) -> None:
    (problem,) = problems_in(f"{CAST}scenes:\n  - lines:\n      - narration: x\n      - {line}\n")
    assert problem.startswith(f":9: scenes[0].lines[1]: {expected}")


def test_names_and_aliases_of_the_cast_may_speak() -> None:
    lines = "[{Mika: a}, {the girl: b}, {Old Bo (shout): c}, {narration: d}, {sound: e}]"
    assert problems_in(f"{CAST}scenes:\n  - lines: {lines}\n") == []


def test_every_mistake_is_told_at_once_in_the_order_of_the_file() -> None:
    told = problems_in(
        "titel: x\nreading: up\ncharacters:\n  - {name: Mika, imags: []}\n"
        "scenes:\n  - lines:\n      - Mica: a\n      - Mika (hum): b\n"
        "  - panels:\n      - shot: far\n"
    )
    assert [problem.split(": ")[1] for problem in told] == [
        "titel",
        "title",
        "reading",
        "characters[0].imags",
        "scenes[0].lines[0]",
        "scenes[0].lines[1]",
        "scenes[1].panels[0].caption",
        "scenes[1].panels[0].shot",
    ]


def test_a_cast_that_cannot_be_read_makes_no_speaker_unknown() -> None:
    text = "title: x\ncharacters:\n  - nme: Mika\nscenes:\n  - lines:\n      - Mika: a\n"
    assert [problem.split(": ")[1] for problem in problems_in(text)] == [
        "characters[0].nme",
        "characters[0].name",
    ]


@pytest.mark.parametrize(
    ("cast", "expected"),
    [
        ("[{name: Mika}, {name: MIKA}]", "the name 'MIKA' is already taken by 'Mika'"),
        ("[{name: Mika}, {name: Bo, aliases: [mika]}]", "the name 'mika' is already taken by"),
        ("[{name: Narration}]", "'Narration' cannot be a name"),
        ("[{name: Bo (old)}]", "'Bo (old)' cannot be a name in a line; allowed: a name without"),
        ("[{name: ' Bo'}]", "' Bo' cannot be a name in a line"),
        ("[{name: ''}]", "the name is empty"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(cast: str, expected: str) -> None:
    (problem,) = problems_in(f"title: x\nstory: x\ncharacters: {cast}\n")
    assert expected in problem


def test_a_panel_holds_no_more_than_can_be_drawn_and_nobody_twice() -> None:
    cast = "".join(f"  - name: C{number}\n" for number in range(5))
    lines = ", ".join(["{narration: x}"] * 9)
    text = (
        f"title: x\ncharacters:\n{cast}    aliases: [the last]\nscenes:\n  - panels:\n"
        "      - caption: x\n        characters: [C0, C1, C2, C4, the last]\n"
        f"        lines: [{lines}]\n"
    )
    assert problems_in(text) == [
        ":12: scenes[0].panels[0].characters: 5 characters are too many for a panel; "
        "allowed: up to 4",
        ":12: scenes[0].panels[0].characters[4]: 'C4' is in this panel twice; allowed: once",
        ":13: scenes[0].panels[0].lines: 9 lines are too many for a panel; allowed: up to 8",
    ]


def test_lines_beside_panels_are_refused_since_nobody_would_see_them() -> None:
    (problem,) = problems_in(
        "title: x\nscenes:\n  - panels: [{caption: x}]\n    lines: [{narration: x}]\n"
    )
    assert problem.startswith(":4: scenes[0].lines: a scene with panels has its lines inside them")


def test_reading_a_story_raises_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_text("titel: x\nseed: -1\n", encoding="utf-8")
    with pytest.raises(StoryError, match=r"story\.yaml has 4 problems") as caught:
        read_story(path)
    assert len(caught.value.problems) == 4
    assert all(problem.file == str(path) for problem in caught.value.problems)


def test_pictures_are_looked_for_beside_the_story(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_text("title: x\nstory: x\ncharacters: [{name: Mika, images: [cast/mika.png]}]\n")
    with pytest.raises(StoryError) as caught:
        read_story(path)
    assert "cast/mika.png': there is no such picture" in str(caught.value.problems[0])
    (tmp_path / "cast").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "cast" / "mika.png")
    assert read_story(path).characters[0].images == ("cast/mika.png",)


def test_the_nearest_picture_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "cast").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "cast" / "mika.png")
    path = tmp_path / "story.yaml"
    path.write_text("title: x\nstory: x\ncharacters: [{name: Mika, images: ['cast\\mica.png']}]\n")
    with pytest.raises(StoryError) as caught:
        read_story(path)
    assert caught.value.problems[0].nearest == "cast/mika.png"


@pytest.mark.parametrize("name", ["the-fox.txt", "the-fox.md"])
def test_a_synopsis_is_prose_with_a_title(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b'\xef\xbb\xbfThe Fox\r\n\r\nA fox ran.\r\n"Hm," it said.\r\n')
    assert read_story(path) == Story("The Fox", story='A fox ran.\n"Hm," it said.')


def test_a_synopsis_without_a_title_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "the-fox.txt"
    path.write_text("A fox ran.\n")
    assert read_story(path) == Story("The fox", story="A fox ran.")


@pytest.mark.parametrize(
    ("text", "line"), [("", 0), ("# Title\n\n", 0), ("A fox\n\nran \x07 far\n", 3)]
)
def test_a_synopsis_without_a_story_or_with_control_characters_is_refused(
    tmp_path: Path, text: str, line: int
) -> None:
    path = tmp_path / "story.txt"
    path.write_text(text)
    with pytest.raises(StoryError) as caught:
        read_story(path)
    assert caught.value.problems[0].line == line


KEYS = st.sampled_from(
    ["title", "story", "scenes", "characters", "name", "lines", "panels", "caption", "page", "Mika"]
)
TREES = st.recursive(
    st.sampled_from(["x", "''", "~", "4", "true", "[]", "{}", "'a'", "b5", "-1", "1e999", ".inf"]),
    lambda trees: st.one_of(
        st.lists(trees, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS, trees, max_size=4).map(
            lambda fields: "{" + ", ".join(f"{key}: {text}" for key, text in fields.items()) + "}"
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6))
def test_any_tree_is_a_story_or_a_list_of_problems(fields: dict[str, str]) -> None:
    text = "".join(f"{key}: {tree}\n" for key, tree in fields.items()) or "{}"
    story, problems = examine_story(parse_yaml(text, Path("story.yaml")), Path())
    assert isinstance(story, Story)
    assert all(problem.line >= 1 and problem.message for problem in problems)
    assert problems or story.title


@pytest.mark.parametrize(("safe", "is_wrong"), [(0, False), (25, False), (26, True), (-1, True)])
def test_text_is_kept_from_the_edge_by_up_to_a_quarter_of_the_page(
    safe: float, is_wrong: bool
) -> None:
    page = f"{{width_mm: 100, height_mm: 140, safe_mm: {safe}}}"
    problems = problems_in(f"title: x\nstory: x\npage: {page}\n")
    assert bool(problems) == is_wrong
    assert all("page.safe_mm" in problem and "0 to 25 mm" in problem for problem in problems)
