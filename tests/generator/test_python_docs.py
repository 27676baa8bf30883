"""The page of Python examples runs as it stands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from generator.pipeline import DiffSensei

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"
STORY = """\
title: The Fox
scenes:
  - panels:
      - caption: A fox in the snow
"""


@pytest.fixture
def place(
    published_folder_with_mllm: Path,
    model: DiffSensei,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A folder with all that the page names, at a tiny size."""
    shutil.copytree(published_folder_with_mllm, tmp_path / "models" / "diffsensei")
    for folder in ("cast", "styles"):
        (tmp_path / folder).mkdir()
    Image.effect_noise((200, 240), 90).save(tmp_path / "cast" / "mika.png")
    layers = (name for name, _ in model.components.unet.named_modules())
    layer = next(name for name in layers if name.endswith(".attn2.to_k"))
    rows, columns = model.components.unet.get_submodule(layer).weight.shape
    lora = {
        f"unet.{layer}.lora_A.weight": torch.zeros(2, columns),
        f"unet.{layer}.lora_B.weight": torch.zeros(rows, 2),
    }
    for name in ("few-steps", "ink"):
        save_file(lora, tmp_path / "styles" / f"{name}.safetensors")
    (tmp_path / "story.yaml").write_text(STORY)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("place")
def test_the_examples_run_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(examples) == 8
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102 - the page is ours
    told = capsys.readouterr().out
    assert "stopped after ['p01-1', 'p01-2']" in told
    assert "adapt " in told
    assert "models/nothing" in told
    assert Path("p01-2.png").is_file()
    assert not Path("p01-3.png").exists()
    assert Path("models/without-language-model/image_generator/unet").is_dir()
    assert names["pdf"] == Path("story.rough.pdf")
    assert Path("story.rough.pdf").is_file()
