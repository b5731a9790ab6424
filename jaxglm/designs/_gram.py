"""Owns the Gram matrix of dense rows, in the forms that compilers make fast products of."""

import itertools

import jax
import jax.numpy as jnp

# float32 products are TF32 on recent NVIDIA GPUs and bfloat16 on TPU unless asked otherwise.
HIGHEST = jax.lax.Precision.HIGHEST

# Strips of so many columns or more are worth a product each.
_LEAST_STRIP, _MOST_STRIPS = 64, 4
# With fewer columns writing out a transpose costs what the product gains.
_LEAST_TRANSPOSED = 32


def gram(x: jax.Array, w: jax.Array) -> jax.Array:
    """X' diag(w) X, in the dtype of w."""
    weighted = (x * w[:, None]).T
    if _on_cpu() and w.dtype == jnp.float64 and x.shape[1] >= _LEAST_TRANSPOSED:
        # A transpose is a way of reading for XLA, and its product with such an operand takes half
        # as long again as one with a matrix that lies in memory as it is read.
        weighted = jax.lax.optimization_barrier(weighted + 0.0)
    return _product(weighted, x, HIGHEST)


def quick_gram(x: jax.Array, w: jax.Array) -> jax.Array:
    """The same in float32, on recent GPUs of TF32 products."""
    w = w.astype(jnp.float32)

    def plain() -> jax.Array:
        own = x.astype(jnp.float32)
        return _product((own * w[:, None]).T, own, jax.lax.Precision.DEFAULT)

    def of_roots() -> jax.Array:
        # One operand is written and read instead of two.
        z = jax.lax.optimization_barrier(x.astype(jnp.float32) * jnp.sqrt(w)[:, None])
        return _product(z.T, z, jax.lax.Precision.DEFAULT)

    if not _on_cpu():
        return plain()
    # Observed information has negative weights.
    return jax.lax.cond(jnp.all(w >= 0), of_roots, plain)


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu"


def _product(left: jax.Array, right: jax.Array, precision: jax.lax.Precision) -> jax.Array:
    """The product of [p, n] and [n, p], of which it is known that it is symmetric."""
    runs = _strips(right.shape[1])
    rows: list[jax.Array] = []
    for i, run in enumerate(runs):
        # The blocks on and right of the diagonal; those left of it are their transposes.
        part = jnp.dot(left[run], right[:, run.start :], precision=precision)
        above = [rows[j][:, run] for j in range(i)]
        rows.append(jnp.concatenate([*(block.T for block in above), part], axis=1))
    return jnp.concatenate(rows)


def _strips(p: int) -> list[slice]:
    """Runs of columns that share a product in the upper triangle of a Gram matrix."""
    count = _MOST_STRIPS if p >= _LEAST_STRIP * _MOST_STRIPS else 1
    edges = [p * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]
