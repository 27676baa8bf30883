from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from diffusers import UNet2DConditionModel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from generator.components import Components
from generator.conditioning import Conditioning, encode
from generator.denoising import denoise, denoise_unchecked, panel_noise
from generator.errors import OptionError
from generator.pipeline import DiffSensei
from generator.request import CharacterRequest, PanelRequest
from generator.schedulers import make_scheduler, scheduler_names
from generator.unet import add_characters

PANEL = PanelRequest(
    id="p01-1",
    caption="a man runs",
    height_px=64,
    width_px=64,
    seed=3,
    characters=(CharacterRequest((), (0.1, 0.1, 0.6, 0.9)),),
    dialog_boxes=((0.6, 0.0, 1.0, 0.4),),
)
NEVER_WAIT = [
    "DDIM",
    "DEISMultistep",
    "DPMSolverMultistep",
    "DPMSolverSinglestep",
    "EulerDiscrete",
    "HeunDiscrete",
    "KDPM2Discrete",
    "PNDM:skip_prk_steps=true",
]
COPY_NOISE = ["DDPM", "EulerAncestralDiscrete", "KDPM2AncestralDiscrete", "LCM", "TCD"]
COPY_A_FEW_NUMBERS = ["UniPCMultistep"]
NEED_A_PACKAGE = ["DPMSolverSDE", "LMSDiscrete"]
ONE_LEVEL = {
    "block_out_channels": (16,),
    "down_block_types": ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",),
    "attention_head_dim": 2,
    "transformer_layers_per_block": 1,
}
METHODS_THAT_WAIT = {"_local_scalar_dense", "nonzero", "_linalg_check_errors", "item", "is_nonzero"}


class _Copies(TorchFunctionMode):
    """Notes numbers that go from Python to the device."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.tensor and torch.device(kwargs.get("device") or "cpu").type == "meta":
            self.waits.append("tensor")
        return func(*args, **kwargs)


class _Calls(TorchDispatchMode):
    """Notes what reads from the device, decides by what lies there, or copies to it."""

    def __init__(self, waits: list[str]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        inputs = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        is_of_device = any(one.device.type == "meta" for one in inputs)
        if name in METHODS_THAT_WAIT and is_of_device:
            self.waits.append(name)
        result = func(*args, **kwargs)
        outputs = [one for one in tree_leaves(result) if isinstance(one, torch.Tensor)]
        if name in {"_to_copy", "copy_"}:
            kinds = {one.device.type for one in (*inputs, *outputs)}
            if len(kinds) > 1:
                self.waits.append(name)
        return result


@contextmanager
def noted_waits() -> Iterator[list[str]]:
    waits: list[str] = []
    with _Copies(waits), _Calls(waits):
        yield waits


# some of the schedulers hand torch's numbers to numpy in an old way
pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")


@pytest.fixture(scope="module")
def without_content(model: DiffSensei) -> tuple[Components, list[Conditioning]]:
    """The tiny model on a device that computes nothing: reading a number from it is an error."""
    [encoded] = encode([PANEL], model.components)
    config = {**model.components.unet.config, **ONE_LEVEL}
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config).eval()
        adapter = add_characters(unet)
    settings = msgspec.structs.replace(model.settings, num_inference_steps=3)
    components = replace(model.components, unet=unet, adapter=adapter, settings=settings)
    return components, [encoded]


def waits_in_the_loop(
    name: str, without_content: tuple[Components, list[Conditioning]]
) -> list[str]:
    components, conditionings = without_content
    components = replace(components, scheduler=make_scheduler(name, components.scheduler))
    seen: list[int] = []

    with noted_waits() as waits, torch.no_grad():

        def start(*_: object) -> None:
            if not seen:
                waits.clear()
            seen.append(1)

        hook = components.unet.register_forward_pre_hook(start)
        try:
            latents = denoise_unchecked(
                [PANEL], conditionings, components, noise=panel_noise([PANEL])
            )
        finally:
            hook.remove()
        found = list(waits)
    assert latents.device.type == "meta"
    assert len(seen) >= components.settings.num_inference_steps
    return found


@pytest.mark.parametrize("name", NEVER_WAIT)
def test_the_denoising_loop_never_waits_for_the_device(
    name: str, without_content: tuple[Components, list[Conditioning]]
) -> None:
    assert waits_in_the_loop(name, without_content) == []


@pytest.mark.parametrize("name", COPY_NOISE)
def test_schedulers_that_add_noise_copy_it_once_a_step(
    name: str, without_content: tuple[Components, list[Conditioning]]
) -> None:
    waits = waits_in_the_loop(name, without_content)
    assert set(waits) == {"_to_copy"}
    assert len(waits) <= without_content[0].settings.num_inference_steps * 2


@pytest.mark.parametrize("name", COPY_A_FEW_NUMBERS)
def test_schedulers_that_wait_are_known(
    name: str, without_content: tuple[Components, list[Conditioning]]
) -> None:
    assert waits_in_the_loop(name, without_content)


def test_every_scheduler_is_known_to_wait_or_not(model: DiffSensei) -> None:
    known = [*NEVER_WAIT, *COPY_NOISE, *COPY_A_FEW_NUMBERS, *NEED_A_PACKAGE]
    names = {f"{name.partition(':')[0]}Scheduler" for name in known}
    assert set(scheduler_names(model.components.scheduler)) == names


@pytest.mark.parametrize("name", ["DDIM", "EulerAncestralDiscrete", "LCM", "dpmsolvermultistep"])
def test_another_scheduler_draws_other_latents_from_the_same_noise(
    name: str, model: DiffSensei
) -> None:
    conditionings = encode([PANEL], model.components)
    scheduler = make_scheduler(name, model.components.scheduler)
    components = replace(model.components, scheduler=scheduler)
    own, other, again = (
        denoise([PANEL], conditionings, one, noise=panel_noise([PANEL]))
        for one in (model.components, components, components)
    )
    assert not torch.equal(own, other)
    assert torch.equal(other, again)


def test_the_noise_that_a_model_was_trained_with_stays(model: DiffSensei) -> None:
    own = model.components.scheduler
    other = make_scheduler("DDIM", own)
    for name in ("beta_start", "beta_end", "beta_schedule", "prediction_type"):
        assert other.config[name] == own.config[name]


def test_options_follow_the_name(model: DiffSensei) -> None:
    scheduler = make_scheduler(
        "EulerDiscrete:timestep_spacing=trailing, use_karras_sigmas=true",
        model.components.scheduler,
    )
    assert scheduler.config.timestep_spacing == "trailing"
    assert scheduler.config.use_karras_sigmas is True


def test_steps_that_a_scheduler_cannot_do_are_refused(published_folder: Path) -> None:
    with pytest.raises(OptionError, match="PNDMScheduler cannot do 2 steps"):
        DiffSensei.load(published_folder, device="cpu", scheduler="PNDM", steps=2)


def test_steps_and_guidance_can_be_chosen_on_loading(published_folder: Path) -> None:
    model = DiffSensei.load(published_folder, device="cpu", steps=2, guidance_scale=1.0)
    assert (model.settings.num_inference_steps, model.settings.guidance_scale) == (2, 1.0)
    with pytest.raises(OptionError, match="num_inference_steps"):
        DiffSensei.load(published_folder, device="cpu", steps=0)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("EulerDiscret", "'EulerDiscret'.*nearest are EulerDiscrete"),
        ("x", "known are DDIM, .*UniPCMultistep"),
        ("DDIM:steps=3", "DDIMScheduler has no option 'steps=3'.*timestep_spacing"),
        ("EulerDiscrete:timestep_spacing", "expected key=value"),
    ],
)
def test_what_there_is_not_is_refused(name: str, problem: str, model: DiffSensei) -> None:
    with pytest.raises(OptionError, match=problem):
        make_scheduler(name, model.components.scheduler)
