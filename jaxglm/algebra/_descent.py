"""Owns coordinate descent: the minimum of a quadratic function with absolute values, in a box.

Groups of coefficients whose norms are added to it are visited as a whole (`_blocks`).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.algebra._blocks import ROUNDING, Norms, blocks_of, sweep_blocks

# Visits to the coefficients that are not zero between two to all of them.
_SHORT = 5
# Of the squared lengths of their steps: nearly equal ones are not divided by their difference.
_RIDGE = 1e-12


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
    rounds: jax.Array


def descend(
    matrix: jax.Array,
    score: jax.Array,
    beta: jax.Array,
    bend: Bend,
    share: float,
    least: jax.Array,
    most_rounds: int,
) -> jax.Array:
    """Minimise score'(b - beta) + (b - beta)' matrix (b - beta) / 2 + bend.value(b) over b.

    Each round visits the coefficients that are not zero a few times, goes on to where these visits
    lead if that is better, and visits all of them (Bertrand and Massias 2021, AISTATS).

    Parameters
    ----------
    matrix : [p, p]
        Symmetric, without negative eigenvalues; a column without an entry stays where it is.
    score, beta : [p]
        The slope at `beta`, from where the descent starts.
    bend : Bend
    share, least : float
        It ends where less is left, by the convergence seen, than this share of the first visit or
        than this, in the metric of the matrix.
    most_rounds : int

    Returns
    -------
    [p]
        The minimum; coefficients that are zero there are zero to the last bit.
    """
    diagonal, tables, p = jnp.diagonal(matrix), [], beta.size
    if bend.norms is not None:
        tables = blocks_of(matrix, bend.norms)
        diagonal = jnp.where(bend.norms.weight > 0, 0.0, diagonal)

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

    def visits(beta: jax.Array, score: jax.Array, order: jax.Array, count: Any) -> tuple:
        known = beta, score, jnp.zeros((), beta.dtype)
        known = jax.lax.fori_loop(0, count, lambda i, known: visit(order[i], known), known)
        for blocks in tables:
            known = sweep_blocks(blocks, matrix, known)
        b, s, squared = known
        return b, s, jnp.sqrt(squared)

    def every(beta: jax.Array, score: jax.Array) -> tuple:
        return visits(beta, score, jnp.arange(p), p)

    def value(b: jax.Array, s: jax.Array) -> jax.Array:
        return 0.5 * jnp.vdot(s + score, b - beta) + bend.value(b)

    def further(b: jax.Array, s: jax.Array) -> tuple:
        """Where visits to the coefficients that are not zero lead, by Anderson's extrapolation."""
        order, count = jnp.argsort(b == 0), jnp.sum(b != 0)
        points = jnp.zeros((_SHORT + 1, p), b.dtype).at[0].set(b)
        slopes = jnp.zeros((_SHORT + 1, p), b.dtype).at[0].set(s)

        def short(i: jax.Array, known: tuple) -> tuple:
            b, s, _ = visits(known[0][i], known[1][i], order, count)
            return known[0].at[i + 1].set(b), known[1].at[i + 1].set(s)

        points, slopes = jax.lax.fori_loop(0, _SHORT, short, (points, slopes))
        steps, changes = jnp.diff(points, axis=0), jnp.diff(slopes, axis=0)
        lengths = jnp.matmul(steps, changes.T, precision=jax.lax.Precision.HIGHEST)
        lengths = lengths + _RIDGE * jnp.trace(lengths) * jnp.eye(_SHORT, dtype=b.dtype)
        weight = jnp.linalg.solve(lengths, jnp.ones(_SHORT, b.dtype))
        weight = weight / jnp.sum(weight)
        beyond, slope = weight @ points[1:], weight @ slopes[1:]
        inside = jnp.all((beyond >= bend.lower) & (beyond <= bend.upper))
        better = inside & (value(beyond, slope) < value(points[-1], slopes[-1]))
        return jnp.where(better, beyond, points[-1]), jnp.where(better, slope, slopes[-1])

    b, s, first = every(beta, score)
    inf = jnp.full((), jnp.inf, beta.dtype)
    start = _State(b, s, first, jnp.where(first == 0, 0.0, inf), jnp.zeros((), jnp.int32))
    target = jnp.maximum(share * first, least)

    def one_round(state: _State) -> _State:
        b, s, moved = every(*further(state.beta, state.score))
        ratio = moved / state.moved
        left = jnp.where(ratio < 1, moved * ratio / (1 - ratio), inf)
        return _State(b, s, moved, left, state.rounds + 1)

    def goes_on(state: _State) -> jax.Array:
        return (state.rounds < most_rounds) & (state.left > target)

    return jax.lax.while_loop(goes_on, one_round, start).beta
