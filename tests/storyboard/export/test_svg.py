from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy
import pytest
import resvg_py
from fontTools.ttLib import TTFont
from foxbook import PLAN, export, write_plan
from PIL import Image

from storyboard import render as chain
from storyboard.book.raster import page_pictures
from storyboard.lettering.fonts import FONTS_FOLDER
from storyboard.progress import SilentProgress
from storyboard.render import Work

SVG = "{http://www.w3.org/2000/svg}"
LAYER = "{http://www.inkscape.org/namespaces/inkscape}label"
DPI = 144


@pytest.fixture(scope="module")
def svg(out: Path) -> ElementTree.Element:
    return ElementTree.parse(out / "fox.rough-001.svg").getroot()


def rendered(path: Path, size: tuple[int, int]) -> Image.Image:
    """The page as a renderer draws it that has the fonts, as an editor's user would."""
    fonts = [str(font) for font in sorted(FONTS_FOLDER.glob("*.ttf"))]
    text = re.sub(r"<style>.*?</style>", "", path.read_text("utf-8"), flags=re.DOTALL)
    png = resvg_py.svg_to_bytes(svg_string=text, dpi=DPI, font_files=fonts, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png))).convert("L").resize(size)


def test_its_size_is_that_of_the_page_with_its_bleed(svg: ElementTree.Element) -> None:
    assert (svg.get("width"), svg.get("height")) == ("96mm", "126mm")
    assert svg.get("viewBox") == "-3 -3 96 126"


def test_groups_are_layers(svg: ElementTree.Element) -> None:
    labels = [group.get(LAYER) for group in svg if group.get(LAYER)]
    assert labels == ["Panels", "Balloons", "Text"]


def test_panels_say_what_they_show(svg: ElementTree.Element) -> None:
    (panels,) = (group for group in svg if group.get(LAYER) == "Panels")
    titles = [title.text for title in panels.iter(f"{SVG}title")]
    assert titles[0] == 'Mika kneels & looks at "the trap"'
    assert len(titles) == 3
    assert len(list(panels.iter(f"{SVG}image"))) == 3


def test_text_is_text_in_lines_and_capitals_have_their_own_letters(
    svg: ElementTree.Element,
) -> None:
    (texts,) = (group for group in svg if group.get(LAYER) == "Text")
    first, second, _ = texts
    words = " ".join("".join(line.itertext()) for line in first.iter(f"{SVG}text"))
    assert words == "HOLD STILL <NOW> & WAIT."
    words = " ".join("".join(line.itertext()) for line in second.iter(f"{SVG}text"))
    assert words == "THAT WAS THE FIRST WINTER."  # not FlRST, which is how its I is drawn
    assert [first[0].text, second[0].text] == [
        "Mika: Hold still <now> & wait.",
        "That was the first winter.",
    ]


def test_fonts_are_inside_with_the_letters_an_edit_may_need(svg: ElementTree.Element) -> None:
    (style,) = svg.iter(f"{SVG}style")
    fonts = re.findall(r"font-family: '(.*?)'.*?base64,(.*?)\)", style.text or "")
    assert {family for family, _ in fonts} == {"Comic Neue", "Bangers"}
    for _, data in fonts:
        with TTFont(io.BytesIO(base64.b64decode(data))) as font:
            assert {ord(letter) for letter in "AZazé“…"} <= set(font.getBestCmap())


def test_live_text_lies_where_the_page_has_its_letters(tmp_path: Path) -> None:
    # without the letter I, whose bars only live text has
    text = PLAN.replace("still <now> & wait", "on <now> & run")
    plan = write_plan(tmp_path, text.replace("first winter", "coldest year"))
    pdf = chain.render(Work(plan, rough=True), SilentProgress())
    paths = export(plan, "svg", dpi=DPI)
    page = next(page_pictures(pdf, dpi=DPI, trimmed=False))
    drawn = rendered(paths[0], page.size)
    apart = abs(numpy.asarray(page, dtype=int) - numpy.asarray(drawn, dtype=int)) > 128
    assert apart.mean() < 0.001


def test_columns_run_down_with_their_readings_beside_them(japanese: Path) -> None:
    root = ElementTree.parse(japanese / "fox.rough-001.svg").getroot()
    (group,) = (each for each in root.iter(f"{SVG}g") if each.get("id") == "text-p01-1.b1")
    lines = {"".join(line.itertext()): line for line in group.iter(f"{SVG}text")}
    reading, cell = lines.pop("かんじ"), lines.pop("12")
    assert reading.get("writing-mode") == "vertical-rl"
    assert cell.get("writing-mode") is None
    base = next(line for words, line in lines.items() if words.startswith("漢"))
    assert base.get("writing-mode") == "vertical-rl"
    assert float(reading.attrib["x"]) > float(base.attrib["x"])
    assert float(reading.attrib["font-size"]) == pytest.approx(
        float(base.attrib["font-size"]) / 2, abs=0.01
    )
