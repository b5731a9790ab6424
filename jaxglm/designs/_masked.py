"""Owns dense columns of which some take no part: those that a segment lacks or that are aliased.

Imports `designs._dense` only.
"""

import dataclasses

import jax
import jax.numpy as jnp

from jaxglm.designs._base import Leaf
from jaxglm.designs._dense import Dense


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Masked(Dense):
    """Columns that are zero where `keep` is 0, with 1 in their place on the diagonal of the Gram.

    The matrix stays regular, the score of such a column is 0, and so is its coefficient: programs
    of one shape serve segments that have different columns. Made inside a program, never tiled.

    Attributes
    ----------
    values : [n, p]
    keep : [p]
        1 or 0.
    """

    keep: Leaf

    @classmethod
    def of(cls, values: jax.Array, keep: jax.Array) -> "Masked":
        """Those columns of an array where `keep` holds."""
        kept = keep.astype(values.dtype)
        return cls(values * kept, kept)

    def gram(self, w: jax.Array) -> jax.Array:
        return super().gram(w) + jnp.diag(1 - self.keep)

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        return super().gram_diagonal(w) + (1 - self.keep)
