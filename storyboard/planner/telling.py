"""A story as one numbered text with its pieces, whether told as prose or scene by scene."""

from __future__ import annotations

import msgspec

from storyboard.lines import SpokenLine, parse_line
from storyboard.planner.attribution import attribute
from storyboard.planner.cast import resolve_name
from storyboard.planner.pieces import LONGEST_NARRATION, LONGEST_SPEECH, Piece, cut_pieces
from storyboard.planner.sentences import normalise, split_speech
from storyboard.planner.speech import Prose, read_prose
from storyboard.story import Character, Scene, ScenePanel, Story


class Telling(msgspec.Struct, frozen=True):
    """What a story tells: its prose, and for each scene the places where its text begins and ends.

    A story told as prose is one scene. Sentences are numbered through the whole book.
    """

    prose: Prose
    scenes: tuple[Scene, ...]
    spans: tuple[tuple[int, int], ...]


def read_telling(story: Story) -> Telling:
    """Return what a story tells."""
    scenes = story.scenes or (Scene(text=story.story),)
    texts = ["" if scene.panels else normalise(scene.text) for scene in scenes]
    spans, position = [], 0
    for text in texts:
        spans.append((position, position + len(text)))
        position += len(text) + (1 if text else 0)
    return Telling(
        read_prose("\n".join(text for text in texts if text)), tuple(scenes), tuple(spans)
    )


def spoken_lines(scene: Scene) -> list[SpokenLine]:
    """Return the lines a scene lists, read."""
    return [parse_line(line) for line in scene.lines]


def all_pieces(telling: Telling, cast: tuple[Character, ...], speakers: list[str]) -> list[Piece]:
    """Return every piece of the book in order, each spoken one with its speaker."""
    cut = [
        msgspec.structs.replace(piece, speaker=speakers[piece.line]) if piece.line >= 0 else piece
        for piece in cut_pieces(telling.prose)
    ]
    pieces: list[Piece] = []
    for number, (scene, (start, end)) in enumerate(zip(telling.scenes, telling.spans, strict=True)):
        told = [piece for piece in cut if start <= piece.start < end]
        pieces += [msgspec.structs.replace(piece, scene=number) for piece in told]
        sentences = (told[-1].sentences[-1],) if told else ()
        for line in spoken_lines(scene) if not scene.panels else []:
            pieces += _listed(line, sentences, end, number, cast)
        pieces += [_ready(panel, number) for panel in scene.panels]
    return pieces


def _listed(
    line: SpokenLine, sentences: tuple[int, ...], at: int, scene: int, cast: tuple[Character, ...]
) -> list[Piece]:
    longest = LONGEST_SPEECH if line.speaker else LONGEST_NARRATION
    texts = [line.text] if line.kind == "sound" else split_speech(line.text, longest)
    return [
        Piece(
            "spoken" if line.speaker else "told",
            sentences,
            at,
            at,
            text,
            text if line.speaker else "",
            speaker=resolve_name(line.speaker, cast) if line.speaker else "",
            voice=line.kind,
            scene=scene,
        )
        for text in texts
    ]


def _ready(panel: ScenePanel, scene: int) -> Piece:
    return Piece("told", (), 0, 0, "", "", scene=scene, ready=panel)


def first_speakers(telling: Telling, cast: tuple[Character, ...]) -> list[str]:
    """Return the speaker of each quoted line as the rules see it, empty where they do not."""
    return [found.speaker for found in attribute(telling.prose, cast)]
