"""Owns coordinate descent: the minimum of a quadratic function with absolute values, in a box.

Groups of coefficients whose norms are added to it are visited as a whole (`_blocks`).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.algebra._blocks import ROUNDING, Norms, blocks_of, sweep_blocks


class Bend(NamedTuple):
    """What keeps a function of coefficients from being quadratic.

    Attributes
    ----------
    threshold : [p]
        Multiples of their absolute values; 0 for none.
    lower, upper : [p]
        Their least and greatest values; infinite for none.
    norms : Norms or None
        Of groups of coefficients that have neither a threshold nor a bound.
    """

    threshold: Any
    lower: Any
    upper: Any
    norms: Norms | None = None

    @property
    def choosing(self) -> np.ndarray:
        """Coefficients that it may hold at zero, [p] bool, on the host."""
        own = np.asarray(self.threshold) > 0
        return own if self.norms is None else own | (np.asarray(self.norms.weight) > 0)

    def take(self, columns: np.ndarray) -> "Bend":
        """Of some coefficients, in this order."""
        norms = None if self.norms is None else self.norms.take(columns)
        return Bend(self.threshold[columns], self.lower[columns], self.upper[columns], norms)

    def times(self, strength: Any) -> "Bend":
        """A multiple of it in the same box."""
        norms = self.norms
        if norms is not None:
            norms = norms._replace(weight=strength * norms.weight)
        return self._replace(threshold=strength * self.threshold, norms=norms)

    def value(self, beta: jax.Array) -> jax.Array:
        """What is added to the quadratic part inside the box."""
        own = jnp.sum(self.threshold * jnp.abs(beta))
        return own if self.norms is None else own + self.norms.value(beta)

    def nearest(self, free: jax.Array, curvature: jax.Array) -> jax.Array:
        """Where curvature/2 (b - free)^2 with the rest of one coefficient is least."""
        size = jnp.abs(free) - self.threshold / curvature
        # What is left of two equal numbers is rounding.
        size = jnp.where(size > ROUNDING * jnp.finfo(free.dtype).eps * jnp.abs(free), size, 0.0)
        return jnp.clip(jnp.sign(free) * size, self.lower, self.upper)

    def violation(self, beta: Any, score: Any) -> jax.Array:
        """How far each coefficient is from its condition of optimality, on the scale of the score.

        Zero where minus the score is in the subdifferential of the rest (Karush, Kuhn, Tucker).
        """
        side = jnp.sign(beta)
        at_zero = jnp.maximum(jnp.abs(score) - self.threshold, 0.0)
        # The slope to the right and to the left, where the coefficient may go there.
        signed = jnp.where(side == 0, jnp.sign(score) * at_zero, score + side * self.threshold)
        up = (signed < 0) & (beta < self.upper)
        down = (signed > 0) & (beta > self.lower)
        own = jnp.where(up | down, jnp.abs(signed), 0.0)
        if self.norms is None:
            return own
        return jnp.where(self.norms.weight > 0, self.norms.violation(beta, score), own)

    def emptying(self, score: Any) -> float:
        """The least multiple of it that holds at zero, against this slope, all that it may hold."""
        own = np.asarray(self.threshold) > 0
        alone = self._replace(threshold=np.zeros_like(self.threshold), norms=None)
        pull = np.asarray(alone.violation(np.zeros_like(score), score))
        most = np.max(pull[own] / self.threshold[own], initial=0.0)
        return float(most if self.norms is None else max(most, self.norms.emptying(score)))


class _State(NamedTuple):
    beta: jax.Array
    score: jax.Array
    moved: jax.Array
    left: jax.Array
    first: jax.Array
    sweeps: jax.Array


def descend(
    matrix: jax.Array,
    score: jax.Array,
    beta: jax.Array,
    bend: Bend,
    share: float,
    least: jax.Array,
    most_sweeps: int,
) -> jax.Array:
    """Minimise score'(b - beta) + (b - beta)' matrix (b - beta) / 2 + bend.value(b) over b.

    Parameters
    ----------
    matrix : [p, p]
        Symmetric, without negative eigenvalues; a column without an entry stays where it is.
    score, beta : [p]
        The slope at `beta`, from where the descent starts.
    bend : Bend
    share, least : float
        It ends where less is left, by the convergence seen, than this share of the first sweep or
        than this, in the metric of the matrix.
    most_sweeps : int

    Returns
    -------
    [p]
        The minimum; coefficients that are zero there are zero to the last bit.
    """
    diagonal, tables = jnp.diagonal(matrix), []
    if bend.norms is not None:
        tables = blocks_of(matrix, bend.norms)
        diagonal = jnp.where(bend.norms.weight > 0, 0.0, diagonal)
    inf = jnp.full((), jnp.inf, beta.dtype)
    start = _State(beta, score, inf, inf, inf, jnp.zeros((), jnp.int32))

    def visit(j: jax.Array, known: tuple) -> tuple:
        beta, score, moved = known
        h, own = diagonal[j], Bend(*(part[j] for part in bend[:3]))
        old = beta[j]
        new = own.nearest(old - score[j] / h, h)
        change = jnp.where(h > 0, new - old, 0.0)
        # Coefficients that stay, most of them at zero, cost nothing more.
        score = jax.lax.fori_loop(
            0, (change != 0).astype(jnp.int32), lambda _, s: s + change * matrix[j], score
        )
        return beta.at[j].set(jnp.where(h > 0, new, old)), score, moved + h * change * change

    def sweep(state: _State) -> _State:
        nothing = jnp.zeros((), beta.dtype)
        known = (state.beta, state.score, nothing)
        known = jax.lax.fori_loop(0, beta.shape[0], visit, known)
        for blocks in tables:
            known = sweep_blocks(blocks, matrix, known)
        b, s, squared = known
        moved = jnp.sqrt(squared)
        ratio = moved / state.moved
        left = jnp.where(ratio < 1, moved * ratio / (1 - ratio), inf)
        # The first sweep says nothing of the convergence.
        left = jnp.where(moved == 0, 0.0, jnp.where(jnp.isfinite(state.moved), left, inf))
        first = jnp.where(state.sweeps == 0, moved, state.first)
        return _State(b, s, moved, left, first, state.sweeps + 1)

    def goes_on(state: _State) -> jax.Array:
        target = jnp.maximum(share * state.first, least)
        return (state.sweeps < most_sweeps) & ((state.sweeps == 0) | (state.left > target))

    return jax.lax.while_loop(goes_on, sweep, start).beta
