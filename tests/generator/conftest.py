from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from golden_values import Golden
from published_checkpoint import write_published_checkpoint, write_published_mllm

from generator.pipeline import DiffSensei

# tiny tensors: a second thread only waits, for minutes on a machine that is busy
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def published_values() -> Golden:
    """What the published pipeline did with a tiny random model."""
    return Golden("pipeline")


@pytest.fixture(scope="session")
def published_folder(published_values: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That model's folder; not to be changed."""
    folder = tmp_path_factory.mktemp("published")
    write_published_checkpoint(published_values, folder)
    return folder


@pytest.fixture(scope="session")
def published_folder_with_mllm(
    published_values: Golden, published_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder with the language model adapter beside it; not to be changed."""
    folder = tmp_path_factory.mktemp("published") / "with-mllm"
    shutil.copytree(published_folder, folder)
    write_published_mllm(published_values, folder)
    return folder


@pytest.fixture
def mllm_folder(published_folder_with_mllm: Path, tmp_path: Path) -> Path:
    """A copy of the adapter's folder to damage."""
    return shutil.copytree(published_folder_with_mllm / "mllm", tmp_path / "mllm")


@pytest.fixture
def model_folder(published_folder: Path, tmp_path: Path) -> Path:
    """A copy of the folder to damage."""
    return shutil.copytree(published_folder, tmp_path / "model")


@pytest.fixture(scope="session")
def model(published_folder: Path) -> DiffSensei:
    """The tiny model, loaded."""
    return DiffSensei.load(published_folder, device="cpu")
