"""Learned queries read image features into, and out of, the language model's space."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

PUBLISHED_NUM_HEADS = 32
"""Of both resamplers; the one size that their weights do not tell."""


class QueryResampler(nn.Module):
    """One cross-attention of a square grid of queries, with fixed positions.

    Parameter names are the published ones. Source: DiffSensei, arXiv:2412.07589; the design is
    Qwen-VL's, arXiv:2308.12966.
    """

    pos_embed: Tensor

    def __init__(self, *, grid: int, width: int, num_heads: int, input_width: int) -> None:
        """Build with random weights.

        Args:
            grid: queries along one edge of the square.
            width: of queries and output.
            num_heads: of the attention.
            input_width: of what is read.

        Raises:
            ValueError: the width is no multiple of 4 or of the heads.
        """
        super().__init__()
        if width % 4 or width % num_heads:
            raise ValueError(f"width {width} is no multiple of 4 and of {num_heads} heads")
        self.query = nn.Parameter(nn.init.trunc_normal_(torch.empty(grid**2, width), std=0.02))
        self.register_buffer("pos_embed", position_embedding(grid, width))
        self.kv_proj = (
            nn.Linear(input_width, width, bias=False) if input_width != width else nn.Identity()
        )
        self.attn = nn.MultiheadAttention(width, num_heads, batch_first=True)
        self.ln_q = nn.LayerNorm(width)
        self.ln_kv = nn.LayerNorm(width)
        if isinstance(self.kv_proj, nn.Linear):
            nn.init.trunc_normal_(self.kv_proj.weight, std=0.02)

    @classmethod
    def from_state_dict(
        cls, weights: Mapping[str, Tensor], *, num_heads: int = PUBLISHED_NUM_HEADS
    ) -> QueryResampler:
        """Build the resampler that these weights fit, and load them strictly.

        Args:
            weights: under the published names; `pos_embed` may be absent, because it depends only
                on the size.
            num_heads: the one size that the weights do not tell.

        Raises:
            KeyError: `query` is missing.
            RuntimeError: names or shapes do not fit.
            ValueError: the sizes make no resampler.
        """
        num_queries, width = weights["query"].shape
        grid = math.isqrt(num_queries)
        if grid**2 != num_queries:
            raise ValueError(f"{num_queries} queries are no square")
        projection = weights.get("kv_proj.weight")
        with torch.device("meta"):
            resampler = cls(
                grid=grid,
                width=width,
                num_heads=num_heads,
                input_width=width if projection is None else projection.shape[1],
            )
        weights = {"pos_embed": resampler.pos_embed, **weights}
        resampler.load_state_dict(weights, strict=True, assign=True)
        return resampler

    @property
    def num_queries(self) -> int:
        """How many vectors it gives."""
        return self.query.shape[0]

    @property
    def input_width(self) -> int:
        """Width of the features it reads."""
        projection = self.kv_proj
        return projection.in_features if isinstance(projection, nn.Linear) else self.output_width

    @property
    def output_width(self) -> int:
        """Width of the vectors it gives."""
        return self.query.shape[1]

    @property
    def num_heads(self) -> int:
        """How many heads its attention has."""
        return int(self.attn.num_heads)

    def forward(self, features: Tensor) -> Tensor:
        """Read a square number of features.

        Args:
            features: (batch, features, input width).

        Returns:
            (batch, queries, width).

        Raises:
            ValueError: the features are no square.
        """
        values = self.ln_kv(self.kv_proj(features))
        positions = self.pos_embed.to(values.dtype)
        query = (self.ln_q(self.query) + positions).expand(len(features), -1, -1)
        keys = values + self._positions_for(features.shape[1]).to(values.dtype)
        read: Tensor = self.attn(query, keys, values, need_weights=False)[0]
        return read

    def _positions_for(self, num_features: int) -> Tensor:
        """Stretch the queries' positions over another number of features, in float32."""
        grid, edge = math.isqrt(self.num_queries), math.isqrt(num_features)
        if edge**2 != num_features:
            raise ValueError(f"{num_features} features are no square")
        if edge == grid:
            return self.pos_embed
        square = self.pos_embed.float().T.reshape(1, -1, grid, grid)
        stretched = functional.interpolate(square, (edge, edge), mode="bicubic")
        return stretched.flatten(2)[0].T


def position_embedding(grid: int, width: int) -> Tensor:
    """Give each cell of a square its sine and cosine position.

    Returns:
        (grid * grid, width), row by row; the first half of a vector tells the column, the second
        the row.
    """
    # made on the CPU even where modules are built without memory: it is a value, no weight
    cells = torch.arange(grid, dtype=torch.float32, device="cpu")
    exponents = torch.arange(width // 4, dtype=torch.float64, device="cpu") / (width / 4)
    angles = cells[:, None] * (1 / 10000**exponents).float()
    line = torch.cat([angles.sin(), angles.cos()], dim=1)
    columns = line.repeat(grid, 1)
    rows = line.repeat_interleave(grid, dim=0)
    return torch.cat([columns, rows], dim=1)
