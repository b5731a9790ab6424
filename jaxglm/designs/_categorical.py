"""Owns the categorical design: integer codes instead of one-hot columns.

A product with the one-hot matrix is a gather, a product with its transpose a segment sum, so a
factor of any number of levels costs what one dense column does.
"""

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.designs._base import Design, Leaf
from jaxglm.designs._dense import HIGHEST, Dense, row_products
from jaxglm.designs._tiling import Tiling


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Categorical(Design):
    """The columns of one factor, of an interaction of factors, or of factor by numeric.

    `codes` [n] are in 0..n_levels, where `n_levels` means "no column" (the reference level).
    `multiplier` [n] scales the row (factor by numeric) or is None. `contrasts` [n_levels, p] maps
    levels to columns, None for treatment coding, where level j is column j. Contrasts are a tuple
    of rows, because they belong to the program (as the number of levels does), not to its data.
    """

    codes: Leaf
    multiplier: Leaf | None
    n_levels: int = dataclasses.field(metadata={"static": True})
    contrasts: tuple[tuple[float, ...], ...] | None = dataclasses.field(
        default=None, metadata={"static": True}
    )

    @property
    def n_columns(self) -> int:
        return self.n_levels if self.contrasts is None else len(self.contrasts[0])

    @property
    def numbers_per_row(self) -> int:
        return 1 if self.multiplier is None else 2

    def scaled(self, v: jax.Array) -> jax.Array:
        """V times the multiplier, row by row."""
        if self.multiplier is None:
            return v
        m = self.multiplier.astype(v.dtype)
        return v * (m if v.ndim == 1 else m[:, None])

    def level_sums(self, v: jax.Array) -> jax.Array:
        """Sums of v ([n] or [n, k]) over the rows of each level, without the reference."""
        return jax.ops.segment_sum(v, self.codes, self.n_levels + 1)[: self.n_levels]

    def to_columns(self, sums: jax.Array) -> jax.Array:
        """From sums over levels ([n_levels] or [n_levels, k]) to sums over columns."""
        if self.contrasts is None:
            return sums
        return jnp.dot(jnp.asarray(self.contrasts, sums.dtype).T, sums, precision=HIGHEST)

    def matvec(self, b: jax.Array) -> jax.Array:
        if self.contrasts is not None:
            b = jnp.dot(jnp.asarray(self.contrasts, b.dtype), b, precision=HIGHEST)
        with_reference = jnp.concatenate([b, jnp.zeros_like(b[:1])])
        return self.scaled(with_reference[self.codes])

    def rmatvec(self, v: jax.Array) -> jax.Array:
        return self.to_columns(self.level_sums(self.scaled(v)))

    def gram(self, w: jax.Array) -> jax.Array:
        return self.to_columns(self.to_columns(jnp.diag(self._level_weights(w))).T)

    def quick_gram(self, w: jax.Array) -> jax.Array:
        return self.gram(w.astype(jnp.float32))

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        weights = self._level_weights(w)
        if self.contrasts is None:
            return weights
        return jnp.dot(weights, jnp.asarray(self.contrasts, w.dtype) ** 2, precision=HIGHEST)

    def _level_weights(self, w: jax.Array) -> jax.Array:
        return self.level_sums(self.scaled(self.scaled(w)))

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return self.matvec(jnp.eye(self.n_columns, dtype=dtype))

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        codes = np.asarray(self.codes)
        sizes = np.ones(codes.size) if self.multiplier is None else np.asarray(self.multiplier)
        if self.contrasts is not None:
            return Dense(np.asarray(self.contrasts)[codes] * sizes[:, None]).entries()
        rows = np.flatnonzero(codes < self.n_levels)
        return sizes[rows], rows, codes[rows]

    def largest(self) -> np.ndarray:
        codes = np.asarray(self.codes)
        of_level = np.zeros(self.n_levels + 1)
        sizes = 1.0 if self.multiplier is None else np.abs(np.asarray(self.multiplier, float))
        np.maximum.at(of_level, codes, sizes)
        of_level = of_level[: self.n_levels]
        if self.contrasts is None:
            return of_level
        return (np.abs(np.asarray(self.contrasts)) * of_level[:, None]).max(axis=0)

    def times(self, b: np.ndarray) -> np.ndarray:
        of_level = b if self.contrasts is None else np.asarray(self.contrasts) @ b
        product = np.append(of_level, 0.0)[np.asarray(self.codes)]
        return product if self.multiplier is None else product * np.asarray(self.multiplier)

    def times_rows(self, b: np.ndarray) -> np.ndarray:
        codes = np.asarray(self.codes)
        if self.contrasts is None:
            with_reference = np.append(b, np.zeros((codes.size, 1)), axis=1)
            own = with_reference[np.arange(codes.size), codes]
        else:
            own = row_products(np.asarray(self.contrasts)[codes], b)
        if self.multiplier is None:
            return own
        return row_products(np.asarray(self.multiplier)[:, None], own[:, None])

    def absolute(self) -> "Categorical":
        sizes, contrasts = self.multiplier, self.contrasts
        return dataclasses.replace(
            self,
            multiplier=None if sizes is None else np.abs(np.asarray(sizes)),
            contrasts=None
            if contrasts is None
            else tuple(tuple(map(abs, row)) for row in contrasts),
        )

    def take_columns(self, keep: np.ndarray) -> "Categorical":
        if self.contrasts is not None:
            kept = np.asarray(self.contrasts)[:, keep]
            return dataclasses.replace(self, contrasts=tuple(map(tuple, kept.tolist())))
        count = int(keep.sum())
        # A level whose column is left out joins the reference: "no column".
        renumbered = np.append(np.where(keep, np.cumsum(keep) - 1, count), count).astype(np.int32)
        codes = renumbered[np.asarray(self.codes)]
        return dataclasses.replace(self, codes=codes, n_levels=count)

    def take_rows(self, rows: np.ndarray) -> "Categorical":
        multiplier = None if self.multiplier is None else np.asarray(self.multiplier)[rows]
        return dataclasses.replace(self, codes=np.asarray(self.codes)[rows], multiplier=multiplier)

    def columns_at(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        codes = np.asarray(self.codes)[rows]
        sizes = 1.0 if self.multiplier is None else np.asarray(self.multiplier)[rows]
        if self.contrasts is None:
            return (np.where(codes == level, sizes, 0.0) for level in range(self.n_levels))
        by_level = np.append(np.asarray(self.contrasts), np.zeros((1, self.n_columns)), axis=0)
        return (entries.take(codes) * sizes for entries in by_level.T)

    def tiled(self, tiling: Tiling) -> "Categorical":
        multiplier = self.multiplier
        return dataclasses.replace(
            self,
            codes=tiling.cut(np.asarray(self.codes), self._padding_code),
            multiplier=None if multiplier is None else tiling.cut(np.asarray(multiplier), 0.0),
        )

    @property
    def _padding_code(self) -> int:
        """A code for rows that are not there: no column, or any level under contrasts."""
        return self.n_levels if self.contrasts is None else 0


def cross(left: Categorical, right: Categorical, w: jax.Array) -> jax.Array:
    """Left' diag(w) right: a segment sum over the combined code."""
    width = right.n_levels + 1
    combined = left.codes * width + right.codes
    sums = jax.ops.segment_sum(
        right.scaled(left.scaled(w)), combined, (left.n_levels + 1) * width
    ).reshape(left.n_levels + 1, width)[: left.n_levels, : right.n_levels]
    return right.to_columns(left.to_columns(sums).T).T
