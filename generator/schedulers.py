"""Another way through the noise than the model folder's own, by diffusers' name for it."""

from __future__ import annotations

import copy
import difflib
import inspect
import json
from typing import Any

import diffusers

from generator.errors import OptionError

FEW_STEP_SCHEDULERS = ("LCMScheduler", "TCDScheduler")
SUFFIX = "Scheduler"


def make_scheduler(name: str, own: Any) -> Any:
    """Give the scheduler of that name, for the noise that the model was trained with.

    Args:
        name: diffusers' class name, `Scheduler` at its end optional, capitals as one likes. After
            a colon may follow options of that class, for example
            `EulerDiscrete:timestep_spacing=trailing,use_karras_sigmas=true`.
        own: the model folder's; noise levels, prediction type and whatever else both know are
            taken from it.

    Raises:
        OptionError: there is no such scheduler for this model, or it has no such option.
    """
    wanted, _, options = name.partition(":")
    cls = _named(wanted.strip(), own)
    try:
        return cls.from_config(own.config, **_options(cls, options))
    except (ImportError, ValueError, NotImplementedError) as error:
        raise OptionError(f"scheduler {name!r} cannot be made: {_one_line(error)}") from error


def check_steps(scheduler: Any, num_inference_steps: int) -> None:
    """Refuse numbers of steps that a scheduler cannot do.

    Raises:
        OptionError: names the scheduler and what it says.
    """
    try:
        copy.deepcopy(scheduler).set_timesteps(num_inference_steps)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise OptionError(
            f"{type(scheduler).__name__} cannot do {num_inference_steps} steps: {_one_line(error)}"
        ) from error


def scheduler_names(own: Any) -> list[str]:
    """Return the names of all schedulers that a model with this one can use."""
    fitting = {cls.__name__ for cls in own.compatibles if _knows_betas(cls)}
    return sorted(fitting.union(FEW_STEP_SCHEDULERS))


def _knows_betas(cls: Any) -> bool:
    """Tell whether a class can follow the noise of training; where its package lacks, assume so."""
    known = inspect.signature(cls).parameters
    return "beta_start" in known or "kwargs" in known


def _named(wanted: str, own: Any) -> Any:
    known = {_key(name): name for name in scheduler_names(own)}
    if _key(wanted) in known:
        return getattr(diffusers, known[_key(wanted)])
    near = difflib.get_close_matches(_key(wanted), known, n=3, cutoff=0.5) or list(known)
    raise OptionError(
        f"no scheduler {wanted!r} for this model; "
        f"{'nearest' if len(near) < len(known) else 'known'} are "
        f"{', '.join(known[key].removesuffix(SUFFIX) for key in near)}"
    )


def _key(name: str) -> str:
    return name.casefold().removesuffix(SUFFIX.casefold()).replace("_", "").replace("-", "")


def _options(cls: Any, text: str) -> dict[str, Any]:
    """Read `key=value,key=value`; numbers, true, false and null as in JSON, else words."""
    known = [name for name in inspect.signature(cls).parameters if name not in {"args", "kwargs"}]
    options: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or key not in known:
            raise OptionError(
                f"{cls.__name__} has no option {part!r}; expected key=value with one of the keys "
                f"{', '.join(known)}"
            )
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
