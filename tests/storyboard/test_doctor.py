from __future__ import annotations

import getpass
import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from storyboard import doctor
from storyboard.doctor import Finding, examine, report
from storyboard.lock import locked


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and a folder with stories in it, both empty."""
    home = tmp_path / "homes" / "ada"
    (home / "stories").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    monkeypatch.setattr(platform, "node", lambda: "difference-engine")
    for name in ("STORYBOARD_MODELS", "STORYBOARD_LLM", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home / "stories"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the device: asking torch takes seconds."""
    monkeypatch.setattr(doctor, "_DEVICE_PROGRAM", 'print(\'["cpu", "cpu", 8000000000]\')')


def of(findings: tuple[Finding, ...], section: str) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings if finding.section == section}


@pytest.mark.slow
def test_the_device_and_its_free_memory_are_told(place: Path) -> None:
    found = of(examine(place), "device")
    assert "cpu" in found or len(found) == 2
    assert found["free memory"].text.endswith(("GB", "MB"))


@pytest.mark.usefixtures("quick")
def test_versions_models_and_fonts_are_told(place: Path) -> None:
    findings = examine(place)
    versions = of(findings, "versions")
    assert {"storyboard", "python", "torch", "diffusers", "transformers", "llama-cpp-python"} <= (
        versions.keys()
    )
    assert versions["python"].text.startswith(platform.python_version())
    assert "fingerprint" in of(findings, "models")["mini"].text
    assert of(findings, "fonts")
    assert [finding for finding in findings if finding.trouble] == []
    assert report(findings, as_json=False).endswith("\nnothing is wrong")


@pytest.mark.usefixtures("quick")
def test_no_name_of_person_or_machine_and_no_home_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORYBOARD_MODELS", str(place / "models"))
    monkeypatch.setenv("STORYBOARD_LLM", "/data/ada/difference-engine/llm.gguf")
    monkeypatch.setenv("HF_ENDPOINT", "https://ada:secret@mirror.example")
    (place / "storyboard.yaml").write_text("model: [\n")
    told = report(examine(place), as_json=False)
    assert "~/stories/models" in told
    assert "/data/<user>/<machine>/llm.gguf" in told
    assert "https://mirror.example" in told
    for secret in ("ada", "difference-engine", "secret", str(place.parent)):
        assert secret not in told


@pytest.mark.usefixtures("quick")
def test_what_is_wrong_has_a_word_beside_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORYBOARD_LLM", str(place / "gone.gguf"))
    monkeypatch.setattr(doctor, "NEEDED", ("no-such-package",))
    (place / "storyboard.yaml").write_text("stpes: 3\n")
    broken = place / "models" / "broken" / "image_generator" / "unet"
    broken.mkdir(parents=True)
    (broken / "model.safetensors").write_bytes(b"no weights")
    monkeypatch.setenv("STORYBOARD_MODELS", str(place / "models"))
    findings = examine(place)
    assert of(findings, "versions")["no-such-package"].trouble == "is not installed"
    assert "stpes" in of(findings, "configuration")[""].trouble
    assert "damaged" in of(findings, "models")["broken"].trouble
    assert "fingerprint" in of(findings, "models")["mini"].text
    assert of(findings, "environment")["STORYBOARD_LLM"].trouble == "is not there"
    assert report(findings, as_json=False).endswith("4 things are wrong, see <-")


@pytest.mark.usefixtures("quick")
def test_work_folders_are_told_with_damage_and_who_uses_them(place: Path) -> None:
    panels = place / "fox.storyboard" / "panels"
    panels.mkdir(parents=True)
    Image.new("L", (8, 8)).save(panels / "a.png")
    (panels / "b.png").write_bytes(b"\x89PNG")
    with locked(place / "fox.storyboard" / "lock"):
        found = of(examine(place), "work folders here")["fox.storyboard"]
    assert found.text.startswith("2 panels")
    assert "in use by process" in found.text
    assert found.trouble == "1 of them damaged; they are drawn again"
    assert "in use" not in of(examine(place), "work folders here")["fox.storyboard"].text


@pytest.mark.usefixtures("quick")
def test_offline_and_proxies_are_told_without_what_is_secret(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("https_proxy", "http://ada:secret@proxy")
    found = of(examine(place), "environment")
    assert found["offline"].text == "HF_HUB_OFFLINE=1"
    assert found["proxy"].text == "HTTPS_PROXY set"


@pytest.mark.parametrize(
    ("program", "trouble"),
    [
        ("raise SystemExit('no driver')", "cannot be used: no driver"),
        ("import os; os.abort()", "cannot be used"),
        ("import time; time.sleep(60)", "does not answer"),
    ],
)
def test_a_broken_device_is_a_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, program: str, trouble: str
) -> None:
    monkeypatch.setattr(doctor, "_DEVICE_PROGRAM", program)
    monkeypatch.setattr(doctor, "DEVICE_TIMEOUT_S", 1)
    assert trouble in of(examine(place), "device")["torch"].trouble


@pytest.mark.usefixtures("quick")
def test_a_part_that_breaks_is_a_line_and_hides_no_other(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(doctor, "count_pictures", breaks)
    (place / "fox.storyboard").mkdir()
    findings = examine(place)
    assert of(findings, "work folders")[""].trouble == "ZeroDivisionError: by zero"
    assert of(findings, "environment")


def test_the_command_gives_json_and_no_error(place: Path) -> None:
    program = (
        "from storyboard import doctor\n"
        "doctor._DEVICE_PROGRAM = 'raise SystemExit(3)'\n"
        "from storyboard.cli import main\n"
        "main(['doctor', '--json'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=True
    )
    findings = json.loads(done.stdout)
    assert {"section", "name", "text", "trouble"} == findings[0].keys()
    assert any("cannot be used" in finding["trouble"] for finding in findings)
