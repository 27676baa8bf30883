"""Scores of panels whose answer is known, and the command from a model to a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.settings import DrawSettings
from training.balloons import find_balloons
from training.evaluate import all_scores, main
from training.held_out import Panels, choose_panels, claim_folder, read_pictures, with_changes
from training.metrics import Box, Features
from training.scoring import Judges, Picture, Scores, character_scores, cut_out, score, words_of


def thumbnails(pictures: Sequence[Picture]) -> Features:
    """Return each picture's pixels at 8 x 8, black as 1: an encoder whose answers are plain."""
    small = [Image.fromarray(picture).resize((8, 8), Image.Resampling.BOX) for picture in pictures]
    return np.stack([1 - np.asarray(picture, float).ravel() / 255 for picture in small])


def grays(pictures: Sequence[Picture]) -> Features:
    """Return cosine and sine of each picture's middle gray: people are known by it."""
    angles = np.array([np.median(picture) for picture in pictures]) / 255 * np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def dark_blocks(pictures: Sequence[Picture]) -> list[list[Box]]:
    """Return the box of all that is darker than a balloon's inside, left of the balloons."""
    found: list[list[Box]] = []
    for picture in pictures:
        rows, columns = np.nonzero(picture[:, :140] < 250)
        height, width = picture.shape
        found.append(
            [(columns.min() / width, rows.min() / height, (columns.max() + 1) / width,
              (rows.max() + 1) / height)] if len(rows) else []
        )  # fmt: skip
    return found


def smiles(pictures: Sequence[Picture]) -> list[str]:
    return ["smiling"] * len(pictures)


JUDGES = Judges(
    panels=thumbnails, fid=thumbnails, characters=thumbnails, identities=grays,
    clip=thumbnails, captions=lambda captions: np.ones((len(captions), 64)), expressions=smiles,
    dialogs=lambda pictures: [find_balloons(picture) for picture in pictures],
    figures=dark_blocks,
)  # fmt: skip


@pytest.fixture(scope="module")
def panels(small_cache: Path) -> Panels:
    return choose_panels(small_cache, 30, seed=0)


@pytest.fixture(scope="module")
def of_data(panels: Panels) -> Scores:
    return score(panels.asked.target, panels.asked, JUDGES, seed=0)


def test_the_datas_own_panels_are_perfect(panels: Panels, of_data: Scores) -> None:
    asked, scores = panels.asked, of_data
    assert scores["fid"].value == pytest.approx(0, abs=1e-6)
    for name in ("dino_i", "dino_c", "dialog_f1", "people_on_stage", "people_counted",
                 "figure_in_box", "identity_of_ten"):  # fmt: skip
        assert scores[name].value == pytest.approx(1), name
    assert scores["copy_paste"].value == pytest.approx(0, abs=1e-6)
    assert scores["dialog_f1"].count == sum(map(len, asked.dialogs))
    assert scores["identity_of_ten"].count == len(asked.people) == 30


def test_blank_panels_have_nobody_and_no_balloon(panels: Panels) -> None:
    blank = [np.full_like(panel, 255) for panel in panels.asked.target]
    scores = score(blank, panels.asked, JUDGES, seed=0)
    assert scores["dialog_f1"].value == 0
    assert scores["people_counted"].value == 0
    assert scores["people_on_stage"].value == pytest.approx(np.exp(-1))
    assert scores["figure_in_box"].value == 0
    assert scores["identity_of_ten"].value < 0.5
    assert scores["fid"].value > 0.1


def test_panels_of_others_are_of_the_wrong_people(panels: Panels) -> None:
    asked = panels.asked
    people = {person.panel: person.identity for person in asked.people}
    # the panel of the next person, so that nobody is where it was asked for
    order = sorted(people, key=lambda number: people[number])
    others = {
        number: next(other for other in (*order[place:], *order) if people[other] != people[number])
        for place, number in enumerate(order)
    }
    crops = [
        cut_out(asked.target[others[person.panel]], asked.people[others[person.panel]].box)
        for person in asked.people
    ]
    assert [person.panel for person in asked.people] == list(range(30))
    assert character_scores(crops, asked, JUDGES, seed=0)["identity_of_ten"].value < 0.2


def test_the_given_pictures_are_copies(panels: Panels) -> None:
    copies = [person.given for person in panels.asked.people]
    scores = character_scores(copies, panels.asked, JUDGES, seed=0)
    assert scores["copy_paste"].value == pytest.approx(1, abs=1e-6)
    assert scores["dino_c_given"].value == pytest.approx(1)
    assert scores["dino_c"].value < 0.999
    assert scores["identity_of_ten"].value == 1


def test_a_smile_is_right_where_the_caption_may_mean_one(panels: Panels, of_data: Scores) -> None:
    asked, scores = panels.asked, of_data
    smiling = [person for person in asked.people if "smiling" in person.words]
    assert scores["expression"].value == pytest.approx(len(smiling) / len(asked.people))
    near = [person for person in asked.people if person.is_near]
    assert scores["expression_near"].count == len(near)


def test_a_word_means_every_face_that_it_is_used_for() -> None:
    assert words_of("Smile", "medium shot, Ada, happy") == {"smiling", "cheerful"}
    assert words_of("Smile", "medium shot, Ada, pleased, in a room") == {"smiling"}
    assert words_of("Rage", "Ada, happy; Tom on the right, yelling") == {"shouting"}
    assert words_of("VeryAngry", "Ada, very angry") == {"furious"}
    assert words_of("Smile", "medium shot, Ada") == frozenset()


def test_without_judges_only_what_needs_none_is_measured(panels: Panels) -> None:
    assert score(panels.asked.target, panels.asked, Judges(), seed=0) == {}


def test_a_cut_out_is_never_empty() -> None:
    panel = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert cut_out(panel, (0.2, 0.3, 0.5, 0.9)).shape == (6, 3)
    assert cut_out(panel, (1.0, 1.0, 1.0, 1.0)).shape == (1, 1)


def test_more_panels_are_the_same_and_some_more(small_cache: Path) -> None:
    few, many = (choose_panels(small_cache, count, seed=0) for count in (5, 12))
    assert [request.caption for request in few.requests] == [
        request.caption for request in many.requests[:5]
    ]
    assert [request.seed for request in few.requests] == [
        request.seed for request in many.requests[:5]
    ]
    assert few.asked.people[0].given.tobytes() == many.asked.people[0].given.tobytes()
    other = choose_panels(small_cache, 12, seed=1)
    assert [one.seed for one in other.requests] != [one.seed for one in many.requests]


def test_only_held_out_panels_are_asked_for(small_cache: Path) -> None:
    panels = choose_panels(small_cache, 33, seed=0)
    assert all(person.identity[0] not in ("hair 0", "hair 1", "hair 2")
               for person in panels.asked.people)  # fmt: skip
    assert panels.others == []
    with pytest.raises(ValueError, match="33 held-out panels fit, 34 were asked for"):
        choose_panels(small_cache, 34, seed=0)


def test_nobody_is_given_the_panels_own_picture(panels: Panels) -> None:
    for person in panels.asked.people:
        own = cut_out(panels.asked.target[person.panel], person.box)
        resized = np.asarray(Image.fromarray(own).resize((96, 96)))
        assert not np.array_equal(person.given, resized)


def test_settings_are_changed_by_name() -> None:
    settings = with_changes(DrawSettings(), ["guidance_scale=2", "negative_prompt=no hats"])
    assert (settings.guidance_scale, settings.negative_prompt) == (2, "no hats")
    with pytest.raises(ValueError, match="did you mean 'character_scale'"):
        with_changes(DrawSettings(), ["charater_scale=1"])
    with pytest.raises(ValueError, match=r"character_scale=7: .*<= 1"):
        with_changes(DrawSettings(), ["character_scale=7"])


def test_pictures_of_another_origin_are_not_mixed_in(tmp_path: Path) -> None:
    claim_folder(tmp_path / "a", {"model": "1", "seed": 0})
    claim_folder(tmp_path / "a", {"model": "1", "seed": 0})
    with pytest.raises(ValueError, match="pictures of another model and seed"):
        claim_folder(tmp_path / "a", {"model": "2", "seed": 1})


def test_the_drawn_the_data_and_the_copies_are_scored_beside_each_other(panels: Panels) -> None:
    judges = replace(JUDGES, dialogs=None)
    scores = all_scores(panels.asked.target, panels, judges, seed=0)
    assert set(scores) == {"drawn", "data", "copied"}
    assert "dino_i" not in scores["data"]
    assert scores["copied"]["copy_paste"].value == pytest.approx(1, abs=1e-6)


def test_the_command_draws_scores_and_goes_on_where_it_stopped(
    small_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*words: str) -> None:
        monkeypatch.setattr(
            sys, "argv",
            ["evaluate", "--cache", str(small_cache), "--output", str(tmp_path / "out"),
             "--judges", "none", *words],
        )  # fmt: skip
        main()

    quick = ["--set", "num_inference_steps=1", "guidance_scale=1"]
    run("--count", "1", *quick)
    shown = capsys.readouterr()
    assert "drawing panels 1 to 1 of 1" in shown.err
    assert "dialog F1" in shown.out
    assert "not measured" in shown.out
    report = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert report["count"] == 1
    assert report["settings"]["num_inference_steps"] == 1
    assert report["judges"] == {"dialogs": "training.balloons"}
    kept = tmp_path / "out" / "00000.png"
    stamp, [first] = kept.stat().st_mtime_ns, read_pictures(tmp_path / "out", 1)
    run("--count", "2", *quick)
    assert "drawing panels 1 to 1 of 1" in capsys.readouterr().err
    assert kept.stat().st_mtime_ns == stamp
    assert np.array_equal(read_pictures(tmp_path / "out", 2)[0], first)
    with pytest.raises(SystemExit, match="were asked for"):
        run("--count", "999")
    with pytest.raises(SystemExit, match="no judges there"):
        run("--judges", str(tmp_path))
    with pytest.raises(SystemExit, match="nothing is downloaded"):
        run("--dino", "facebook/dinov2-small")
