"""Owns p-sized matrices of many lanes at once: elementwise over a last axis of lanes.

Calls of LAPACK for matrices of a few columns cost more than what they compute. Here each lane of
an array is a lane of the processor's registers, and a program made of nothing else is compiled as
one piece (`_programs`).
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp

Carry = TypeVar("Carry")


class Triangle(NamedTuple):
    """Symmetric matrices by their lower triangle, as sums are made of them.

    Attributes
    ----------
    rows : tuple of [1, W], [2, W], ..., [p, W]
        W lanes.
    """

    rows: tuple[jax.Array, ...]

    def matrices(self) -> "LaneMatrices":
        """The same in one array."""
        p, like = len(self.rows), self.rows[-1]
        lower = jnp.zeros((p, *like.shape), like.dtype)
        for i, row in enumerate(self.rows):
            # Stacked, they would take long to compile.
            lower = jax.lax.dynamic_update_slice(lower, row[None], (i, 0, 0))
        return LaneMatrices(lower)


class LaneMatrices(NamedTuple):
    """Symmetric matrices.

    Attributes
    ----------
    lower : [p, p, W]
        With zeros above the diagonal.
    """

    lower: jax.Array

    @property
    def diagonal(self) -> jax.Array:
        """[p, W]."""
        return jnp.stack([self.lower[i, i] for i in range(len(self.lower))])

    def full(self) -> jax.Array:
        """[p, p, W]."""
        upper = jnp.swapaxes(self.lower, 0, 1)
        return self.lower + upper * (1.0 - _unit(self.lower))

    def regular(self, keep: jax.Array) -> "LaneMatrices":
        """With those of the unit matrix in rows and columns where `keep` ([p, W]) does not hold."""
        return LaneMatrices(jnp.where(keep[:, None] & keep, self.lower, _unit(self.lower)))


def _unit(like: jax.Array) -> jax.Array:
    """The unit matrix, [p, p, 1]."""
    return jnp.eye(len(like), dtype=like.dtype)[..., None]


class LaneFactor(NamedTuple):
    """Cholesky factors of matrices scaled to a unit diagonal; see `Factor`.

    Attributes
    ----------
    lower : [p, p, W]
        Above the diagonal it holds what is left of the elimination: it is not looked at.
    scale : [p, W]
    pivot : [W]
    """

    lower: jax.Array
    scale: jax.Array
    pivot: jax.Array

    def _times(self, k: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Column k below the diagonal, [p, W], and one over the diagonal's entry."""
        column = jax.lax.dynamic_index_in_dim(self.lower, k, 1, keepdims=False)
        below = jnp.arange(len(column))[:, None] > k
        pivot = jax.lax.dynamic_index_in_dim(column, k, 0, keepdims=False)
        return jnp.where(below, column, 0.0), 1.0 / pivot

    def forward(self, g: jax.Array) -> jax.Array:
        """L^-1 S g for g of shape [p, W] or [p, k, W]."""
        scale = self.scale if g.ndim == 2 else self.scale[:, None]

        def step(k: jax.Array, left: jax.Array) -> jax.Array:
            column, inverse = self._times(k)
            own = jax.lax.dynamic_index_in_dim(left, k, 0, keepdims=False) * inverse
            column = column if g.ndim == 2 else column[:, None]
            return jax.lax.dynamic_update_index_in_dim(left - column * own, own, k, 0)

        return _turns(len(g), step, g * scale)

    def solve(self, g: jax.Array) -> jax.Array:
        """H^-1 g, [p, W]."""
        p = len(g)

        def step(turn: jax.Array, left: jax.Array) -> jax.Array:
            k = p - 1 - turn
            column, inverse = self._times(k)
            own = jax.lax.dynamic_index_in_dim(left, k, 0, keepdims=False)
            own = (own - jnp.sum(column * left, axis=0)) * inverse
            return jax.lax.dynamic_update_index_in_dim(left, own, k, 0)

        return _turns(p, step, self.forward(g)) * self.scale

    def inverse_root(self) -> jax.Array:
        """R with R R' = H^-1, [p, p, W]."""
        p, lanes = self.scale.shape
        eye = jnp.broadcast_to(jnp.eye(p, dtype=self.scale.dtype)[..., None], (p, p, lanes))
        return jnp.swapaxes(self.forward(eye), 0, 1)


def factorise_lanes(h: LaneMatrices) -> LaneFactor:
    """Factors of positive definite matrices; others show by a pivot that is nan or not positive."""
    diagonal = h.diagonal
    positive = diagonal > 0
    scale = jnp.where(positive, 1.0 / jnp.sqrt(jnp.where(positive, diagonal, 1.0)), 0.0)
    p = len(diagonal)
    scaled = h.lower * scale[:, None] * scale

    def step(k: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        left, least = carry
        column = jax.lax.dynamic_index_in_dim(left, k, 1, keepdims=False)
        pivot = jax.lax.dynamic_index_in_dim(column, k, 0, keepdims=False)
        # A comparison with nan is False: the pivot that is not known stays the least.
        least = jnp.where(least < pivot, least, pivot)
        column = column / jnp.sqrt(pivot)
        below = jnp.where(jnp.arange(p)[:, None] > k, column, 0.0)
        left = left - below[:, None] * below
        return jax.lax.dynamic_update_index_in_dim(left, column, k, 1), least

    lower, pivot = _turns(p, step, (scaled, jnp.ones_like(diagonal[0])))
    return LaneFactor(lower, scale, pivot)


def _turns(count: int, step: Callable[[jax.Array, Carry], Carry], carry: Carry) -> Carry:
    """`fori_loop`, which with a known count makes a loop of another kind: a call each turn."""

    def turn(at: tuple[jax.Array, Carry]) -> tuple[jax.Array, Carry]:
        k, carry = at
        return k + 1, step(k, carry)

    start = jnp.zeros((), jnp.int32), carry
    return jax.lax.while_loop(lambda at: at[0] < count, turn, start)[1]
