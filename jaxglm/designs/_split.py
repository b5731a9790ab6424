"""Owns the split design: dense columns beside factors, each kept in its own form."""

import dataclasses
import itertools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.algebra import Bordered, Information
from jaxglm.designs._base import Design
from jaxglm.designs._categorical import Categorical, cross
from jaxglm.designs._dense import Dense
from jaxglm.designs._tiling import Tiling


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Split(Design):
    """One dense part followed by factors; columns are the parts' columns side by side.

    The last factor is `eliminated` if its levels are many: no row has two of them, so their block
    of the Gram matrix is diagonal, and `gram` says so.
    """

    numeric: Dense
    factors: tuple[Categorical, ...]
    eliminated: bool = dataclasses.field(default=False, metadata={"static": True})

    @property
    def parts(self) -> tuple[Design, ...]:
        return (self.numeric, *self.factors)

    @property
    def n_columns(self) -> int:
        return sum(part.n_columns for part in self.parts)

    def level_rows(self) -> np.ndarray:
        """How many rows each level of each factor has, one factor after the other; on the host."""
        counts = [
            np.bincount(factor.codes, minlength=factor.n_levels)[: factor.n_levels]
            for factor in self.factors
        ]
        return np.concatenate(counts)

    def matvec(self, b: jax.Array) -> jax.Array:
        ends = list(itertools.accumulate(part.n_columns for part in self.parts))
        pieces = jnp.split(b, ends[:-1])
        products = [part.matvec(piece) for part, piece in zip(self.parts, pieces, strict=True)]
        return sum(products[1:], start=products[0])

    def rmatvec(self, v: jax.Array) -> jax.Array:
        return jnp.concatenate([part.rmatvec(v) for part in self.parts])

    def gram(self, w: jax.Array) -> Information:
        weighted = w[:, None] * self.numeric.dense(w.dtype)
        if not self.eliminated:
            return self._corner(self.factors, w, weighted)
        *others, last = self.factors
        border = [last.level_sums(weighted), *(cross(last, other, w) for other in others)]
        return Bordered(
            corner=self._corner(tuple(others), w, weighted),
            border=jnp.concatenate(border, axis=1),
            diagonal=last.level_sums(w),
        )

    def quick_gram(self, w: jax.Array) -> Information:
        return self.gram(w.astype(jnp.float32))

    def _corner(
        self, factors: tuple[Categorical, ...], w: jax.Array, weighted: jax.Array
    ) -> jax.Array:
        """The Gram matrix of the numeric columns and some factors; `weighted` is w X."""
        count = 1 + len(factors)
        blocks: list[list[jax.Array]] = [[w] * count for _ in range(count)]
        blocks[0][0] = self.numeric.gram(w)
        for i, factor in enumerate(factors, start=1):
            blocks[i][i] = factor.gram(w)
            blocks[i][0] = factor.to_columns(factor.level_sums(factor.scaled(weighted)))
            blocks[0][i] = blocks[i][0].T
        for (i, left), (j, right) in itertools.combinations(enumerate(factors, start=1), 2):
            blocks[i][j] = cross(left, right, w)
            blocks[j][i] = blocks[i][j].T
        return jnp.block(blocks)

    @property
    def numbers_per_row(self) -> int:
        return self.numeric.n_columns + len(self.factors)

    @property
    def n_eliminated(self) -> int:
        return self.factors[-1].n_columns if self.eliminated else 0

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        return jnp.concatenate([part.gram_diagonal(w) for part in self.parts])

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return jnp.concatenate([part.dense(dtype) for part in self.parts], axis=1)

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        starts = itertools.accumulate((part.n_columns for part in self.parts), initial=0)
        found = [(start, *part.entries()) for start, part in zip(starts, self.parts, strict=False)]
        return (
            np.concatenate([values for _, values, _, _ in found]),
            np.concatenate([rows for _, _, rows, _ in found]),
            np.concatenate([start + columns for start, _, _, columns in found]),
        )

    def largest(self) -> np.ndarray:
        return np.concatenate([part.largest() for part in self.parts])

    def times(self, b: np.ndarray) -> np.ndarray:
        ends = np.cumsum([part.n_columns for part in self.parts])
        numeric, *pieces = np.split(b, ends[:-1])
        product = self.numeric.times(numeric)
        for factor, piece in zip(self.factors, pieces, strict=True):
            product += factor.times(piece)
        return product

    def times_rows(self, b: np.ndarray) -> np.ndarray:
        ends = np.cumsum([part.n_columns for part in self.parts])
        pieces = np.split(b, ends[:-1], axis=1)
        return sum(
            (part.times_rows(piece) for part, piece in zip(self.parts, pieces, strict=True)),
            start=np.zeros(len(b)),
        )

    def absolute(self) -> "Split":
        factors = tuple(factor.absolute() for factor in self.factors)
        return Split(self.numeric.absolute(), factors, self.eliminated)

    def take_columns(self, keep: np.ndarray) -> "Split":
        ends = np.cumsum([part.n_columns for part in self.parts])
        numeric, *factors = np.split(keep, ends[:-1])
        kept = [
            factor.take_columns(mask)
            for factor, mask in zip(self.factors, factors, strict=True)
            if mask.any()
        ]
        whole = self.eliminated and bool(factors[-1].any())
        return Split(self.numeric.take_columns(numeric), tuple(kept), whole)

    def take_rows(self, rows: np.ndarray) -> "Split":
        factors = tuple(factor.take_rows(rows) for factor in self.factors)
        return Split(self.numeric.take_rows(rows), factors, self.eliminated)

    def columns_at(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        return itertools.chain.from_iterable(part.columns_at(rows) for part in self.parts)

    def tiled(self, tiling: Tiling) -> "Split":
        factors = tuple(factor.tiled(tiling) for factor in self.factors)
        return Split(self.numeric.tiled(tiling), factors, self.eliminated)
