"""The program for a GPU, with a tiny model and without one: its way through all cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.full_size import main

torch.set_num_threads(1)


class Program:
    """The program's files in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results.json"
        self.copy = folder / "copy" / "results.json"

    def run(self, *options: str) -> dict[str, Any]:
        files = ["--folder", str(self.folder), "--results", str(self.results)]
        main(["--tiny", *files, "--copies", str(self.copy), *options])
        assert self.copy.read_bytes() == self.results.read_bytes()
        return self.rows()

    def rows(self) -> dict[str, Any]:
        rows: dict[str, Any] = json.loads(self.results.read_text())
        return {name: row for name, row in rows.items() if not name.startswith("rates")}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_it_goes_on_with_what_is_missing_and_tries_failures_again(program: Program) -> None:
    first = program.run("--only", "draw")
    assert len(first) == 2
    row = first["draw 96x64 batch 2"]
    assert row["seconds_a_panel"] > 0
    assert set(row["seconds"]) >= {"captions", "pictures", "denoise", "decode"}
    changed = {
        **json.loads(program.results.read_text()),
        "draw 96x64 batch 1": {"error": "cut off when the time was up"},
        "draw 96x64 batch 2": {**row, "kept": True},
    }
    program.results.write_text(json.dumps(changed))
    second = program.run("--only", "draw")
    assert second["draw 96x64 batch 1"]["seconds_a_panel"] > 0
    assert second["draw 96x64 batch 2"] == {**row, "kept": True}


def test_nothing_is_begun_when_the_time_is_up(program: Program) -> None:
    assert program.run("--minutes", "0") == {}


def test_the_language_model_alone_is_measured(program: Program) -> None:
    rows = program.run("--only", "adapter")
    for name in ("adapter half", "adapter int8"):
        assert rows[name]["stepwise_1_s"] > rows[name]["one_pass_1_s"] > 0


@pytest.mark.slow
def test_all_modes_draw_all_phases(program: Program) -> None:
    rows = program.run("--only", "modes")
    assert len(rows) == 6
    for name, row in rows.items():
        assert "error" not in row, name
        assert row["seconds"]["adapt"] > 0
        assert row["mode"] == name.split()[1]
