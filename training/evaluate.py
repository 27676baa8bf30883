"""Draws held-out panels with a model and scores them.

    python -m training.evaluate --model generator/mini --count 256

draws held-out panels of a cache, each from its caption, boxes and another picture of each
character, keeps the pictures in the output folder, prints a table and writes `scores.json` there.
Started again it draws only what is missing, so that `--count` may grow; the same seed asks for the
same panels. Beside the drawn panels' scores stand those of the data's own panels (what the judges
can tell at all) and those of the given pictures in the characters' place (what mere copying would
get). `docs/evaluation.md` says what each score means.

The judges of peeps come from `python -m training.judges`. For other data name encoders and
detectors, each a folder or a name in the local model cache; nothing is downloaded:

    python -m training.evaluate --clip DIR --dino DIR --fid DIR --magi DIR ...
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from generator.errors import GeneratorError
from generator.pipeline import DiffSensei
from training.balloons import find_balloons
from training.held_out import (
    Panels,
    changed,
    choose_panels,
    claim_folder,
    draw_missing,
    origin_of,
    read_pictures,
)
from training.metrics import frechet_distance
from training.peeps_judges import LABELS_FILE, PeepsJudges
from training.pretrained import (
    DIALOG_LABELS,
    FIGURE_LABELS,
    MagiDetector,
    PretrainedClip,
    PretrainedDetector,
    PretrainedEncoder,
)
from training.scoring import Judges, Picture, Score, Scores, character_scores, score

DEFAULT_JUDGES, NO_JUDGES = "runs/judges", "none"

LABELS: dict[str, tuple[str, str]] = {
    "fid": ("FID", "lower is better"),
    "clip": ("CLIP", "panel and caption agree"),
    "dino_i": ("DINO-I", "panel like the data's"),
    "dino_c": ("DINO-C", "characters like the data's"),
    "dialog_f1": ("dialog F1", "blank where lettering will lie"),
    "people_on_stage": ("OCCM / 100", "number of people"),
    "people_counted": ("people counted", "panels with the right number"),
    "figure_in_box": ("figure in box", "boxes with IoU of at least 0.5"),
    "identity_of_ten": ("identity of ten", "picked by a judge, chance 0.1"),
    "expression": ("expression", "among those the caption may mean"),
    "expression_near": ("expression, near", "close-ups and medium shots only"),
    "dino_c_given": ("DINO-C, given", "characters like the given picture"),
    "copy_paste": ("copy-paste", "1 is the given picture, 0 the data's"),
}
"""Score -> how the table calls it, and what it is of."""

TRIVIAL_FOR_DATA = frozenset({"fid", "dino_i", "dino_c", "copy_paste"})
"""Scores of the data's panels against themselves."""


def judges_of(given: argparse.Namespace) -> tuple[Judges, dict[str, str]]:
    """Return the judges that the command line asks for, and who judges what.

    Raises:
        ValueError: an encoder or detector is not there or cannot do its task.
    """
    judges, names = Judges(dialogs=find_balloons_in), {"dialogs": "training.balloons"}
    folder = Path(given.judges or DEFAULT_JUDGES)
    if given.judges not in (None, NO_JUDGES) and not (folder / LABELS_FILE).exists():
        raise ValueError(f"{folder}: no judges there; python -m training.judges trains them")
    if given.judges != NO_JUDGES and (folder / LABELS_FILE).exists():
        peeps = PeepsJudges(folder)
        own: dict[str, Any] = {
            "panels": peeps.panels, "fid": peeps.panels, "clip": peeps.panels,
            "captions": peeps.captions, "characters": peeps.looks, "identities": peeps.identities,
            "expressions": peeps.expressions, "figures": peeps.figures,
        }  # fmt: skip
        judges, names = replace(judges, **own), names | dict.fromkeys(own, str(folder))
    others: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if given.magi:
        magi = MagiDetector(given.magi)
        others |= {"dialogs": magi.dialogs, "figures": magi.figures}
        sources |= dict.fromkeys(("dialogs", "figures"), given.magi)
    if given.dino:
        others |= dict.fromkeys(
            ("panels", "characters", "identities"), PretrainedEncoder(given.dino)
        )
        sources |= dict.fromkeys(("panels", "characters", "identities"), given.dino)
    if given.clip:
        clip = PretrainedClip(given.clip)
        others |= {"clip": clip, "captions": clip.captions}
        sources |= dict.fromkeys(("clip", "captions"), given.clip)
    for task, source in (("identities", given.identity), ("fid", given.fid)):
        if source:
            others[task], sources[task] = PretrainedEncoder(source), source
    for task, source, words in (
        ("dialogs", given.dialog_detector, DIALOG_LABELS),
        ("figures", given.figure_detector, FIGURE_LABELS),
    ):
        if source:
            others[task], sources[task] = PretrainedDetector(source).of(words), source
    return replace(judges, **others), names | sources


def find_balloons_in(pictures: Any) -> Any:
    """Return the boxes of blank balloons in each panel."""
    return [find_balloons(picture) for picture in pictures]


def all_scores(
    drawn: list[Picture], panels: Panels, judges: Judges, *, seed: int
) -> dict[str, Scores]:
    """Return the scores of the drawn panels, of the data's, and of the given pictures."""
    asked = panels.asked
    data = score(asked.target, asked, judges, seed=seed)
    data = {name: value for name, value in data.items() if name not in TRIVIAL_FOR_DATA}
    if judges.fid and len(panels.others) > 1:
        floor = frechet_distance(judges.fid(panels.others), judges.fid(asked.target))
        data["fid"] = Score(floor, len(panels.others))
    copies = [person.given for person in asked.people]
    copied = character_scores(copies, asked, judges, seed=seed)
    copied.pop("dino_c_given", None)
    return {"drawn": score(drawn, asked, judges, seed=seed), "data": data, "copied": copied}


def show(scores: Mapping[str, Scores], console: Console) -> None:
    """Print the table."""
    table = Table()
    table.add_column("score")
    for column in ("drawn", "data", "copied", "of"):
        table.add_column(column, justify="right")
    table.add_column("what")
    for name, (label, what) in LABELS.items():
        if name in scores["drawn"]:
            values = [
                f"{scores[column][name].value:.3f}" if name in scores[column] else ""
                for column in ("drawn", "data", "copied")
            ]
            table.add_row(label, *values, str(scores["drawn"][name].count), what)
    console.print(table)
    missing = [label for name, (label, _) in LABELS.items() if name not in scores["drawn"]]
    if missing:
        console.print(
            f"not measured, for want of a judge or of anything to see: {', '.join(missing)}"
        )


def write_scores(scores: Mapping[str, Scores], about: Mapping[str, Any], path: Path) -> None:
    """Write the scores and what they are of, whole or not at all."""
    report = dict(about) | {
        column: {name: asdict(value) for name, value in values.items()}
        for column, values in scores.items()
    }
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    unfinished.replace(path)


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("generator/mini"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument(
        "--output", type=Path, help="by default runs/evaluation/ and the model's name"
    )
    parser.add_argument("--count", type=int, default=256, help="panels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the model to change"
    )
    parser.add_argument(
        "--judges",
        help=f"folder of those of peeps, {NO_JUDGES} for none; {DEFAULT_JUDGES} if it is there",
    )
    source = parser.add_argument_group("other judges, each a folder or a name in the local cache")
    source.add_argument("--clip", help="CLIP, for text agreement")
    source.add_argument("--dino", help="DINO, for panels, characters and identities")
    source.add_argument("--identity", help="encoder that tells characters apart, instead of DINO")
    source.add_argument("--fid", help="encoder for FID")
    source.add_argument("--dialog-detector", help="finds balloons or texts")
    source.add_argument("--figure-detector", help="finds people")
    source.add_argument("--magi", help="Magi, for both; RUNS THE CODE that lies beside its weights")
    return parser


def main() -> None:
    """Read the command line, draw and score."""
    given = command_line().parse_args()
    output: Path = given.output or Path("runs/evaluation") / given.model.resolve().name
    try:
        judges, names = judges_of(given)
        panels = choose_panels(given.cache, given.count, given.seed)
        model = changed(DiffSensei.load(given.model), given.set)
        origin = origin_of(model, given.cache, given.seed)
        claim_folder(output, origin)
        draw_missing(model, panels.requests, output)
    except (GeneratorError, OSError, ValueError) as err:
        sys.exit(f"Error: {err}")
    drawn = read_pictures(output, given.count)
    scores = all_scores(drawn, panels, judges, seed=given.seed)
    about = {"of": str(given.model), "count": given.count, **origin, "judges": names}
    write_scores(scores, about, output / "scores.json")
    show(scores, Console())


if __name__ == "__main__":
    main()
