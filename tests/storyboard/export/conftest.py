from __future__ import annotations

from pathlib import Path

import pytest
from foxbook import FORMS, JAPANESE, PLAN, export, write_plan

from storyboard import render as chain
from storyboard.progress import SilentProgress
from storyboard.render import Work


@pytest.fixture(scope="session")
def tale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rough book `fox.rough` in every form, at 72 dots per inch."""
    plan = write_plan(tmp_path_factory.mktemp("tale"))
    chain.render(Work(plan, rough=True), SilentProgress())
    export(plan, FORMS)
    return plan.parent


@pytest.fixture(scope="session")
def out(tale: Path) -> Path:
    """The folder of the exports."""
    return tale / "out"


@pytest.fixture(scope="session")
def japanese(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the exports of a book in Japanese, `fox.rough.epub` and `fox.rough-001.svg`."""
    text = PLAN.replace("language: en", "language: ja").partition("  - chapter:")[0]
    text = text.replace("Hold still <now> & wait.", f'"{JAPANESE}"')
    plan = write_plan(tmp_path_factory.mktemp("japanese"), text)
    export(plan, "epub,svg", dpi=36)
    return plan.parent / "out"
