"""What `storyboard check` does: everything wrong with a writer's file, before any work begins."""

from __future__ import annotations

from pathlib import Path

from storyboard.errors import StoryError
from storyboard.layout.templates import load_templates
from storyboard.lettering.checking import plan_lettering_problems, story_lettering_problems
from storyboard.plan import examine_plan
from storyboard.problems import Problem
from storyboard.story import examine_story, examine_synopsis
from storyboard.yamlfile import Document, Mapping, Scalar, Sequence, parse_yaml, read_text


def check_file(path: Path) -> list[Problem]:
    """Return everything wrong with a story, synopsis or plan, whichever the file holds.

    Raises:
        MissingError: there is no such file, or it may not be read.
    """
    if not _is_yaml(path):
        return check_story(path)
    try:
        document = parse_yaml(read_text(path), path)
    except StoryError as err:
        return list(err.problems)
    return _plan_problems(document, path) if is_plan(document) else _story_problems(document, path)


def check_story(path: Path) -> list[Problem]:
    """Return everything wrong with a story or synopsis, in the file's order.

    Raises:
        MissingError: there is no such file, or it may not be read.
    """
    try:
        text = read_text(path)
        if not _is_yaml(path):
            return examine_synopsis(text, path)[1]
        return _story_problems(parse_yaml(text, path), path)
    except StoryError as err:
        return list(err.problems)


def check_plan(path: Path) -> list[Problem]:
    """Return everything wrong with a plan, in the file's order.

    Raises:
        MissingError: there is no such file, or it may not be read.
    """
    try:
        return _plan_problems(parse_yaml(read_text(path), path), path)
    except StoryError as err:
        return list(err.problems)


def is_plan(document: Document) -> bool:
    """Return whether a YAML file means to be a plan: it names the format, or lists pages."""
    if not isinstance(document.root, Mapping):
        return False
    stated = document.root.entries.get("format")
    if isinstance(stated, Scalar) and "plan" in stated.text:
        return True
    return isinstance(document.root.entries.get("pages"), Sequence)


def _is_yaml(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml")


def _story_problems(document: Document, path: Path) -> list[Problem]:
    story, problems = examine_story(document, path.parent)
    return _in_order(problems, story_lettering_problems(story, document, path.parent))


def _plan_problems(document: Document, path: Path) -> list[Problem]:
    templates = frozenset(template.name for template in load_templates())
    plan, problems = examine_plan(document, folder=path.parent, templates=templates)
    return _in_order(problems, plan_lettering_problems(plan, document, path.parent))


def _in_order(problems: list[Problem], others: list[Problem]) -> list[Problem]:
    """Return the problems in the file's order, what is wrong at a place already told once."""
    told = {(problem.line, problem.path) for problem in problems}
    new = [problem for problem in others if (problem.line, problem.path) not in told]
    return sorted([*problems, *new], key=lambda problem: problem.line)
