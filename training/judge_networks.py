"""The networks that judge drawn peeps; `training.judges` trains them, `peeps_judges` asks them."""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Sequence

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.metrics import Box

EMBEDDING = 128
NUM_WORDS = 4096
PARTS = ("hair", "beard", "accessory")


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        result: Tensor = hidden + self.conv(functional.silu(self.norm(hidden)))
        return result


class Trunk(nn.Module):
    """(pictures, 1, height, width) to maps at an eighth and a sixteenth of the size."""

    WIDTHS = (24, 48, 96, 160)

    def __init__(self) -> None:
        """Make an untrained one."""
        super().__init__()
        first, second, third, fourth = self.WIDTHS
        self.to_quarter = nn.Sequential(
            nn.Conv2d(1, first, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            _Residual(second),
        )
        self.to_eighth = nn.Sequential(
            nn.Conv2d(second, third, 3, stride=2, padding=1), _Residual(third)
        )
        self.to_sixteenth = nn.Sequential(
            nn.Conv2d(third, fourth, 3, stride=2, padding=1),
            _Residual(fourth),
            _Residual(fourth),
            nn.GroupNorm(8, fourth),
            nn.SiLU(),
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps."""
        eighth = self.to_eighth(self.to_quarter(pictures))
        return eighth, self.to_sixteenth(eighth)


def _pooled(features: Tensor) -> Tensor:
    """Return mean and maximum over the positions: (pictures, 2 * width)."""
    return torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)


class ReadCharacters(msgspec.Struct):
    """What the character judge sees.

    `look` (pictures, 320) is of who and how, `embedding` (pictures, 128) of who alone; `logits`
    are (pictures, names) by kind.
    """

    look: Tensor
    embedding: Tensor
    logits: dict[str, Tensor]


class CharacterJudge(nn.Module):
    """Says of a cut-out character who it is and which face it shows."""

    def __init__(self, sizes: dict[str, int]) -> None:
        """Make an untrained one; `sizes` says how many names there are of each kind."""
        super().__init__()
        self.trunk = Trunk()
        width = 2 * Trunk.WIDTHS[-1]
        self.to_embedding = nn.Linear(width, EMBEDDING)
        # parts are read from the embedding, so that it holds them; the face is not, as it changes
        self.readers = nn.ModuleDict(
            {
                kind: nn.Linear(EMBEDDING if kind in PARTS else width, size)
                for kind, size in sizes.items()
            }
        )
        self.temperature = nn.Parameter(torch.tensor(2.3))
        self.middle: Tensor
        self.register_buffer("middle", torch.zeros(width))

    @torch.no_grad()
    def centre(self, pictures: Tensor) -> None:
        """Let `look` be taken from the mean of these pictures, so that its cosines tell much."""
        self.middle.copy_(_pooled(self.trunk(pictures)[1]).mean(0))

    def forward(self, pictures: Tensor) -> ReadCharacters:
        """Look at (pictures, 1, 96, 96), -1 black to 1 white."""
        pooled = _pooled(self.trunk(pictures)[1])
        embedding = self.to_embedding(pooled)
        logits = {
            kind: reader(embedding if kind in PARTS else pooled)
            for kind, reader in self.readers.items()
        }
        return ReadCharacters(pooled - self.middle, embedding, logits)


class SeenPanels(msgspec.Struct):
    """What the panel judge sees.

    `middles` (panels, rows, columns) are logits of a figure's middle; `edges` (panels, rows,
    columns, 4) how far its left, top, right and bottom are, in fractions of the panel; `embedding`
    is (panels, 128).
    """

    middles: Tensor
    edges: Tensor
    embedding: Tensor


class PanelJudge(nn.Module):
    """Says where in a panel figures are, and what it shows, as captions do."""

    def __init__(self) -> None:
        """Make an untrained one."""
        super().__init__()
        self.trunk = Trunk()
        eighth, sixteenth = Trunk.WIDTHS[-2:]
        self.joined = nn.Sequential(
            nn.Conv2d(eighth + sixteenth, eighth, 1), _Residual(eighth), nn.SiLU()
        )
        self.to_middles = nn.Conv2d(eighth, 1, 1)
        # most places are no middle of anybody
        nn.init.constant_(self.to_middles.get_parameter("bias"), -3.0)
        self.to_edges = nn.Conv2d(eighth, 4, 1)
        self.to_embedding = nn.Linear(2 * sixteenth, EMBEDDING)
        self.temperature = nn.Parameter(torch.tensor(2.3))

    def forward(self, panels: Tensor) -> SeenPanels:
        """Look at (panels, 1, height, width), -1 black to 1 white, at half its size."""
        eighth, sixteenth = self.trunk(functional.avg_pool2d(panels, 2))
        raised = functional.interpolate(sixteenth, eighth.shape[-2:])
        joined = self.joined(torch.cat([eighth, raised], 1))
        return SeenPanels(
            self.to_middles(joined)[:, 0],
            functional.softplus(self.to_edges(joined)).permute(0, 2, 3, 1),
            self.to_embedding(_pooled(sixteenth)),
        )


class CaptionJudge(nn.Module):
    """Reads a caption as a bag of words and of neighbouring pairs."""

    def __init__(self) -> None:
        """Make an untrained one."""
        super().__init__()
        self.words = nn.EmbeddingBag(NUM_WORDS, EMBEDDING, mode="sum")
        self.mixed = nn.Sequential(
            nn.LayerNorm(EMBEDDING),
            nn.Linear(EMBEDDING, 2 * EMBEDDING),
            nn.SiLU(),
            nn.Linear(2 * EMBEDDING, EMBEDDING),
        )

    def forward(self, captions: Sequence[Tensor]) -> Tensor:
        """Return (captions, 128) of the numbers that `hashed_words` gives."""
        starts = np.cumsum([0, *(len(caption) for caption in captions[:-1])])
        words = torch.cat(list(captions))
        result: Tensor = self.mixed(self.words(words, torch.from_numpy(starts).to(words.device)))
        return result


def hashed_words(caption: str) -> Tensor:
    """Return a number below 4096 for each word and each pair of neighbours, never none."""
    words = ["", *re.findall(r"[\w-]+", caption.lower())]
    texts = [*words, *(" ".join(pair) for pair in itertools.pairwise(words))]
    return torch.tensor([zlib.crc32(text.encode()) % NUM_WORDS for text in texts])


class FigureTargets(msgspec.Struct):
    """What `SeenPanels` should be: `middles` 1 at middles, falling to 0 around them."""

    middles: Tensor
    edges: Tensor


def figure_targets(boxes: Sequence[Sequence[Box]], grid: tuple[int, int]) -> FigureTargets:
    """Return the targets of panels with these figures, given as fractions of the panel."""
    rows, columns = grid
    middles = torch.zeros(len(boxes), rows, columns)
    edges = torch.zeros(len(boxes), rows, columns, 4)
    y = (torch.arange(rows)[:, None] + 0.5) / rows
    x = (torch.arange(columns)[None, :] + 0.5) / columns
    for number, figures in enumerate(boxes):
        for left, top, right, bottom in figures:
            across, down = (left + right) / 2, (top + bottom) / 2
            row, column = min(int(down * rows), rows - 1), min(int(across * columns), columns - 1)
            spread = ((x - across) / max(right - left, 1e-3)) ** 2 + (
                (y - down) / max(bottom - top, 1e-3)
            ) ** 2
            middles[number] = torch.maximum(
                middles[number], torch.exp(-spread / (2 * 0.15**2)) * 0.99
            )
            middles[number, row, column] = 1
            here_x, here_y = float(x[0, column]), float(y[row, 0])
            edges[number, row, column] = torch.tensor(
                [here_x - left, here_y - top, right - here_x, bottom - here_y]
            )
    return FigureTargets(middles, edges)
