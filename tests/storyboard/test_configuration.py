import pytest

from storyboard.configuration import Configuration, read_configuration, user_file
from storyboard.errors import StoryError


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
    assert (str(found.model), found.steps) == ("/models/other", 30)


def test_paths_are_relative_to_the_file_that_names_them(tmp_path, home):
    home.write_text("llm: gemma.gguf\n")
    assert read_configuration(tmp_path).llm == home.parent / "gemma.gguf"


def test_an_unknown_key_is_refused_with_the_nearest_known(tmp_path):
    (tmp_path / "storyboard.yaml").write_text("modle: weights\n")
    with pytest.raises(StoryError) as refused:
        read_configuration(tmp_path)
    assert refused.value.problems[0].nearest == "model"


@pytest.mark.parametrize("steps", ["0", "1001", "many"])
def test_a_number_of_steps_that_cannot_be_drawn_is_refused(tmp_path, steps):
    (tmp_path / "storyboard.yaml").write_text(f"steps: {steps}\n")
    with pytest.raises(StoryError):
        read_configuration(tmp_path)
