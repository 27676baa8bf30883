"""The quick form of `make bench-generator`, all of it real but for its size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.generator import main
from benchmarks.model_sizes import TINY
from benchmarks.random_model import random_mllm, write_random_model
from benchmarks.render_memory import render
from generator.devices import CPU
from generator.mllm_checkpoint import save_mllm

torch.set_num_threads(1)


def test_the_quick_form_prints_ratios_and_warns_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--quick", "--only", "unet", "adapter", "--json", str(tmp_path / "bench.json")])
    printed = capsys.readouterr().out
    assert "ours / plain" in printed
    assert "published / one pass" in printed
    assert "NOT TO BE TRUSTED" in printed  # two rounds tell nothing
    written = json.loads((tmp_path / "bench.json").read_text())
    [steps], [adapter] = written["unet"], written["adapter"]
    assert steps["over_plain"]["median"] > 0
    assert steps["over_plain"]["is_trusted"] is False
    assert steps["difference"] < 1e-4
    assert adapter["difference"] < 1e-4
    assert adapter["over_published"]["median"] > 2


def test_a_render_tells_time_and_memory_of_each_phase(tmp_path: Path) -> None:
    write_random_model(TINY, tmp_path, CPU, torch.float32, num_steps=2)
    save_mllm(random_mllm(TINY, CPU, torch.float32), tmp_path / "mllm")
    phases = {row.name: row for row in render(tmp_path, 64, 2, 2)}
    assert set(phases) == {
        "load", "captions", "pictures", "adapt", "place", "denoise", "decode",
    }  # fmt: skip
    assert phases["denoise"].seconds > 0
    assert phases["adapt"].peak_mib > phases["load"].peak_mib  # the language model comes then
