"""Owns the dense design: numeric columns, the intercept among them."""

import dataclasses
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.designs._base import Design, Leaf
from jaxglm.designs._gram import HIGHEST, gram, quick_gram
from jaxglm.designs._tiling import Tiling

# Rows whose products are added one after the other in float32.
_ROWS_TOGETHER = 64
# Numbers of another type made float64 at a time, which a core's own cache holds.
_NUMBERS_CONVERTED = 1 << 15
# A product of so few is made at once: for more, BLAS wakes its threads, and on a machine with other
# work waits for them for longer than the product takes.
_NUMBERS_TOGETHER = 1 << 13


def _in_halves(v: jax.Array, x: jax.Array) -> jax.Array:
    """The product v'x in float32, whose terms are added a few at a time, and their sums in pairs.

    One after the other, each term is rounded to the size of the sum so far. In rows that are in
    some order that is large although the whole sum is small: a hundred times what rows lose.
    """
    together = math.gcd(len(v), _ROWS_TOGETHER)
    sums = jnp.einsum(
        "br,brp->bp",
        v.reshape(len(v) // together, together),
        x.reshape(len(v) // together, together, x.shape[1]),
        precision=HIGHEST,
    )
    while len(sums) > 1:
        half = len(sums) // 2
        pairs = sums[:half] + sums[half : 2 * half]
        sums = jnp.concatenate([pairs, sums[2 * half :]])
    return sums[0]


def _multiply(x: np.ndarray, b: np.ndarray, product: np.ndarray) -> None:
    """Write X b, a few rows at a time, and nothing is copied."""
    n, p = x.shape
    rows = max(1, _NUMBERS_TOGETHER // max(p, 1))
    parts, whole = n // rows, n // rows * rows
    np.matmul(x[:whole].reshape(parts, rows, p), b, out=product[:whole].reshape(parts, rows))
    np.matmul(x[whole:], b, out=product[whole:])


def row_products(x: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sums of x b along the rows, where products with a zero of x are zero."""
    products = np.zeros(x.shape)
    np.multiply(x, b, out=products, where=x != 0)
    return products.sum(axis=1)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Dense(Design):
    """Numeric columns held as one array of shape [n, p], in the dtype the user gave."""

    values: Leaf

    @property
    def n_columns(self) -> int:
        return self.values.shape[-1]

    @property
    def numbers_per_row(self) -> int:
        return self.n_columns

    def matvec(self, b: jax.Array) -> jax.Array:
        return jnp.dot(self.values.astype(b.dtype), b, precision=HIGHEST)

    def rmatvec(self, v: jax.Array) -> jax.Array:
        x = self.values.astype(v.dtype)
        if v.dtype == jnp.float32:
            return _in_halves(v, x)
        return jnp.dot(v, x, precision=HIGHEST)

    def gram(self, w: jax.Array) -> jax.Array:
        return gram(self.values.astype(w.dtype), w)

    def quick_gram(self, w: jax.Array) -> jax.Array:
        return quick_gram(self.values, w)

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        x = self.values.astype(w.dtype)
        return jnp.sum((w[:, None] * x) * x, axis=0)  # x^2 first could overflow at weight 0

    def dense(self, dtype: jax.typing.DTypeLike) -> jax.Array:
        return self.values.astype(dtype)

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        values = np.asarray(self.values)
        rows, columns = np.nonzero(values)
        return values[rows, columns], rows, columns

    def largest(self) -> np.ndarray:
        values = np.asarray(self.values)
        return np.maximum(values.max(axis=0), -values.min(axis=0)).astype(float)

    def times(self, b: np.ndarray) -> np.ndarray:
        values = np.asarray(self.values)
        product = np.empty(len(values))
        if values.dtype == np.float64:
            _multiply(values, b, product)
            return product
        step = max(1, _NUMBERS_CONVERTED // max(self.n_columns, 1))
        for first in range(0, len(values), step):
            part = slice(first, first + step)
            _multiply(values[part].astype(np.float64), b, product[part])
        return product

    def times_rows(self, b: np.ndarray) -> np.ndarray:
        return row_products(np.asarray(self.values), b)

    def absolute(self) -> "Dense":
        return Dense(np.abs(np.asarray(self.values)))

    def take_columns(self, keep: np.ndarray) -> "Dense":
        return Dense(np.asarray(self.values)[:, keep])

    def take_rows(self, rows: np.ndarray) -> "Dense":
        # Three times as fast as indexing.
        return Dense(np.take(np.asarray(self.values), rows, axis=0))

    def columns_at(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        return iter(self.take_rows(rows).values.T)

    def tiled(self, tiling: Tiling) -> "Dense":
        return Dense(tiling.cut(np.asarray(self.values), 0.0))
