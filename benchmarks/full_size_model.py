"""The random models that full-size cases load, written once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.model_sizes import ModelSize
from benchmarks.random_model import random_mllm, write_random_model
from generator.devices import empty_cache, pick_dtype
from generator.mllm_checkpoint import save_mllm
from generator.settings import SETTINGS_FILE

BYTES_A_WEIGHT = 2
SPARE_SPACE = 1.1


@dataclass(frozen=True)
class Setting:
    """What all cases of one run share.

    Attributes:
        size: of the model.
        device: to compute on.
        folder: for the models.
        num_steps: of a picture.
        matrix_side: of the product that tells the arithmetic limit.
    """

    size: ModelSize
    device: torch.device
    folder: Path
    num_steps: int
    matrix_side: int

    @property
    def dtype(self) -> torch.dtype:
        """In which the model computes."""
        return pick_dtype(self.device)


def plain_model(setting: Setting) -> Path:
    """Return the folder of a model without a language model; write it if it is not there."""
    folder = setting.folder / "plain"
    if not (folder / SETTINGS_FILE).exists():  # written last
        write_random_model(
            setting.size, folder, setting.device, setting.dtype, num_steps=setting.num_steps
        )
        empty_cache(setting.device)
    return folder


def whole_model(setting: Setting) -> Path:
    """Return the folder of the same model with a language model; write what is not there.

    Raises:
        OSError: there is no space for it.
    """
    plain, folder = plain_model(setting), setting.folder / "whole"
    folder.mkdir(exist_ok=True)
    if not (folder / SETTINGS_FILE).exists():
        (folder / "image_generator").symlink_to((plain / "image_generator").absolute())
        shutil.copy(plain / SETTINGS_FILE, folder)
    if not (folder / "mllm").exists():
        _check_space(setting)
        unfinished = folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        save_mllm(random_mllm(setting.size, setting.device, setting.dtype), unfinished)
        unfinished.rename(folder / "mllm")
        empty_cache(setting.device)
    return folder


def _check_space(setting: Setting) -> None:
    llm = setting.size.llm
    layer = 4 * llm.width**2 + 3 * llm.width * llm.inner_width
    needed = SPARE_SPACE * BYTES_A_WEIGHT * llm.layers * layer
    if needed > (free := shutil.disk_usage(setting.folder).free):
        raise OSError(f"the language model needs {needed:.1e} bytes on disk, {free:.1e} are free")
