from pathlib import Path

import msgspec
import pytest

from storyboard.errors import LockedError, OutputError
from storyboard.workspace import Workspace, free_name, stem_of


@pytest.mark.parametrize("name", ["fox.yaml", "fox.plan.yaml", "fox.txt"])
def test_a_story_and_its_plan_share_one_work_folder(name):
    assert Workspace.beside(Path("tales") / name).folder == Path("tales/fox.storyboard")


def test_only_the_last_ending_is_taken_off_a_storys_name():
    assert stem_of(Path("fox.in.snow.yaml")) == "fox.in.snow"


def test_a_work_folder_is_held_by_one_at_a_time(tmp_path):
    first, second = (Workspace.beside(tmp_path / "fox.yaml") for _ in range(2))
    with first.held(), pytest.raises(LockedError), second.held():
        pass


def test_questions_to_the_model_are_logged_a_line_each(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.log_llm({"question": "who\nis there?"})
    workspace.log_llm({"question": "what?"})
    lines = (tmp_path / "llm.jsonl").read_text().splitlines()
    assert [msgspec.json.decode(line)["question"] for line in lines] == ["who\nis there?", "what?"]


def test_a_story_that_changed_after_planning_is_noticed(tmp_path):
    story, workspace = tmp_path / "fox.yaml", Workspace(tmp_path)
    story.write_text("one")
    assert workspace.is_planned_from(story)
    workspace.note_planned(story)
    story.write_text("two")
    assert not Workspace(tmp_path).is_planned_from(story)


def test_an_output_that_someone_edited_is_noticed(tmp_path):
    pdf, workspace = tmp_path / "fox.pdf", Workspace(tmp_path)
    assert workspace.is_as_written(pdf)
    pdf.write_text("theirs")
    assert not workspace.is_as_written(pdf)
    workspace.note_written(pdf)
    assert Workspace(tmp_path).is_as_written(pdf)


def test_outputs_of_one_name_in_two_folders_are_told_apart(tmp_path):
    workspace = Workspace(tmp_path / "fox.storyboard")
    workspace.folder.mkdir()
    one, other = tmp_path / "one" / "fox.cbz", tmp_path / "other" / "fox.cbz"
    for path in (one, other):
        path.parent.mkdir()
        path.write_text(path.parent.name)
        workspace.note_written(path)
    assert workspace.has_written(one)
    assert workspace.has_written(other)
    assert not workspace.has_written(tmp_path / "fox.cbz")


def test_outputs_are_known_again_in_a_folder_that_was_moved(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    (before / "fox.storyboard").mkdir()
    (before / "fox.pdf").write_text("ours")
    Workspace.beside(before / "fox.yaml").note_written(before / "fox.pdf")
    before.rename(after)
    assert Workspace.beside(after / "fox.yaml").has_written(after / "fox.pdf")


def test_a_backup_never_takes_the_name_of_another(tmp_path):
    plan = tmp_path / "fox.plan.yaml"
    assert free_name(plan, "before").name == "fox.before-1.plan.yaml"
    free_name(plan, "before").touch()
    assert free_name(plan, "before").name == "fox.before-2.plan.yaml"
    assert free_name(tmp_path / "fox.pdf", "before").name == "fox.before-1.pdf"


def test_a_file_in_the_place_of_the_work_folder_is_an_output_error(tmp_path):
    (tmp_path / "fox.storyboard").touch()
    with pytest.raises(OutputError), Workspace.beside(tmp_path / "fox.yaml").held():
        pass
