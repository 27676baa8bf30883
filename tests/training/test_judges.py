"""The judges of peeps: what they are taught is what they are asked."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from training.judge_networks import PanelJudge, figure_targets, hashed_words
from training.judges import JudgeData, roughened, train
from training.loop import LoopSettings
from training.metrics import count_boxes
from training.peeps_judges import JudgeLabels, PeepsJudges, figures_in


@pytest.fixture(scope="module")
def judges(small_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> PeepsJudges:
    """Return judges that were hardly trained."""
    return trained(small_cache, tmp_path_factory.mktemp("judges"), steps=2)


def trained(cache: Path, folder: Path, *, steps: int) -> PeepsJudges:
    settings = LoopSettings(steps=steps, learning_rate=3e-3, warmup=5)
    train(JudgeData(cache), settings, folder, batch=6, seed=0)
    return PeepsJudges(folder)


def test_the_targets_of_figures_are_found_again() -> None:
    boxes = [(0.1, 0.2, 0.4, 0.9), (0.55, 0.1, 0.95, 1.0)]
    target = figure_targets([boxes, []], (12, 12))
    found = figures_in(target.middles[0].numpy(), target.edges[0].numpy())
    assert np.allclose(np.sort(found, 0), np.sort(boxes, 0), atol=1e-6)
    assert figures_in(target.middles[1].numpy(), target.edges[1].numpy()) == []


def test_one_figure_is_found_once() -> None:
    middles, edges = np.zeros((6, 6), np.float32), np.zeros((6, 6, 4), np.float32)
    middles[2, 2], middles[2, 4] = 0.9, 0.8  # two middles, one box
    edges[2, 2], edges[2, 4] = (0.3, 0.3, 0.5, 0.5), (0.6, 0.3, 0.2, 0.5)
    assert len(figures_in(middles, edges)) == 1
    assert figures_in(np.full((6, 6), 0.2, np.float32), edges) == []


def test_any_caption_has_words_and_case_is_nothing() -> None:
    assert len(hashed_words("")) == 1
    assert torch.equal(hashed_words("A man, angry"), hashed_words("a MAN angry"))
    assert not torch.equal(hashed_words("left man"), hashed_words("man left"))


def test_panels_of_every_size_are_looked_at() -> None:
    for height, width in ((192, 192), (160, 224), (288, 128), (1024, 704)):
        seen = PanelJudge()(torch.zeros(1, 1, height, width))
        assert seen.middles.shape == (1, -(-height // 16), -(-width // 16))
        assert seen.edges.shape == (*seen.middles.shape, 4)


def test_roughened_pictures_keep_size_and_sense() -> None:
    pictures = np.zeros((2, 96, 64), np.uint8)
    pictures[:, :, 32:] = 255
    for seed in range(6):
        pixels = roughened(pictures, random.Random(seed))
        assert pixels.shape == (2, 1, 96, 64)
        assert pixels[..., :28].mean() < -0.6
        assert pixels[..., 36:].mean() > 0.6


def test_names_are_numbered_and_written_with_the_judges(
    small_cache: Path, judges: PeepsJudges
) -> None:
    shown = json.loads((small_cache / "references.json").read_text())
    labels = JudgeLabels.of(shown)
    assert judges.labels == labels
    assert labels.faces == ["CheersNM", "Rage", "Smile"]
    assert labels.numbers(shown[0]) == [labels.parts["hair"].index("hair 0"), 0, 0, 2]
    assert labels.sizes == {"hair": 14, "beard": 1, "accessory": 2, "face": 3}


def test_held_out_pages_are_left_alone(small_cache: Path) -> None:
    data = JudgeData(small_cache)
    assert sum(map(len, data.records.values())) == 9
    assert not any(row >= 9 for rows in data.people for row in rows)


def test_judges_answer_for_pictures_of_any_size(judges: PeepsJudges) -> None:
    pictures = [np.full((80, 60), gray, np.uint8) for gray in (0, 0, 90)]
    embedded = judges.identities(pictures)
    assert embedded.shape == (3, 128)
    assert np.allclose(embedded[0], embedded[1])
    assert judges.looks(pictures).shape == (3, 320)
    assert set(judges.expressions(pictures)) <= {"smiling", "shouting", "cheerful"}
    panels = [np.full(size, 255, np.uint8) for size in ((128, 288), (192, 192))]
    assert len(judges.figures(panels)) == 2
    assert judges.panels(panels).shape == judges.captions(["a man", ""]).shape == (2, 128)


@pytest.mark.slow
def test_judges_learn_where_figures_are(small_cache: Path, tmp_path: Path) -> None:
    judges = trained(small_cache, tmp_path, steps=80)
    panels = list(np.load(small_cache / "panels-128x288.npy"))
    records = json.loads((small_cache / "panels.json").read_text())
    asked = [[tuple(one["box"]) for one in record["characters"]] for record in records]
    counts = count_boxes(judges.figures(panels), asked)
    assert counts.f1 is not None
    assert counts.f1 > 0.5  # learnt from nine panels
