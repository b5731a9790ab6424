"""Owns the sparse design: the stored entries of a block of rows, as triples."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.designs._base import Design, Leaf
from jaxglm.designs._dense import Dense
from jaxglm.designs._tiling import Tiling, bucket


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Sparse(Design):
    """Entries `values[k]` at (`rows[k]`, `columns[k]`) of a block of `n_rows` rows.

    Entries are padded with value 0 to a common count per tile. The Gram matrix goes through the
    dense form of the tile, so that scratch memory is one tile and never n x p.
    """

    values: Leaf
    rows: Leaf
    columns: Leaf
    n_rows: int = dataclasses.field(metadata={"static": True})
    width: int = dataclasses.field(metadata={"static": True})

    @property
    def n_columns(self) -> int:
        return self.width

    @property
    def numbers_per_row(self) -> int:
        return self.width

    def matvec(self, b: jax.Array) -> jax.Array:
        values = self.values.astype(b.dtype)
        terms = b[self.columns] * (values if b.ndim == 1 else values[:, None])
        return jax.ops.segment_sum(terms, self.rows, self.n_rows)

    def rmatvec(self, v: jax.Array) -> jax.Array:
        terms = self.values.astype(v.dtype) * v[self.rows]
        return jax.ops.segment_sum(terms, self.columns, self.width)

    def gram(self, w: jax.Array) -> jax.Array:
        return Dense(self.dense(w.dtype)).gram(w)

    def quick_gram(self, w: jax.Array) -> jax.Array:
        return Dense(self.dense(jnp.float32)).quick_gram(w)

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        values = self.values.astype(w.dtype)
        terms = (values * w[self.rows]) * values
        return jax.ops.segment_sum(terms, self.columns, self.width)

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        zeros = jnp.zeros((self.n_rows, self.width), dtype)
        return zeros.at[self.rows, self.columns].add(self.values.astype(dtype))

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.asarray(self.values), np.asarray(self.rows), np.asarray(self.columns)

    def largest(self) -> np.ndarray:
        out = np.zeros(self.width)
        np.maximum.at(out, self.columns, np.abs(np.asarray(self.values, float)))
        return out

    def times(self, b: np.ndarray) -> np.ndarray:
        terms = np.asarray(self.values) * b[np.asarray(self.columns)]
        # Of no entries the sums are whole numbers.
        return np.bincount(np.asarray(self.rows), terms, self.n_rows).astype(float)

    def times_rows(self, b: np.ndarray) -> np.ndarray:
        values, rows = np.asarray(self.values, float), np.asarray(self.rows)
        stored = values != 0
        rows = rows[stored]
        terms = values[stored] * b[rows, np.asarray(self.columns)[stored]]
        return np.bincount(rows, terms, self.n_rows)

    def absolute(self) -> "Sparse":
        return dataclasses.replace(self, values=np.abs(np.asarray(self.values)))

    def take_columns(self, keep: np.ndarray) -> "Sparse":
        columns = np.asarray(self.columns)
        stored = keep[columns]
        return Sparse(
            values=np.asarray(self.values)[stored],
            rows=np.asarray(self.rows)[stored],
            columns=(np.cumsum(keep) - 1)[columns[stored]].astype(np.int32),
            n_rows=self.n_rows,
            width=int(keep.sum()),
        )

    @functools.cached_property
    def _by_row(self) -> Any:
        """The entries in an order in which each row is found at once."""
        import scipy.sparse

        places = np.asarray(self.rows), np.asarray(self.columns)
        shape = (self.n_rows, self.width)
        return scipy.sparse.csr_array((np.asarray(self.values), places), shape)

    def dense_at(self, rows: np.ndarray) -> np.ndarray:
        """The rows at some positions, repeated ones too, as an array [k, p] on the host."""
        return self._by_row[rows].toarray()

    def columns_at(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        return iter(self.dense_at(rows).T)

    def take_rows(self, rows: np.ndarray) -> "Sparse":
        new_row = np.full(self.n_rows, -1, np.int32)
        new_row[rows] = np.arange(rows.size, dtype=np.int32)
        target = new_row[np.asarray(self.rows)]
        stored = target >= 0
        return Sparse(
            values=np.asarray(self.values)[stored],
            rows=target[stored],
            columns=np.asarray(self.columns)[stored],
            n_rows=rows.size,
            width=self.width,
        )

    def tiled(self, tiling: Tiling) -> "Sparse":
        """Entries grouped by tile, each tile padded to the same number of entries."""
        tile = np.asarray(self.rows) // tiling.rows
        order = np.argsort(tile, kind="stable")
        per_tile = np.bincount(tile, minlength=tiling.count)
        width = bucket(int(per_tile.max(initial=1)))
        slot = np.arange(order.size) - np.repeat(np.cumsum(per_tile) - per_tile, per_tile)
        target = tile[order] * width + slot

        def fill(values: np.ndarray) -> jax.Array:
            out = np.zeros(tiling.count * width, values.dtype)
            out[target] = values[order]
            return jnp.asarray(out.reshape(tiling.count, width))

        return Sparse(
            values=fill(np.asarray(self.values)),
            rows=fill(np.asarray(self.rows) % tiling.rows),
            columns=fill(np.asarray(self.columns)),
            n_rows=tiling.rows,
            width=self.width,
        )
