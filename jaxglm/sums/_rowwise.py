"""Owns the per-row mathematics of one visit: loss, score and curvature in eta."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.families import Family

# A traced array, or the NumPy value that the host calls a compiled program with.
Value = Any


class Point(NamedTuple):
    """Where a pass over the rows evaluates, and how: all traced, so that one program serves all.

    Attributes
    ----------
    beta : [p]
        Coefficients.
    observed : bool
        Curvature from the observed rather than the expected information.
    start : int
        0: at `beta`. 1: at the family's initial mean of each row (R's mustart). 2: at one common
        mean, `center`, for all rows. Both starts give the sums whose Newton step from beta = 0 is
        the weighted least-squares fit to that linear predictor.
    center : float
        The common mean of start 2.
    barrier : float
        Multiple of the log barrier that keeps eta inside the domain of the link; 0 for none.
    lift : float or None
        Added to every linear predictor to start from: the step leads to coefficients that do
        without it. In lanes, where it costs less than the other starts.
    """

    beta: Value
    observed: Value
    start: Value
    center: Value
    barrier: Value
    lift: Value = None


class RowTerms(NamedTuple):
    """Per row: loss, its derivative in eta, and the curvature asked for; all at weight 1."""

    loss: jax.Array
    score: jax.Array
    curvature: jax.Array
    expected: jax.Array


def row_terms(
    family: Family, y: jax.Array, weight: jax.Array, offset: jax.Array, eta: jax.Array, at: Point
) -> RowTerms:
    """Loss, score and curvature of each row at `eta`, or at the start that `at` asks for."""
    starting = at.start > 0
    # A start of 0 that is known when the program is made leaves the starts out of it.
    if not (isinstance(at.start, int) and at.start == 0):
        initial = family.link.link(family.initial_mean(y, weight))
        common = jnp.broadcast_to(family.link.link(at.center), eta.shape)
        eta = jnp.where(at.start == 1, initial, jnp.where(at.start == 2, common, eta))

    if at.lift is not None:
        eta = eta + at.lift
    loss = family.loss(y, eta)
    score = family.score(y, eta)
    expected = family.fisher_weight(y, eta)
    if family.canonical:
        curvature = expected
    else:
        _, second = jax.jvp(lambda e: family.score(y, e), (eta,), (jnp.ones_like(eta),))
        curvature = jnp.where(starting | ~at.observed, expected, second)

    lower, upper = family.link.domain(family.mean_domain)
    for bound, side in ((lower, 1.0), (upper, -1.0)):
        if abs(bound) == float("inf"):
            continue
        slack = side * (eta - bound)
        inside = jnp.where(slack > 0, slack, 1.0)
        loss = loss - at.barrier * jnp.log(inside)
        score = score - at.barrier * side / inside
        curvature = curvature + at.barrier / inside**2

    # A start is a least-squares fit to eta - offset; start 2 ignores the response altogether.
    curvature = jnp.where(at.start == 2, jnp.ones_like(eta), curvature)
    score = jnp.where(at.start == 2, jnp.zeros_like(eta), score)
    score = jnp.where(starting, score - curvature * (eta - offset), score)
    if at.lift is not None:
        score = score - curvature * at.lift
    return RowTerms(loss, score, curvature, expected)


def pearson_rows(score: jax.Array, expected: jax.Array) -> jax.Array:
    """(y - mu)^2 / V of each row, from the score and the expected weight.

    These stay accurate where mu rounds to its limit and V to zero. Divided first: the square of a
    score overflows or vanishes where a response is far from 1.
    """
    return score * (score / jnp.where(expected > 0, expected, jnp.ones_like(expected)))
