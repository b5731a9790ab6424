"""Owns the sparse design: the stored entries of a block of rows, as triples.

Imports `designs._base` and `designs._dense` only.
"""

import dataclasses

import jax
import jax.numpy as jnp

from jaxglm.designs._base import Design
from jaxglm.designs._dense import Dense


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Sparse(Design):
    """Entries `values[k]` at (`rows[k]`, `columns[k]`) of a block of `n_rows` rows.

    Entries are padded with value 0 to a common count per tile. The Gram matrix goes through the
    dense form of the tile, so that scratch memory is one tile and never n x p.
    """

    values: jax.Array
    rows: jax.Array
    columns: jax.Array
    n_rows: int = dataclasses.field(metadata={"static": True})
    width: int = dataclasses.field(metadata={"static": True})

    @property
    def n_columns(self) -> int:
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

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        terms = self.values.astype(w.dtype) ** 2 * w[self.rows]
        return jax.ops.segment_sum(terms, self.columns, self.width)

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        zeros = jnp.zeros((self.n_rows, self.width), dtype)
        return zeros.at[self.rows, self.columns].add(self.values.astype(dtype))
