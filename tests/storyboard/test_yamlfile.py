from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import MissingError, StoryError
from storyboard.yamlfile import (
    MAX_BYTES,
    MAX_DEPTH,
    Document,
    Mapping,
    Scalar,
    dotted,
    parse_yaml,
    read_text,
    read_yaml,
)

FILE = Path("story.yaml")


def only_problem(text: str) -> str:
    with pytest.raises(StoryError) as caught:
        parse_yaml(text, FILE)
    (problem,) = caught.value.problems
    return str(problem)


def check_that_it_reads_or_says_why(read: Callable[[], Document]) -> None:
    try:
        read()
    except StoryError as err:
        problems = err.problems
    else:
        return
    assert problems


def scalar(document: Document, name: str) -> Scalar:
    assert isinstance(document.root, Mapping)
    node = document.root.entries[name]
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize("text", ["No", "12:30", "2024-01-01", "1_000", "0x1F", "~", "null"])
def test_plain_text_is_kept_as_it_was_written(text: str) -> None:
    assert scalar(parse_yaml(f"a: {text}", FILE), "a") == Scalar(text, 1, plain=True)


def test_quoted_text_is_known_to_be_quoted() -> None:
    assert not scalar(parse_yaml("a: '4'", FILE), "a").plain
    assert not scalar(parse_yaml("a: !!str 4", FILE), "a").plain


def test_every_path_has_its_line() -> None:
    document = parse_yaml("a: 1\nb:\n  - c: 2\n    d: [3,\n      4]\n", FILE)
    assert document.line_of(()) == 1
    assert document.line_of(("b", 0, "c")) == 3
    assert document.line_of(("b", 0, "d", 1)) == 5
    assert document.line_of(("b", 0, "missing")) == 3


def test_an_alias_stands_for_what_it_names() -> None:
    assert scalar(parse_yaml("a: &x hello\nb: *x\n", FILE), "b").text == "hello"


def test_a_name_given_twice_is_a_problem_with_both_lines() -> None:
    (problem,) = parse_yaml("a:\n  - b: 1\n    c: 2\n    b: 3\n", FILE).duplicates
    assert str(problem) == "story.yaml:4: a[0].b: 'b' is given twice, first in line 2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "story.yaml: the file is empty"),
        ("# nothing\n", "story.yaml: the file is empty"),
        ("a: 1\nb:\n\tc: 2\n", "story.yaml:3: broken YAML: .* (use spaces, not tabs)"),
        ("a: b: c", "story.yaml:1: broken YAML: .* (put quotes around"),
        ('a: 1\nb: "never closed\n\n\n', "story.yaml:2: broken YAML: .* never closed)"),
        ("a: 1\nb: @x", "story.yaml:2: broken YAML: .* begins with @"),
        ("a: 1\n---\nb: 2", "story.yaml:2: a second document starts here"),
        ("a: *x", "story.yaml:1: the alias *x stands for nothing before it"),
        ("a: &x [*x]", "story.yaml:1: the alias *x stands for nothing before it"),
        ("? [a]\n: b", "story.yaml:1: a name is a list or a mapping"),
        ("a: !!python/name:os.system", "story.yaml:1: the tag 'tag:yaml.org,2002:python"),
        ("a: 1\nb: \x07", "story.yaml:2: the control character U+0007 is not allowed"),
        ("a: \ud800", "story.yaml:1: the control character U+D800 is not allowed"),
    ],
)
def test_what_cannot_be_read_is_told_once_with_its_line(text: str, expected: str) -> None:
    start, _, end = expected.partition(" .* ")
    told = only_problem(text)
    assert told.startswith(start)
    assert end in told


ALIAS_BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TEXT_BOMB = f"a: &a {'x' * 100_000}\nb: [{','.join(['*a'] * 10_000)}]"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        "{a: " * 10_000,
        "- " * 10_000,
        "? " * 10_000,
        "&a " * 10_000,
        ": " * 10_000,
        f"[{'a,' * 300_000}]",
        ALIAS_BOMB,
        TEXT_BOMB,
    ],
    ids=["[", "{", "-", "?", "&", ":", "values", "alias bomb", "text bomb"],
)
def test_no_text_takes_long_or_ends_in_a_traceback(text: str) -> None:
    started = time.process_time()
    only_problem(text)
    assert time.process_time() - started < 10


def test_nesting_is_allowed_up_to_the_limit() -> None:
    parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, FILE)
    assert "levels deep" in only_problem("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=200))
def test_any_text_is_a_tree_or_a_story_error(text: str) -> None:
    check_that_it_reads_or_says_why(lambda: parse_yaml(text, FILE))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!|>?'\"#%@`, \n\t", max_size=60))
def test_any_punctuation_is_a_tree_or_a_story_error(text: str) -> None:
    check_that_it_reads_or_says_why(lambda: parse_yaml(text, FILE))


def test_a_byte_order_mark_and_carriage_returns_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n")
    assert scalar(read_yaml(path), "b").text == "x\ny\n"


def test_a_file_of_50_megabytes_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(StoryError) as caught:
        read_text(path)
    assert f"larger than {MAX_BYTES // 1_000_000} MB" in str(caught.value.problems[0])


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_bytes("a: x\nb: café\n".encode("latin-1"))
    with pytest.raises(StoryError) as caught:
        read_text(path)
    assert "story.yaml:2: this is not UTF-8 text; allowed: save it as UTF-8" in str(
        caught.value.problems[0]
    )


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes_are_a_text_or_a_story_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(data)
    check_that_it_reads_or_says_why(lambda: read_yaml(path))


def test_a_missing_file_and_a_folder_are_missing_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no file"):
        read_text(tmp_path / "story.yaml")
    with pytest.raises(MissingError, match="is not a file"):
        read_text(tmp_path)


def test_a_path_is_told_in_one_printable_line() -> None:
    assert dotted(("pages", 0, "shot")) == "pages[0].shot"
    assert dotted(("a\x1b[31m\n", "b" * 5000)).isprintable()
    assert len(dotted(("b" * 5000,))) < 100
