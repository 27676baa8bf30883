import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from storyboard import cli, cli_drawing, cli_models
from storyboard.errors import ExitCode, MissingError, StoryError
from storyboard.options import MODES, DrawingOptions, LoraChoice
from storyboard.problems import Problem

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"
HEAVY = (
    "torch",
    "numpy",
    "PIL",
    "rich",
    "reportlab",
    "uharfbuzz",
    "pypdfium2",
    "llama_cpp",
    "generator",
    "yaml",
    "msgspec",
)
COMMANDS = [
    (),
    *((name,) for name in sorted(cli.main.commands)),
    *(("models", name) for name in sorted(cli_models.models.commands)),
]


def run(*args: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as ended:
        cli.main.main(args=list(args), prog_name="storyboard")
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out, told.err


def test_help_is_quick_because_it_loads_nothing_heavy():
    code = (
        "import sys; from storyboard.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Turn a story into a finished manga book" in done.stdout
    assert done.stderr.split() == []


def test_help_takes_less_than_a_third_of_a_second():
    before = os.times()
    subprocess.run([sys.executable, "-m", "storyboard", "--help"], capture_output=True, check=True)
    after = os.times()
    user_s = after.children_user - before.children_user
    assert user_s + after.children_system - before.children_system < 0.3


@pytest.mark.parametrize("command", COMMANDS)
def test_the_documentation_holds_the_help_of_every_command(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run(*command, "--help", capsys=capsys)
    assert f"```\n{out.strip()}\n```" in DOCS.read_text()


def test_the_documentation_names_every_exit_code():
    named = re.findall(r"^\| (\d+) \|", DOCS.read_text(), flags=re.MULTILINE)
    assert sorted(map(int, named)) == sorted(ExitCode)


def test_a_known_error_is_a_line_and_a_hint(monkeypatch, capsys):
    def fail(*_: object) -> None:
        raise MissingError("there is no model", hint="name one")

    monkeypatch.setattr("storyboard.render.check", fail)
    code, out, err = run("check", "fox.yaml", capsys=capsys)
    assert (code, out) == (ExitCode.MISSING, "")
    assert err == "Error: there is no model\nHint: name one\n"


def test_every_problem_of_a_story_has_a_line(monkeypatch, capsys):
    problems = [Problem("fox.yaml", line, "title", "is odd") for line in (3, 5)]

    def fail(*_: object) -> None:
        raise StoryError("fox.yaml has 2 problems", problems=problems)

    monkeypatch.setattr("storyboard.render.check", fail)
    code, _, err = run("check", "fox.yaml", capsys=capsys)
    assert code == ExitCode.STORY
    assert [line for line in err.splitlines() if "fox.yaml:" in line] == [
        "  fox.yaml:3: title: is odd",
        "  fox.yaml:5: title: is odd",
    ]


@pytest.mark.parametrize("wanted", [False, True])
def test_a_bug_is_one_line_that_says_how_to_see_more(monkeypatch, capsys, wanted):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("storyboard.render.check", fail)
    monkeypatch.setenv("STORYBOARD_TRACEBACK", "1" if wanted else "")
    code, _, err = run("check", "fox.yaml", capsys=capsys)
    assert code == ExitCode.BUG
    assert "Error: this is a bug in storyboard: ZeroDivisionError: by zero" in err
    assert "STORYBOARD_TRACEBACK=1" in err
    assert ("Traceback" in err) == wanted


def test_ctrl_c_says_that_nothing_is_lost(monkeypatch, capsys):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("storyboard.render.check", interrupt)
    code, _, err = run("check", "fox.yaml", capsys=capsys)
    assert code == ExitCode.INTERRUPTED
    assert "The same command goes on where it stopped." in err


@pytest.mark.parametrize("args", [["nonsense"], ["render"], ["render", "fox.yaml", "--ruogh"]])
def test_wrong_use_is_told_with_exit_code_2(args, capsys):
    code, out, err = run(*args, capsys=capsys)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "Error:" in err


def test_a_reader_that_goes_away_is_no_error_to_talk_about():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "storyboard", "schema", "plan"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (ExitCode.OUTPUT, "")


def test_the_modes_are_those_that_the_options_know():
    assert cli_drawing.MODES == MODES


def test_options_for_drawing_reach_the_work(monkeypatch, capsys):
    works = []
    monkeypatch.setattr("storyboard.render.render", lambda work, _: works.append(work))
    options = ["--steps", "8", "--guidance", "1", "--scheduler", "LCM", "--mode", "lean"]
    options += ["--lora", "ink.safetensors:0.5", "--lora", "fast.safetensors", "--batch", "2"]
    code, _, err = run("render", "fox.yaml", "--model", "diffsensei", *options, capsys=capsys)
    assert (code, err) == (0, "")
    loras = (LoraChoice(Path("ink.safetensors"), 0.5), LoraChoice(Path("fast.safetensors")))
    assert works[0].options == DrawingOptions(8, 1.0, "LCM", loras, "lean", 2)
    assert works[0].model == "diffsensei"


@pytest.mark.parametrize(
    "option",
    [
        ("--steps", "0"),
        ("--mode", "quick"),
        ("--batch", "65"),
        ("--lora", "ink:99"),
        ("--lora", ""),
    ],
)
def test_an_option_that_cannot_be_meant_is_wrong_use(option, capsys):
    code, _, err = run("draw", "fox.yaml", *option, capsys=capsys)
    assert code == ExitCode.USAGE
    assert "Error" in err


def test_a_model_that_is_not_there_is_told_with_the_command_that_fetches_it(
    capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "fox.txt").write_text("The Fox\n\nA fox ran.")
    code, out, err = run(
        "render", str(tmp_path / "fox.txt"), "--model", "diffsensei", capsys=capsys
    )
    assert (code, out) == (ExitCode.MISSING, "")
    assert "`storyboard models pull diffsensei` fetches it (71.1 GB)" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fox.txt"]


@pytest.mark.parametrize(
    ("answer", "code"), [("n\n", ExitCode.DONE), ("", ExitCode.USAGE), ("y\n", ExitCode.USAGE)]
)
def test_nothing_is_fetched_before_a_yes(answer, code, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # a yes would be refused for this
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    ended, out, err = run("models", "pull", "diffsensei", capsys=capsys)
    assert (ended, out) == (code, "")
    assert "71.1 GB" in err
    assert ("HF_HUB_OFFLINE" in err) == (answer == "y\n")
    assert ("--yes" in err) == (answer == "")
    assert not (tmp_path / "models").exists()


def test_a_yes_beforehand_asks_nothing(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, _, err = run("models", "pull", "diffsensei", "--yes", capsys=capsys)
    assert code == ExitCode.USAGE
    assert "Fetch it?" not in err


def test_models_are_listed_on_stdout(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path / "models"))
    code, out, err = run("models", "list", capsys=capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["mini", "diffsensei"]
    assert str(tmp_path / "models") in err
