"""Owns the dense design: numeric columns, the intercept among them.

Imports `designs._base` and `designs._tiling` only.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.designs._base import Design, Leaf
from jaxglm.designs._tiling import Tiling

# float32 products are TF32 on recent NVIDIA GPUs and bfloat16 on TPU unless asked otherwise.
HIGHEST = jax.lax.Precision.HIGHEST


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Dense(Design):
    """Numeric columns held as one array of shape [n, p], in the dtype the user gave."""

    values: Leaf

    @property
    def n_columns(self) -> int:
        return self.values.shape[-1]

    def matvec(self, b: jax.Array) -> jax.Array:
        return jnp.dot(self.values.astype(b.dtype), b, precision=HIGHEST)

    def rmatvec(self, v: jax.Array) -> jax.Array:
        return jnp.dot(v, self.values.astype(v.dtype), precision=HIGHEST)

    def gram(self, w: jax.Array) -> jax.Array:
        x = self.values.astype(w.dtype)
        return jnp.dot((x * w[:, None]).T, x, precision=HIGHEST)

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        x = self.values.astype(w.dtype)
        return jnp.sum((w[:, None] * x) * x, axis=0)  # x^2 first could overflow at weight 0

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return self.values.astype(dtype)

    def take_columns(self, keep: np.ndarray) -> "Dense":
        return Dense(np.asarray(self.values)[:, keep])

    def take_rows(self, rows: np.ndarray) -> "Dense":
        return Dense(np.asarray(self.values)[rows])

    def tiled(self, tiling: Tiling) -> "Dense":
        return Dense(tiling.cut(np.asarray(self.values), 0.0))
