"""Owns dense columns of which some take no part: those that a segment lacks or that are aliased."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxglm.designs._base import Operator
from jaxglm.designs._dense import Dense


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Masked(Operator):
    """Columns that are zero where `keep` is 0, with 1 in their place on the diagonal of the Gram.

    The matrix stays regular, the score of such a column is 0, and so is its coefficient: programs
    of one shape serve segments that have different columns.

    Attributes
    ----------
    columns : Dense
    keep : [p]
        1 or 0.
    """

    columns: Dense
    keep: jax.Array

    @classmethod
    def of(cls, values: jax.Array, keep: jax.Array) -> "Masked":
        """Those columns of an array where `keep` holds."""
        return cls(Dense(values), keep.astype(values.dtype))

    @property
    def n_columns(self) -> int:
        return self.columns.n_columns

    def matvec(self, b: jax.Array) -> jax.Array:
        return self.columns.matvec((b.T * self.keep).T)

    def rmatvec(self, v: jax.Array) -> jax.Array:
        return self._kept(self.columns.rmatvec(v))

    def gram(self, w: jax.Array) -> jax.Array:
        return self._regular(self.columns.gram(w))

    def quick_gram(self, w: jax.Array) -> jax.Array:
        return self._regular(self.columns.quick_gram(w))

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        return self._kept(self.columns.gram_diagonal(w)) + (1 - self.keep)

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return self._kept(self.columns.dense(dtype))

    def _regular(self, gram: jax.Array) -> jax.Array:
        both = self.keep[:, None] * self.keep
        return jnp.where(both > 0, gram, jnp.diag(1 - self.keep).astype(gram.dtype))

    def _kept(self, values: jax.Array) -> jax.Array:
        # A column left out may have values that overflow.
        return jnp.where(self.keep > 0, values, jnp.zeros_like(values))
