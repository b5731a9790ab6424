"""Owns the split design: dense columns beside factors, each kept in its own form.

Imports `designs._base`, `_dense`, `_categorical` and `_tiling` only.
"""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.designs._base import Design
from jaxglm.designs._categorical import Categorical, cross
from jaxglm.designs._dense import Dense
from jaxglm.designs._tiling import Tiling


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Split(Design):
    """One dense part followed by factors; columns are the parts' columns side by side."""

    numeric: Dense
    factors: tuple[Categorical, ...]

    @property
    def parts(self) -> tuple[Design, ...]:
        return (self.numeric, *self.factors)

    @property
    def n_columns(self) -> int:
        return sum(part.n_columns for part in self.parts)

    def matvec(self, b: jax.Array) -> jax.Array:
        ends = list(itertools.accumulate(part.n_columns for part in self.parts))
        pieces = jnp.split(b, ends[:-1])
        products = [part.matvec(piece) for part, piece in zip(self.parts, pieces, strict=True)]
        return sum(products[1:], start=products[0])

    def rmatvec(self, v: jax.Array) -> jax.Array:
        return jnp.concatenate([part.rmatvec(v) for part in self.parts])

    def gram(self, w: jax.Array) -> jax.Array:
        count = len(self.parts)
        blocks: list[list[jax.Array]] = [[w] * count for _ in range(count)]
        for i, part in enumerate(self.parts):
            blocks[i][i] = part.gram(w)
        weighted = w[:, None] * self.numeric.dense(w.dtype)
        for i, factor in enumerate(self.factors, start=1):
            blocks[i][0] = factor.to_columns(factor.level_sums(factor.scaled(weighted)))
            blocks[0][i] = blocks[i][0].T
        for (i, left), (j, right) in itertools.combinations(enumerate(self.factors, start=1), 2):
            blocks[i][j] = cross(left, right, w)
            blocks[j][i] = blocks[i][j].T
        return jnp.block(blocks)

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        return jnp.concatenate([part.gram_diagonal(w) for part in self.parts])

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return jnp.concatenate([part.dense(dtype) for part in self.parts], axis=1)

    def take_columns(self, keep: np.ndarray) -> "Split":
        ends = np.cumsum([part.n_columns for part in self.parts])
        numeric, *factors = np.split(keep, ends[:-1])
        kept = [
            factor.take_columns(mask)
            for factor, mask in zip(self.factors, factors, strict=True)
            if mask.any()
        ]
        return Split(self.numeric.take_columns(numeric), tuple(kept))

    def take_rows(self, rows: np.ndarray) -> "Split":
        factors = tuple(factor.take_rows(rows) for factor in self.factors)
        return Split(self.numeric.take_rows(rows), factors)

    def tiled(self, tiling: Tiling) -> "Split":
        factors = tuple(factor.tiled(tiling) for factor in self.factors)
        return Split(self.numeric.tiled(tiling), factors)
