from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.loop import LoopSettings, MatrixMuon, Training

SETTINGS = LoopSettings(steps=30, learning_rate=0.3, warmup=5, log_every=10)


def run(folder: Path, stop_after: int | None = None) -> nn.Linear:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    training = Training({"model": model}, SETTINGS, folder)

    def loss_of(step: int) -> dict[str, Tensor]:
        if step == stop_after:
            training.save()
            raise KeyboardInterrupt
        inputs = torch.randn(8, 3)
        return {"loss": (model(inputs) - inputs.sum(1, keepdim=True)).square().mean()}

    training.run(loss_of)
    return model


def test_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", stop_after=17)
    resumed = run(tmp_path / "stopped")
    assert torch.equal(whole.weight, resumed.weight)
    saved = [
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "stopped")
    ]
    assert torch.equal(saved[0]["average"]["model.weight"], saved[1]["average"]["model.weight"])


def test_the_log_shows_the_loss_falling(tmp_path: Path) -> None:
    run(tmp_path)
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [10, 20, 30]
    assert records[-1]["loss"] < records[0]["loss"] / 5


def test_the_rate_climbs_stays_and_falls_to_nothing() -> None:
    settings = LoopSettings(steps=100, learning_rate=1.0, warmup=10, decay_share=0.2)
    assert settings.rate(0) == pytest.approx(0.1)
    assert settings.rate(50) == 1.0
    assert settings.rate(90) == pytest.approx(0.5)
    assert settings.rate(99) == pytest.approx(0.05)


def test_a_convolution_is_trained_as_a_matrix_however_it_lies_in_memory() -> None:
    torch.manual_seed(0)
    first = nn.Conv2d(4, 8, 3)
    last = copy.deepcopy(first).to(memory_format=torch.channels_last)
    start = first.weight.detach().clone()
    images = torch.randn(2, 4, 6, 6)
    for convolution in (first, last):
        optimizer = MatrixMuon([convolution.weight], lr=0.1)
        convolution(images).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        assert convolution.weight.grad is None
    assert not torch.allclose(first.weight, start, atol=1e-2)
    # the same up to the order of the columns, which bfloat16 sums differently
    torch.testing.assert_close(first.weight, last.weight, atol=2e-3, rtol=0)
