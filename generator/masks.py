"""Where each character and each dialog acts: boxes become masks over the latents.

All functions are pure and vectorised; none waits for the device. Boxes are
left-top-right-bottom, fractions of the panel, and are read as the published model reads them:
one outside 0 to 1 is not clamped, an inverted one contains nothing.
Source: DiffSensei, arXiv:2412.07589, equation 3, and its published code.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Grid = tuple[int, int]
"""Height and width in cells."""


def level_sizes(height: int, width: int, num_levels: int) -> tuple[Grid, ...]:
    """Give the latents' height and width at each U-Net level, the largest first.

    A level halves the one above and rounds up, as a convolution of stride 2 and padding 1 does.
    """
    sizes = [(height, width)]
    while len(sizes) < num_levels:
        above_height, above_width = sizes[-1]
        sizes.append(((above_height + 1) // 2, (above_width + 1) // 2))
    return tuple(sizes)


def character_mask(
    boxes: Tensor,
    grid: Grid,
    *,
    tokens_per_character: int,
    num_background_tokens: int,
    zero_boxes_hold_a_cell: bool = True,
) -> Tensor:
    """Let each image position see only the characters whose box it lies in.

    A position in no box sees the background tokens, so every row keeps at least one True. The
    first and last cells lie at 0 and 1 and edges count as inside, so the box of an empty slot,
    all zeros, contains the top-left cell; the published weights were trained that way.

    Args:
        boxes: (batch, characters, 4).
        grid: height and width, in cells, of the latents at this U-Net level.
        tokens_per_character: tokens of one character.
        num_background_tokens: tokens in front of the characters' own.
        zero_boxes_hold_a_cell: False lets the box of an empty slot contain nothing at all.

    Returns:
        Bool, (batch, height * width, background + characters * tokens_per_character), True where
        attention is allowed.
    """
    height, width = grid
    left, top, right, bottom = boxes.float().unsqueeze(-2).unbind(-1)  # each (batch, characters, 1)
    # linspace counts its upper half down from the end: an edge cell depends on that last bit
    x = torch.linspace(0, 1, width, device=boxes.device)
    y = torch.linspace(0, 1, height, device=boxes.device)
    columns = (left <= x) & (x <= right)
    rows = (top <= y) & (y <= bottom)
    inside = (rows.unsqueeze(-1) & columns.unsqueeze(-2)).flatten(2).transpose(1, 2)
    if not zero_boxes_hold_a_cell:
        inside = inside & (boxes != 0).any(dim=-1).unsqueeze(1)
    background = ~inside.any(dim=-1, keepdim=True)
    return torch.cat(
        [
            background.expand(-1, -1, num_background_tokens),
            inside.repeat_interleave(tokens_per_character, dim=-1),
        ],
        dim=-1,
    )


def dialog_map(boxes: Tensor, grid: Grid, *, precision: torch.dtype = torch.float32) -> Tensor:
    """Mark the cells of the latents that at least one dialog covers.

    Args:
        boxes: (batch, dialogs, 4); a box of zeros covers nothing.
        grid: height and width of the latents in cells.
        precision: of the edges; in half precision one may move by a cell.

    Returns:
        Bool, (batch, height, width).
    """
    height, width = grid
    # each (batch, dialogs, 1)
    left, top, right, bottom = boxes.to(precision).unsqueeze(-2).unbind(-1)
    columns = _covered_cells(left, right, width)
    rows = _covered_cells(top, bottom, height)
    return (rows.unsqueeze(-1) & columns.unsqueeze(-2)).any(dim=1)


def published_grid(num_cells: int, aspect_ratio: float) -> Grid:
    """Guess height and width from their product as the published code does.

    It is wrong for some sizes (22 x 12 is read as 24 x 11), which shears every box. Only for
    comparing pictures with the published code bit for bit.

    Args:
        num_cells: height times width.
        aspect_ratio: height of the latents over their width.
    """
    width = max(1, int(math.sqrt(num_cells / aspect_ratio)))
    while num_cells % width:
        width += 1
    return num_cells // width, width


def _covered_cells(start: Tensor, end: Tensor, size: int) -> Tensor:
    """Mark the cells from start to before end: (batch, dialogs, 1) -> (batch, dialogs, size)."""
    first = (start * size).trunc().int()
    last = (end * size).trunc().int()
    # a negative end counts from the right, as in a Python slice: released weights saw it so
    last = torch.where(last < 0, last + size, last)
    cells = torch.arange(size, device=start.device)
    return (first <= cells) & (cells < last)
