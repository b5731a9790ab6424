"""Owns the dense design: numeric columns, the intercept among them.

Imports `designs._base` only.
"""

import dataclasses

import jax
import jax.numpy as jnp

from jaxglm.designs._base import Design

# float32 products are TF32 on recent NVIDIA GPUs and bfloat16 on TPU unless asked otherwise.
HIGHEST = jax.lax.Precision.HIGHEST


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Dense(Design):
    """Numeric columns held as one array of shape [n, p], in the dtype the user gave."""

    values: jax.Array

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
        return jnp.dot(w, x * x, precision=HIGHEST)

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return self.values.astype(dtype)
