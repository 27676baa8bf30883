"""A story drawn through the command line from a model in the published layout, tiny and random."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from published_checkpoint import save_as
from safetensors.torch import load_file, save_file

from generator.checkpoint import load_checkpoint, save_checkpoint
from storyboard import cli
from storyboard.errors import ExitCode
from storyboard.gallery import read_provenance

PLAN = """\
format: storyboard-plan/1
title: The Fox
page: {width_mm: 90, height_mm: 120, bleed_mm: 3}
characters:
  - {name: Mika, images: [mika.png]}
pages:
  - panels:
      - id: p01-1
        caption: a man runs
        characters: [{name: Mika, acting: running}]
        dialogs: [{speaker: Mika, text: Hold still.}]
      - {id: p01-2, caption: a fox}
"""
UNET, RESAMPLER = "image_generator/unet", "image_generator/image_proj_model"


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as ended:
        cli.main.main(args=[str(arg) for arg in args], prog_name="storyboard")
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path / "models"))


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "tale" / "fox.plan.yaml"
    path.parent.mkdir()
    path.write_text(PLAN)
    Image.effect_noise((200, 240), 90).save(path.parent / "mika.png")
    return path


def small(folder: Path) -> Path:
    """Let a model draw small pictures only, in few steps."""
    settings = json.loads((folder / "settings.json").read_text())
    settings |= {"sizes": [[64, 64], [64, 96], [96, 64]], "num_inference_steps": 2}
    (folder / "settings.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def whole_folder(published_folder_with_mllm: Path, tmp_path: Path) -> Path:
    """A copy of the model with its language model, on the shelf under the name `tiny`."""
    return small(shutil.copytree(published_folder_with_mllm, tmp_path / "models" / "tiny"))


def as_published(folder: Path) -> None:
    """Leave it: U-Net and resampler as .bin, the rest as safetensors, old names."""


def without_mllm(folder: Path) -> None:
    shutil.rmtree(folder / "mllm")


def all_bin(folder: Path) -> None:
    save_as(folder, ".bin")


def new_names(folder: Path) -> None:
    """All as safetensors, under the names that transformers uses today."""
    components = load_checkpoint(folder)
    shutil.rmtree(folder / "image_generator")
    shutil.rmtree(folder / "mllm")
    save_checkpoint(components, folder)


def test_a_story_is_drawn_and_bound(
    whole_folder: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "render", plan, "--model", "tiny")
    assert (code, out.strip()) == (0, str(plan.with_name("fox.pdf"))), err
    assert plan.with_name("fox.pdf").read_bytes().startswith(b"%PDF-")
    code, _, err = run(capsys, "draw", plan, "--model", whole_folder)
    assert (code, "0 of 2 panels to draw" in err) == (0, True)


def test_all_forms_of_one_model_draw_the_same(
    whole_folder: Path, plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn, adapted = [], []
    for form in (as_published, all_bin, new_names, without_mllm):
        folder = shutil.copytree(whole_folder, tmp_path / form.__name__)
        form(folder)
        code, out, err = run(capsys, "draw", plan, "--model", folder, "--panels", "p01-1")
        assert code == 0, err
        found = read_provenance(Path(out.strip()))
        assert found is not None
        adapted.append(found.settings["mllm"])
        with Image.open(out.strip()) as picture:
            drawn.append(picture.tobytes())
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]
    assert adapted == ["float32", "float32", "float32", None]


def changed_weights(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    weights = torch.load(path) if path.suffix == ".bin" else load_file(path)
    change(weights)
    if path.suffix == ".bin":
        torch.save(weights, path)
    else:
        save_file(weights, path, {"format": "pt"})


def damages() -> Iterator[tuple[str, Callable[[Path], object], str]]:
    """Give each damage with the file it is done to, and what is told of it."""
    unet, agent = f"{UNET}/pytorch_model.bin", "mllm/agent/pytorch_model.bin"
    key = "conv_in.weight"
    for path, name in (
        (unet, key),
        (f"{RESAMPLER}/pytorch_model.bin", "latents"),
        ("image_generator/text_encoder/model.safetensors", "text_model.final_layer_norm.bias"),
        (agent, "input_resampler.query"),
    ):
        yield path, lambda file, name=name: changed_weights(file, lambda w: w.pop(name)), "missing"
    for path, name in (
        (unet, "down_blocks.9.extra"),
        (agent, "llm.base_model.model.q_proj.lora_C.weight"),
    ):
        extra = {name: torch.zeros(1)}
        yield (
            path,
            lambda file, extra=extra: changed_weights(file, lambda w: w.update(extra)),
            name.split(".")[-2],
        )
    for path in (unet, agent):
        yield path, lambda file: torch.save({"a": Path("x")}, file), "tensors"
        yield path, lambda file: torch.save({"a": "text"}, file), "named tensors"
    for path in (unet, agent, "image_generator/vae/diffusion_pytorch_model.safetensors"):
        yield path, lambda file: file.write_bytes(file.read_bytes()[:-200]), "damaged or cut short"
    yield "image_generator/vae/config.json", Path.unlink, "vae"
    yield "settings.json", lambda file: file.write_text('{"stpes": 3}'), "did you mean"


@pytest.mark.parametrize(("path", "damage", "told"), [*damages()])
def test_a_damaged_model_is_told_with_its_file_and_exit_code_4(
    path: str,
    damage: Callable[[Path], object],
    told: str,
    whole_folder: Path,
    plan: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(whole_folder / path)
    code, out, err = run(capsys, "draw", plan, "--model", "tiny")
    assert (code, out) == (ExitCode.MISSING, ""), err
    (line,) = [line for line in err.splitlines() if line.startswith("Error: ")]
    assert Path(path).parts[-2 if "config" in path else -1] in line
    assert told in line
    assert list(plan.parent.glob("**/*.png")) == [plan.parent / "mika.png"]


def test_a_scheduler_that_is_none_is_wrong_use(
    whole_folder: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "draw", plan, "--model", whole_folder, "--scheduler", "Eular")
    assert code == ExitCode.USAGE
    assert "Euler" in err


def test_options_change_the_picture_and_are_noted_in_it(
    whole_folder: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("draw", plan, "--model", whole_folder, "--panels", "p01-2")
    seen = {}
    for options in ((), ("--steps", "1"), ("--guidance", "0"), ("--scheduler", "DDIM")):
        code, out, err = run(capsys, *args, *options)
        assert code == 0, err
        found = read_provenance(Path(out.strip()))
        assert found is not None
        with Image.open(out.strip()) as picture:
            seen[picture.tobytes()] = found.settings
    told = list(seen.values())
    assert len(told) == 4
    assert told[1]["settings"]["num_inference_steps"] == 1
    assert told[2]["settings"]["guidance_scale"] == 0
    assert told[3]["scheduler"].startswith("DDIM")
    for options in (("--mode", "cpu"), ("--batch", "2"), ("--scheduler", "euler_discrete")):
        assert "0 of 1 panels to draw" in run(capsys, *args, *options)[2]


def test_a_dry_run_forecasts_each_phase_and_writes_nothing(
    whole_folder: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "render", plan, "--model", whole_folder, "--dry-run")
    assert code == 0, err
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["p01-1", "p01-2"]
    assert lines[2].startswith("mode cpu, ")
    assert [line.split()[0] for line in lines[3:]] == ["encode", "adapt", "denoise", "decode"]
    assert not plan.with_name("fox.storyboard").exists()


def test_a_prompt_that_is_too_long_is_told_once_for_all_panels(
    whole_folder: Path, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "a man runs over the hills and far away and then he runs back again. " * 3
    plan.write_text(plan.read_text().replace("a man runs", long).replace("a fox", long + "a fox"))
    code, _, err = run(capsys, "draw", plan, "--model", whole_folder)
    assert code == 0
    (note,) = [line for line in err.splitlines() if line.startswith("Note: ")]
    assert "of 2 panels, 2 prompts were longer than the model reads" in note
    assert "will not see" not in err
