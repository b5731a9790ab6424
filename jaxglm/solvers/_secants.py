"""Owns what earlier turns tell of a score's derivative where the information is not it.

Anderson's acceleration (1965, J. ACM 12, 547-560): of the last steps, that combination is taken
whose changes of the score come nearest to the score in hand; what these leave takes the step of the
information. With as many steps as columns it is a secant method, which converges faster than
linearly.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.algebra import Factor, solve

_MOST_STEPS = 8
# Of changes of length 1: what is shared by nearly equal ones is not divided by their difference.
_RIDGE = 1e-12
_HIGHEST = jax.lax.Precision.HIGHEST


class Secants(NamedTuple):
    """The last steps between accepted points and how they changed the score, the newest first.

    Attributes
    ----------
    steps, changes : [m, p]
        Zeros where there have not been so many.
    beta, score, plain : [p]
        The last accepted point, and the step of the information there; nan before there is one.
    """

    steps: jax.Array
    changes: jax.Array
    beta: jax.Array
    score: jax.Array
    plain: jax.Array

    @classmethod
    def none(cls, beta: jax.Array) -> "Secants":
        """Before the first turn."""
        zeros = jnp.zeros((min(_MOST_STEPS, beta.size), beta.size), beta.dtype)
        nothing = jnp.full_like(beta, jnp.nan)
        return cls(zeros, zeros, nothing, nothing, nothing)

    def and_of(self, beta: jax.Array, score: jax.Array, plain: jax.Array) -> "Secants":
        """With the step to a point that is accepted; score and next step there."""

        def newest(rows: jax.Array, change: jax.Array) -> jax.Array:
            return jnp.concatenate([jnp.where(jnp.isfinite(change), change, 0.0)[None], rows[:-1]])

        return Secants(
            newest(self.steps, beta - self.beta),
            newest(self.changes, score - self.score),
            beta,
            score,
            plain,
        )

    def direction(self, factor: Factor) -> jax.Array:
        """The corrected step from the last point; `factor` is that of the information there."""
        along = jax.vmap(lambda change: solve(factor, change))(self.changes)
        length = jnp.sqrt(jnp.maximum(jnp.sum(self.changes * along, axis=1), 0.0))
        known = (length > 0) & jnp.isfinite(length)
        unit = jnp.where(known, 1 / jnp.where(known, length, 1.0), 0.0)[:, None]
        changes, along = self.changes * unit, jnp.where(known[:, None], along, 0.0) * unit
        gram = jnp.dot(changes, along.T, precision=_HIGHEST)
        gram = gram + jnp.diag(jnp.where(known, _RIDGE, 1.0).astype(gram.dtype))
        parts = jnp.linalg.solve(gram, jnp.dot(along, self.score, precision=_HIGHEST))
        further = jnp.dot(parts, along - self.steps * unit, precision=_HIGHEST)
        return self.plain + jnp.where(jnp.isfinite(further), further, 0.0)
