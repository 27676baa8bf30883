"""Asks the judges of drawn peeps: who a character is, how it looks, and where figures are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from training.data.peeps.figures import EXPRESSIONS
from training.judge_networks import (
    PARTS,
    CaptionJudge,
    CharacterJudge,
    PanelJudge,
    ReadCharacters,
    SeenPanels,
    hashed_words,
)
from training.metrics import Box, Features, box_ious

CHARACTER_PX = 96
"""Characters are looked at as squares of this edge, as in the cache."""

FIGURE_CHANCE = 0.35
"""A figure is where the network is at least this sure of the middle of its box."""

SAME_FIGURE_IOU = 0.7
BATCH = 64
LABELS_FILE = "judges.json"

Picture = NDArray[np.uint8]
"""(height, width), 0 black to 255 white."""


class JudgeLabels(msgspec.Struct, frozen=True):
    """What the character judge can name: values of each part of an identity, and faces."""

    parts: dict[str, list[str]]
    faces: list[str]

    @classmethod
    def of(cls, shown: Sequence[dict[str, Any]]) -> JudgeLabels:
        """Collect the names in a cache's `references.json`."""
        columns = zip(*(reference["identity"] for reference in shown), strict=True)
        parts = {kind: sorted(set(column)) for kind, column in zip(PARTS, columns, strict=True)}
        return cls(parts, sorted({reference["expression"] for reference in shown}))

    @property
    def sizes(self) -> dict[str, int]:
        """How many names there are of each kind, in the order of `numbers`."""
        return {**{kind: len(names) for kind, names in self.parts.items()}, "face": len(self.faces)}

    def numbers(self, reference: dict[str, Any]) -> list[int]:
        """Return the labels of one reference picture as numbers."""
        parts = zip(self.parts.values(), reference["identity"], strict=True)
        return [
            *(names.index(name) for names, name in parts),
            self.faces.index(reference["expression"]),
        ]


def write_labels(labels: JudgeLabels, folder: Path) -> None:
    """Write the names into a judges' folder."""
    (folder / LABELS_FILE).write_bytes(msgspec.json.encode(labels))


def figures_in(middles: NDArray[np.float32], edges: NDArray[np.float32]) -> list[Box]:
    """Return the boxes of figures, the surest first, no two of the same figure.

    Args:
        middles: chances of a middle, (rows, columns).
        edges: (rows, columns, 4), as in `SeenPanels`.
    """
    rows, columns = middles.shape
    around = np.pad(middles, 1)
    highest = np.max(
        [around[r : r + rows, c : c + columns] for r in range(3) for c in range(3)], axis=0
    )
    candidates = np.argwhere((middles == highest) & (middles >= FIGURE_CHANCE))
    found: list[Box] = []
    for row, column in sorted(candidates.tolist(), key=lambda at: -middles[at[0], at[1]]):
        x, y = (column + 0.5) / columns, (row + 0.5) / rows
        left, top, right, bottom = (float(edge) for edge in edges[row, column])
        box = (max(x - left, 0.0), max(y - top, 0.0), min(x + right, 1.0), min(y + bottom, 1.0))
        if not found or box_ious([box], found).max() < SAME_FIGURE_IOU:
            found.append(box)
    return found


class PeepsJudges:
    """The trained judges of a folder."""

    def __init__(self, folder: Path) -> None:
        """Load them.

        Raises:
            FileNotFoundError: the folder lacks a file; names it.
        """
        self.labels = msgspec.json.decode((folder / LABELS_FILE).read_bytes(), type=JudgeLabels)
        self._characters = CharacterJudge(self.labels.sizes)
        self._panels, self._captions = PanelJudge(), CaptionJudge()
        for name, model in (
            ("characters", self._characters),
            ("panels", self._panels),
            ("captions", self._captions),
        ):
            model.load_state_dict(load_file(folder / f"{name}.safetensors"), strict=True)
            model.eval()

    def looks(self, pictures: Sequence[Picture]) -> Features:
        """Return features of each cut-out character: who it is and how it looks here."""
        return np.concatenate([read.look.double().numpy() for read in self._read(pictures)])

    def identities(self, pictures: Sequence[Picture]) -> Features:
        """Return an embedding of each cut-out character by which people are told apart."""
        return np.concatenate([read.embedding.double().numpy() for read in self._read(pictures)])

    def expressions(self, pictures: Sequence[Picture]) -> list[str]:
        """Return the word of each cut-out character's face."""
        faces = torch.cat([read.logits["face"].argmax(1) for read in self._read(pictures)])
        return [EXPRESSIONS[self.labels.faces[face]] for face in faces.tolist()]

    def panels(self, pictures: Sequence[Picture]) -> Features:
        """Return an embedding of each panel."""
        return np.stack([self._see(picture).embedding[0].double().numpy() for picture in pictures])

    @torch.inference_mode()
    def captions(self, captions: Sequence[str]) -> Features:
        """Return an embedding of each caption, near those of panels that show it."""
        result: Features = (
            self._captions([hashed_words(caption) for caption in captions]).double().numpy()
        )
        return result

    def figures(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Return the boxes of the figures in each panel, as fractions of it."""
        found = []
        for picture in pictures:
            seen = self._see(picture)
            found.append(figures_in(seen.middles[0].sigmoid().numpy(), seen.edges[0].numpy()))
        return found

    @torch.inference_mode()
    def _see(self, picture: Picture) -> SeenPanels:
        seen: SeenPanels = self._panels(_pixels(picture)[None])
        return seen

    @torch.inference_mode()
    def _read(self, pictures: Sequence[Picture]) -> list[ReadCharacters]:
        size = (CHARACTER_PX, CHARACTER_PX)
        squares = [
            _pixels(np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)))
            for picture in pictures
        ]
        return [
            self._characters(torch.stack(squares[start : start + BATCH]))
            for start in range(0, len(squares), BATCH)
        ]


def _pixels(picture: Picture) -> Tensor:
    """Return (1, height, width), -1 black to 1 white."""
    return torch.from_numpy(picture.astype(np.float32))[None] / 127.5 - 1
