"""Scores panels by what they were asked to show: the metrics, put to a set of panels and judges."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.peeps.captions import SYNONYMS
from training.data.peeps.figures import EXPRESSIONS
from training.metrics import (
    Box,
    Features,
    copy_paste_rates,
    cosines,
    count_boxes,
    frechet_distance,
    picked,
    stage_matches,
    unit,
)

NUM_CANDIDATES = 10
NEAR_SHOTS = frozenset({"close-up", "medium"})
MIN_FID_PANELS = 2

Picture = NDArray[np.uint8]
"""(height, width), 0 black to 255 white."""

Encoder = Callable[[Sequence[Picture]], Features]
Detector = Callable[[Sequence[Picture]], list[list[Box]]]


@dataclass(frozen=True)
class Judges:
    """Who looks at the panels; None where there is nobody for the task.

    Attributes:
        panels: features of panels, for DINO-I.
        fid: features of panels, for FID.
        characters: features of how cut-out characters look, for DINO-C and copying.
        identities: features by which cut-out characters are told apart.
        clip: features of panels that can be compared with those of `captions`.
        captions: features of captions.
        expressions: the word of each cut-out character's face.
        dialogs: boxes of dialogs.
        figures: boxes of people.
    """

    panels: Encoder | None = None
    fid: Encoder | None = None
    characters: Encoder | None = None
    identities: Encoder | None = None
    clip: Encoder | None = None
    captions: Callable[[Sequence[str]], Features] | None = None
    expressions: Callable[[Sequence[Picture]], list[str]] | None = None
    dialogs: Detector | None = None
    figures: Detector | None = None


@dataclass(frozen=True)
class Person:
    """A character that was asked for in a panel.

    Attributes:
        panel: its number.
        box: fractions of the panel.
        given: a picture of the same person elsewhere, as the generator was given.
        elsewhere: all pictures of the person but the panel's own.
        identity: names the look; people with equal looks are not told apart.
        words: what the caption's expression may mean; empty where it tells none.
        is_near: whether the shot shows the face large.
    """

    panel: int
    box: Box
    given: Picture
    elsewhere: tuple[Picture, ...]
    identity: tuple[str, ...]
    words: frozenset[str]
    is_near: bool


@dataclass(frozen=True)
class Asked:
    """What a set of panels was asked to show.

    Attributes:
        captions: one for each panel.
        dialogs: boxes for each panel.
        figures: boxes for each panel.
        people: all characters with a picture of their own in the data.
        target: the data's panels.
    """

    captions: list[str]
    dialogs: list[list[Box]]
    figures: list[list[Box]]
    people: list[Person]
    target: list[Picture]


@dataclass(frozen=True)
class Score:
    """A value, and over how many panels, people or boxes it was taken."""

    value: float
    count: int


Scores = dict[str, Score]


def words_of(face: str, caption: str) -> frozenset[str]:
    """Return the expressions that the caption's word for a face could mean; none if it has none.

    "happy" may be smiling or cheerful: both are right where it was asked for.
    """
    told = SYNONYMS[EXPRESSIONS[face]]
    phrases = {part for part in re.split(r"[,;] ", caption) if part in told}
    return frozenset(word for word, synonyms in SYNONYMS.items() if phrases.intersection(synonyms))


def asked_of(
    records: Sequence[dict[str, Any]],
    given_rows: Sequence[Sequence[int]],
    shown: Sequence[dict[str, Any]],
    references: NDArray[np.uint8],
    target: Sequence[Picture],
) -> Asked:
    """Put together what a cache's records ask for.

    Args:
        records: of panels, as in `panels.json`.
        given_rows: for each panel the row of the picture given of each character.
        shown: what each reference shows, as in `references.json`.
        references: (rows, height, width).
        target: the panels of the data.
    """
    people = []
    for number, (record, rows) in enumerate(zip(records, given_rows, strict=True)):
        for character, row in zip(record["characters"], rows, strict=True):
            if character["row"] is None:
                continue  # too small in the panel to know anybody by
            others = [other for other in character["rows"] if other != character["row"]]
            own = shown[character["row"]]
            face = own["expression"]
            people.append(
                Person(
                    number,
                    tuple(character["box"]),
                    references[row],
                    tuple(references[other] for other in others),
                    tuple(own["identity"]) or (own["who"],),
                    words_of(face, record["caption"]) if face else frozenset(),
                    record["shot"] in NEAR_SHOTS,
                )
            )
    return Asked(
        [record["caption"] for record in records],
        [[tuple(box) for box in record["dialogs"]] for record in records],
        [[tuple(one["box"]) for one in record["characters"]] for record in records],
        people,
        list(target),
    )


def cut_out(panel: Picture, box: Box) -> Picture:
    """Return the part of a panel in a box of fractions, at least one pixel."""
    height, width = panel.shape
    left, top = min(round(box[0] * width), width - 1), min(round(box[1] * height), height - 1)
    right, bottom = max(round(box[2] * width), left + 1), max(round(box[3] * height), top + 1)
    return panel[top:bottom, left:right]


def score(panels: Sequence[Picture], asked: Asked, judges: Judges, *, seed: int) -> Scores:
    """Return what can be said of panels by these judges.

    Args:
        panels: drawn, in the order of what was asked; or the data's own, to see the judges' limit.
        asked: what they should show.
        judges: who looks at them.
        seed: draws the other nine of ten people.
    """
    scores: Scores = {}
    if judges.fid and len(panels) >= MIN_FID_PANELS:
        distance = frechet_distance(judges.fid(panels), judges.fid(asked.target))
        scores["fid"] = Score(distance, len(panels))
    if judges.clip and judges.captions:
        agreement = cosines(judges.clip(panels), judges.captions(asked.captions))
        scores["clip"] = Score(float(agreement.mean()), len(panels))
    if judges.panels:
        alike = cosines(judges.panels(panels), judges.panels(asked.target))
        scores["dino_i"] = Score(float(alike.mean()), len(panels))
    if judges.dialogs:
        boxes = count_boxes(judges.dialogs(panels), asked.dialogs)
        if boxes.f1 is not None:
            scores["dialog_f1"] = Score(boxes.f1, boxes.asked)
    if judges.figures:
        scores |= _stage_scores(judges.figures(panels), asked)
    crops = [cut_out(panels[person.panel], person.box) for person in asked.people]
    return scores | character_scores(crops, asked, judges, seed=seed)


def _stage_scores(found: list[list[Box]], asked: Asked) -> Scores:
    there, wanted = [len(boxes) for boxes in found], [len(boxes) for boxes in asked.figures]
    scores = {
        "people_on_stage": Score(float(stage_matches(there, wanted).mean()), len(found)),
        "people_counted": Score(
            float(np.mean([a == b for a, b in zip(there, wanted, strict=True)])), len(found)
        ),
    }
    boxes = count_boxes(found, asked.figures)
    if boxes.recall is not None:
        scores["figure_in_box"] = Score(boxes.recall, boxes.asked)
    return scores


def character_scores(
    crops: Sequence[Picture], asked: Asked, judges: Judges, *, seed: int
) -> Scores:
    """Return what can be said of cut-out characters, one for each of `asked.people`."""
    people = asked.people
    scores: Scores = {}
    if people and judges.characters:
        scores |= _likeness_scores(crops, asked, judges.characters)
    if people and judges.identities:
        candidates = _candidates(people, judges.identities, seed)
        if candidates is not None:
            hits = picked(judges.identities(crops), candidates)
            scores["identity_of_ten"] = Score(float(hits.mean()), len(people))
    if judges.expressions and any(person.words for person in people):
        scores |= _expression_scores(judges.expressions(crops), people)
    return scores


def _likeness_scores(crops: Sequence[Picture], asked: Asked, encode: Encoder) -> Scores:
    people = asked.people
    drawn = encode(crops)
    target = encode([cut_out(asked.target[person.panel], person.box) for person in people])
    given = encode([person.given for person in people])
    values = {
        "dino_c": cosines(drawn, target),
        "dino_c_given": cosines(drawn, given),
        "copy_paste": copy_paste_rates(drawn, given, target),
    }
    return {name: Score(float(value.mean()), len(people)) for name, value in values.items()}


def _expression_scores(named: Sequence[str], people: Sequence[Person]) -> Scores:
    told = [
        (word in person.words, person.is_near)
        for word, person in zip(named, people, strict=True)
        if person.words
    ]
    near = [is_right for is_right, is_near in told if is_near]
    scores = {"expression": Score(float(np.mean([right for right, _ in told])), len(told))}
    if near:
        scores["expression_near"] = Score(float(np.mean(near)), len(near))
    return scores


def _candidates(people: Sequence[Person], encode: Encoder, seed: int) -> Features | None:
    """Return (people, 10, width): everybody's mean picture elsewhere, then those of nine others.

    None where there are not ten different looks.
    """
    pictures = [picture for person in people for picture in person.elsewhere]
    ends = np.cumsum([len(person.elsewhere) for person in people])
    looks = np.stack(
        [part.mean(0) for part in np.split(unit(encode(pictures)), ends[:-1].tolist())]
    )
    by_identity: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, person in enumerate(people):
        by_identity[person.identity].append(number)
    if len(by_identity) < NUM_CANDIDATES:
        return None
    rng = random.Random(f"ten {seed}")
    rows = []
    for number, person in enumerate(people):
        others = [identity for identity in by_identity if identity != person.identity]
        chosen = rng.sample(others, NUM_CANDIDATES - 1)
        rows.append([number, *(rng.choice(by_identity[identity]) for identity in chosen)])
    result: Features = looks[np.array(rows)]
    return result
