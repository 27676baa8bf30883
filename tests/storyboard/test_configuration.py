import pytest

from storyboard.configuration import Configuration, read_configuration, user_file
from storyboard.errors import StoryError
from storyboard.options import LoraChoice


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    user_file().parent.mkdir(parents=True)
    return user_file()


def test_without_files_everything_is_left_to_the_tool(tmp_path):
    assert read_configuration(tmp_path) == Configuration()


def test_the_storys_folder_goes_before_the_writers_own_file(tmp_path, home):
    home.write_text("model: weights\nsteps: 30\n")
    (tmp_path / "storyboard.yaml").write_text("model: /models/other\n")
    found = read_configuration(tmp_path)
    assert (found.model, found.options.steps) == ("/models/other", 30)


def test_each_option_is_taken_from_the_nearest_file_that_has_it(tmp_path, home):
    home.write_text("steps: 30\nmode: lean\nloras: [ink.safetensors:0.5]\n")
    (tmp_path / "storyboard.yaml").write_text(
        "steps: 8\nguidance: 0\nscheduler: LCM\nbatch: 2\nloras: [fast.safetensors]\n"
    )
    options = read_configuration(tmp_path).options
    assert (options.steps, options.guidance, options.scheduler) == (8, 0.0, "LCM")
    assert (options.mode, options.batch) == ("lean", 2)
    assert options.loras == (LoraChoice(tmp_path / "fast.safetensors"),)


def test_a_model_is_a_name_unless_there_is_such_a_folder_beside_the_file(tmp_path, home):
    home.write_text("model: ink\nmodels: shelf\n")
    found = read_configuration(tmp_path)
    assert (found.model, found.models) == ("ink", home.parent / "shelf")
    (home.parent / "ink").mkdir()
    assert read_configuration(tmp_path).model == str(home.parent / "ink")
    home.write_text("model: some/where\n")
    assert read_configuration(tmp_path).model == str(home.parent / "some/where")


def test_paths_are_relative_to_the_file_that_names_them(tmp_path, home):
    home.write_text("llm: gemma.gguf\n")
    assert read_configuration(tmp_path).llm == home.parent / "gemma.gguf"


def test_an_unknown_key_is_refused_with_the_nearest_known(tmp_path):
    (tmp_path / "storyboard.yaml").write_text("modell: weights\n")
    with pytest.raises(StoryError) as refused:
        read_configuration(tmp_path)
    assert refused.value.problems[0].nearest == "model"


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("steps: 0", "steps"),
        ("steps: 1001", "steps"),
        ("steps: many", "steps"),
        ("batch: 0", "batch"),
        ("guidance: -1", "guidance"),
        ("mode: quick", "mode"),
        ("loras: [ink.safetensors:99]", "loras[0]"),
    ],
)
def test_what_cannot_be_drawn_with_is_refused(tmp_path, entry, path):
    (tmp_path / "storyboard.yaml").write_text(entry + "\n")
    with pytest.raises(StoryError) as refused:
        read_configuration(tmp_path)
    (problem,) = refused.value.problems
    assert problem.path == path
    assert problem.allowed
