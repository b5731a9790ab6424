"""Owns the columns of some rows of many segments, a lane each: arrays end with an axis of lanes."""

import dataclasses
import functools
import operator
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp

from jaxglm.algebra import Triangle


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class InLanes:
    """Numeric columns of a few rows of W lanes, all products elementwise.

    What an `Operator` is of a block of rows, this is of each lane. Sums over rows and columns are
    written out: XLA's own take three times as long.

    Attributes
    ----------
    values : [p, T, W]
    filled : bool
        Whether there are any rows: traced, and so what `_once` needs.
    """

    values: Any
    filled: Any

    @property
    def n_columns(self) -> int:
        return self.values.shape[-3]

    def matvec(self, b: jax.Array) -> jax.Array:
        """X b, [T, W], for b of shape [p, W]."""
        x = self.values.astype(b.dtype)
        return self._once(_added(x[j] * b[j] for j in range(self.n_columns)))

    def rmatvec(self, v: jax.Array) -> jax.Array:
        """X' v, [p, W], for v of shape [T, W]."""
        x, v = self.values.astype(v.dtype), self._once(v)
        return _added(x[:, t] * v[t] for t in range(len(v)))

    def gram(self, w: jax.Array) -> Triangle:
        """X' diag(w) X for w of shape [T, W]."""
        x, w = self.values.astype(w.dtype), self._once(w)

        def row(i: int) -> jax.Array:
            return _added(x[: i + 1, t] * (x[i, t] * w[t]) for t in range(len(w)))

        return Triangle(tuple(map(row, range(self.n_columns))))

    def gram_diagonal(self, w: jax.Array) -> jax.Array:
        """The diagonal of `gram(w)`, [p, W]."""
        x, w = self.values.astype(w.dtype), self._once(w)
        return _added(x[:, t] * (x[:, t] * w[t]) for t in range(len(w)))

    def total(self, values: jax.Array) -> jax.Array:
        """The sum over the rows of a number of each, [W]."""
        return _added(self._once(values))

    def _once(self, values: jax.Array) -> jax.Array:
        """The values as an array of their own.

        XLA computes what several terms are made of again in each of them, unless it is a logarithm
        or the like, and heeds no barrier. It does not look through a condition.
        """
        return jax.lax.cond(self.filled, lambda values: values, jnp.zeros_like, values)


def _added(terms: Iterable[jax.Array]) -> jax.Array:
    return functools.reduce(operator.add, terms)
