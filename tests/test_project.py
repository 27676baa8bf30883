"""What the project promises beyond its packages: its commands, its layers, its files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "numpy", "PIL", "rich", "reportlab", "llama_cpp", "uharfbuzz", "generator")
TEXT_SUFFIXES = {".md", ".py", ".toml", ".yaml", ".txt", ".cjs", ".json", ""}
# Split so that this file does not name what it looks for.
PLACES_OF_ONE_MACHINE = re.compile(rb"(?<![\w.])/(?:wo" rb"rk|ro" rb"ot|ho" rb"me|Us" rb"ers)/\w")


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def project_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a checkout, so what belongs to the project cannot be told")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            yield ROOT / name


def help_in_a_new_interpreter() -> subprocess.CompletedProcess[str]:
    """Run `storyboard --help` and print, last, the names of the modules it loaded."""
    program = (
        "import sys\n"
        "from storyboard.cli import main\n"
        "sys.argv = ['storyboard', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    print(*sys.modules)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )


def test_help_loads_no_heavy_module() -> None:
    loaded = set(help_in_a_new_interpreter().stdout.splitlines()[-1].split())
    assert "storyboard.cli" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_every_make_target_that_a_document_names_exists() -> None:
    named = {
        (document.name, target)
        for document in documents()
        for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", document.read_text("utf-8"), re.M)
    }
    assert ("README.md", "demo") in named
    assert {target for _, target in named} <= make_targets()


def test_ci_calls_targets_that_exist() -> None:
    called = re.findall(r"^make (\w+)$", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)
    assert called
    assert set(called) <= make_targets()


def test_every_storyboard_command_and_option_in_the_readme_exists() -> None:
    from storyboard.cli import main

    text = (ROOT / "README.md").read_text("utf-8")
    shown = [
        line.split()
        for line in re.findall(r"(?:`|^ {4})storyboard ([a-z][^`\n]*)", text, re.MULTILINE)
    ]
    assert shown
    for command, *words in shown:
        known = {option for part in main.commands[command].params for option in part.opts}
        assert {word for word in words if word.startswith("--")} <= known, command


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents()
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text("utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []


def test_every_dependency_has_its_reason_written_down() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(name for extra in extras for name in extra)]
    reasons = (ROOT / "docs/dependencies.md").read_text("utf-8")
    names = {re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in wanted}
    missing = {name for name in names if not re.search(rf"\b{re.escape(name)}\b", reasons)}
    assert missing - {project["name"]} == set()


def test_no_file_names_a_place_on_one_machine() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in project_files()
        if path.suffix in TEXT_SUFFIXES and PLACES_OF_ONE_MACHINE.search(path.read_bytes())
    ]
    assert found == []
