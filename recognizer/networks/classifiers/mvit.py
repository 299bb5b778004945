"""Compute torchvision's MViT with fewer copies: the same weights and the same scores, in about half the time.

- The summary token (the "class token") travels beside the tokens of the patches, because attaching it to them and
  detaching it again copies every token several times in each block.
- A pool is a depthwise convolution of all heads side by side, as the linear layer leaves them, and its three steps in
  time are three convolutions of pictures: neither library has a fast depthwise convolution in three dimensions.
- Relative positions are columns appended to queries and keys, so that the scores of attention are one product.
  torchvision adds a table as large as the scores instead.
- Only the summary token leaves the last block, because the scores depend on nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from torchvision.models.video.mvit import MultiscaleAttention, MultiscaleBlock, MViT, PositionalEncoding

    Pool = Any
    """torchvision's pool: a convolution and the norm of each head."""

_Grid = tuple[int, int, int]
"""Steps in time, rows and columns of the patches."""

_AXES = ("t", "h", "w")  # as torchvision names them, in the order of a grid


class QuickMViT(nn.Module):
    """MViT for one size of clip, from float32 (B, 3, T, S, S) to scores (B, labels).

    Args:
        network: torchvision's network with its weights, which this one shares; T and S are those it was built for.
    """

    _summary_token: Tensor
    _positions: Tensor

    def __init__(self, network: MViT) -> None:
        super().__init__()
        encoding = network.pos_encoding
        grid = (encoding.temporal_size, *encoding.spatial_size)
        self._patches = network.conv_proj
        summary, positions = _encoded(encoding)
        self.register_buffer("_summary_token", summary, persistent=False)
        self.register_buffer("_positions", positions, persistent=False)
        blocks = []
        for original in network.blocks:
            block = _Block(original, grid)
            blocks.append(block)
            grid = block.grid
        self._blocks, self._last = nn.ModuleList(blocks[:-1]), blocks[-1]
        self._norm = network.norm
        self.head = network.head

    def forward(self, clips: Tensor) -> Tensor:
        """Return the scores of each clip."""
        patches = self._patches(clips).flatten(2).transpose(1, 2) + self._positions
        summary = self._summary_token.expand(len(clips), 1, -1)
        for block in self._blocks:
            patches, summary = block(patches, summary)
        scores: Tensor = self.head(self._norm(self._last.summary(patches, summary))[:, 0])
        return scores


def _encoded(encoding: PositionalEncoding) -> tuple[Tensor, Tensor]:
    """Return the summary token (C,), and what is added to the patches: (T * H * W, C), or zeros (1, C)."""
    summary = encoding.class_token.detach()
    if encoding.class_pos is None:
        return summary.clone(), torch.zeros(1, len(summary))
    positions = encoding.temporal_pos[:, None] + encoding.spatial_pos
    return summary + encoding.class_pos.detach(), positions.detach().flatten(0, 1)


class _Block(nn.Module):
    """Attention and a perceptron, each beside a shortcut.

    Attributes:
        grid: of the patches that leave the block.
    """

    grid: _Grid

    def __init__(self, block: MultiscaleBlock, grid: _Grid) -> None:
        super().__init__()
        self._attention = _Attention(block.attn, grid)
        self._shortcut = None if block.pool_skip is None else _MaxPool(block.pool_skip.pool, grid)
        self._norm1, self._norm2, self._perceptron = block.norm1, block.norm2, block.mlp
        self._project, self._projects_early = block.project or nn.Identity(), block.proj_after_attn
        self._widens = block.project is not None
        self.grid = self._attention.grid

    def forward(self, patches: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """Map patches (B, L, C) and the summary token (B, 1, C)."""
        normed, normed_summary = self._norm1(patches), self._norm1(summary)
        memory = self._attention.memory(normed, normed_summary)
        kept = self._kept(patches, normed)
        if self._shortcut is not None:
            kept = self._shortcut(kept)
        patches = self._digested(kept + self._attention.of_patches(normed, *memory))
        return patches, self._summary(summary, normed_summary, *memory)

    def summary(self, patches: Tensor, summary: Tensor) -> Tensor:
        """Return the summary token alone."""
        normed = self._norm1(summary)
        return self._summary(summary, normed, *self._attention.memory(self._norm1(patches), normed))

    def _summary(self, summary: Tensor, normed: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return self._digested(self._kept(summary, normed) + self._attention.of_summary(normed, keys, values))

    def _kept(self, tokens: Tensor, normed: Tensor) -> Tensor:
        kept: Tensor = self._project(normed) if self._widens and self._projects_early else tokens
        return kept

    def _digested(self, tokens: Tensor) -> Tensor:
        normed = self._norm2(tokens)
        kept = self._project(normed) if self._widens and not self._projects_early else tokens
        digested: Tensor = kept + self._perceptron(normed)
        return digested


class _Attention(nn.Module):
    """Attention of pooled queries to pooled keys and values.

    Attributes:
        grid: of the queries.
    """

    def __init__(self, attention: MultiscaleAttention, grid: _Grid) -> None:
        super().__init__()
        self._to_query, self._to_key, self._to_value = _thirds(attention.qkv)
        heads = attention.num_heads
        # the scale of the scores is in the keys, because the queries are also a shortcut
        self._key = _HeadPool(attention.pool_k, heads, grid, attention.scaler)
        self._value = _HeadPool(attention.pool_v, heads, grid)
        self._query = _Heads(heads, grid) if attention.pool_q is None else _HeadPool(attention.pool_q, heads, grid)
        self.grid = self._query.grid
        relative = attention.rel_pos_h is not None
        self._relative = _RelativePositions(attention, self.grid, self._key.grid) if relative else None
        self._adds_query = attention.residual_pool
        self._adds_query_of_summary = attention.residual_pool and attention.residual_with_cls_embed
        self._project = attention.project

    def memory(self, patches: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values, the summary token's first: (B, heads, 1 + L, D)."""
        key, value = self._to_key, self._to_value
        keys = torch.cat((self._key.of_summary(key(summary)), self._key.of_patches(key(patches))), 1)
        values = torch.cat((self._value.of_summary(value(summary)), self._value.of_patches(value(patches))), 1)
        return keys.transpose(1, 2), values.transpose(1, 2)

    def of_patches(self, patches: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what the patches take from the values, (B, L, C)."""
        queries = self._query.of_patches(self._to_query(patches))
        by_head = queries.transpose(1, 2)
        if self._relative is not None:
            by_head, keys = self._relative(by_head, keys)
        taken = _attended(by_head, keys, values)
        return self._projected(taken + queries if self._adds_query else taken)

    def of_summary(self, summary: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what the summary token takes from the values, (B, 1, C). It has no place relative to them."""
        queries = self._query.of_summary(self._to_query(summary))
        taken = _attended(queries.transpose(1, 2), keys, values)
        return self._projected(taken + queries if self._adds_query_of_summary else taken)

    def _projected(self, by_head: Tensor) -> Tensor:
        projected: Tensor = self._project(by_head.flatten(2))
        return projected


def _thirds(layer: nn.Linear) -> list[nn.Linear]:
    """Split a layer into those of queries, keys and values, so that nobody has to split what it returns."""
    parts = []
    for weight, bias in zip(layer.weight.detach().chunk(3), layer.bias.detach().chunk(3), strict=True):
        part = nn.Linear(layer.in_features, len(bias), device="meta")
        part.weight, part.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        parts.append(part)
    return parts


def _attended(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return (B, L, heads, D) for (B, heads, …, D). OpenVINO fuses this, and pads nothing as its own operator does."""
    return torch.matmul(torch.matmul(queries, keys.transpose(2, 3)).softmax(-1), values).transpose(1, 2)


class _Heads(nn.Module):
    """The heads of tokens, side by side in (B, L, heads * D), as (B, L, heads, D)."""

    def __init__(self, heads: int, grid: _Grid) -> None:
        super().__init__()
        self._heads, self.grid = heads, grid

    def of_patches(self, tokens: Tensor) -> Tensor:
        return tokens.reshape(*tokens.shape[:2], self._heads, -1)

    def of_summary(self, token: Tensor) -> Tensor:
        return token.reshape(*token.shape[:2], self._heads, -1)


class _HeadPool(_Heads):
    """A pool of patches, and the norm of each head.

    Args:
        pool: torchvision's; its convolution sees three steps in time and keeps their number.
        heads: as many share it.
        grid: of the patches.
        scale: multiplies what it returns.

    Attributes:
        grid: of the pooled patches.
    """

    _kernels: Tensor

    def __init__(self, pool: Pool, heads: int, grid: _Grid, scale: float = 1.0) -> None:
        convolution, norm = pool.pool, pool.norm_act[0]
        self._stride, self._padding = convolution.stride[1:], convolution.padding[1:]
        size = convolution.kernel_size[1:]
        super().__init__(heads, _pooled(grid, size, self._stride, self._padding))
        self._unpooled = grid
        kernels = convolution.weight.detach().transpose(0, 2)  # (3, 1, D, rows, columns)
        # three axes, because PyTorchRunner changes the layout of buffers of four and five
        self.register_buffer("_kernels", kernels.repeat(1, 1, heads, 1, 1).flatten(0, 2), persistent=False)
        self._norm = nn.LayerNorm(norm.normalized_shape, eps=norm.eps)
        self._norm.weight = nn.Parameter(norm.weight.detach() * scale)
        self._norm.bias = nn.Parameter(norm.bias.detach() * scale)

    def of_patches(self, tokens: Tensor) -> Tensor:
        frames = _as_pictures(tokens, self._unpooled)
        before, now, after = (
            _as_tokens(functional.conv2d(frames, kernel, None, self._stride, self._padding, groups=len(kernel)))
            for kernel in self._kernels.unsqueeze(1).chunk(3)
        )
        before, now, after = (part.reshape(len(tokens), self.grid[0], -1) for part in (before, now, after))
        none = torch.zeros_like(now[:, :1])
        pooled = now + torch.cat((none, before[:, :-1]), 1) + torch.cat((after[:, 1:], none), 1)
        return self.of_summary(pooled.reshape(len(tokens), -1, tokens.shape[2]))

    def of_summary(self, token: Tensor) -> Tensor:
        heads = super().of_summary(token)
        # on two axes: OpenVINO 2026.4.1 crashes in float32 when the norm of (B, L, heads, D) has a bias
        normed: Tensor = self._norm(heads.reshape(-1, heads.shape[3]))
        return normed.reshape(heads.shape)


class _MaxPool(nn.Module):
    """The largest values among neighbouring patches of the same step in time."""

    def __init__(self, pool: Any, grid: _Grid) -> None:
        super().__init__()
        self._size, self._stride, self._padding = pool.kernel_size[1:], pool.stride[1:], pool.padding[1:]
        self._grid = grid

    def forward(self, patches: Tensor) -> Tensor:
        frames = _as_pictures(patches, self._grid)
        pooled = functional.max_pool2d(frames, self._size, self._stride, self._padding)
        return _as_tokens(pooled).reshape(len(patches), -1, patches.shape[2])


def _as_pictures(tokens: Tensor, grid: _Grid) -> Tensor:
    """Return tokens (B, T * H * W, C) as pictures (B * T, C, H, W), without moving anything in memory."""
    return tokens.reshape(-1, *grid[1:], tokens.shape[2]).permute(0, 3, 1, 2)


def _as_tokens(pictures: Tensor) -> Tensor:
    """Return pictures (B * T, C, H, W) as tokens (B * T, H * W, C)."""
    return pictures.permute(0, 2, 3, 1).flatten(1, 2)


def _pooled(grid: _Grid, size: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...]) -> _Grid:
    rows, columns = ((grid[axis + 1] + 2 * padding[axis] - size[axis]) // stride[axis] + 1 for axis in range(len(size)))
    return grid[0], rows, columns


class _RelativePositions(nn.Module):
    """Columns for queries and keys, whose product scores how far apart both are in time, height and width.

    A query's columns are its scores for each time, row and column of the keys; a key's columns select its own.

    Args:
        attention: holds the learned vector of each distance.
        queries: the grid of the queries.
        keys: the grid of the keys.
    """

    _t: Tensor
    _h: Tensor
    _w: Tensor
    _selected: Tensor

    def __init__(self, attention: MultiscaleAttention, queries: _Grid, keys: _Grid) -> None:
        super().__init__()
        for axis, q, k in zip(_AXES, queries, keys, strict=True):
            vectors = _vectors(getattr(attention, f"rel_pos_{axis}").detach(), q, k)
            self.register_buffer(f"_{axis}", vectors.transpose(1, 2).contiguous(), persistent=False)
        self._grid = queries
        places = torch.cartesian_prod(*(torch.arange(size) for size in keys))
        own = torch.cat([functional.one_hot(places[:, axis], size) for axis, size in enumerate(keys)], 1)
        # the first key is the summary token, which has no place
        self.register_buffer("_selected", functional.pad(own, (0, 0, 1, 0)).float(), persistent=False)

    def forward(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Return queries (B, heads, L, D + columns) and keys (B, heads, 1 + L, D + columns)."""
        by_place = queries.reshape(*queries.shape[:2], *self._grid, -1)
        scores = (
            torch.matmul(by_place.flatten(3, 4), self._t),
            torch.matmul(by_place, self._h),
            torch.matmul(by_place.transpose(3, 4), self._w).transpose(3, 4),
        )
        flat = [score.reshape(*queries.shape[:3], -1) for score in scores]
        selected = self._selected.to(keys.dtype).expand(*keys.shape[:2], -1, -1)
        return torch.cat((queries, *flat), -1), torch.cat((keys, selected), -1)


def _vectors(learned: Tensor, queries: int, keys: int) -> Tensor:
    """Return the vector of the distance between each query and each key on one axis: (queries, keys, D).

    As in torchvision: the finer of both grids counts, and vectors in between are interpolated.
    """
    finest = max(queries, keys)
    apart = torch.arange(queries)[:, None] * max(keys / queries, 1.0)
    apart = apart - (torch.arange(keys) + 1.0 - keys) * max(queries / keys, 1.0)
    if len(learned) != 2 * finest - 1:
        learned = functional.interpolate(learned.T[None], size=2 * finest - 1, mode="linear")[0].T
    return learned[apart.long()]
