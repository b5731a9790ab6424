"""Owns the residuals of a fit, of several kinds."""

from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.diagnostics._anscombe import anscombe
from jaxglm.diagnostics._by_row import by_row, is_probability, mean_slope, means
from jaxglm.words import FloatArray, check_choice

ResidualKind = Literal["response", "pearson", "deviance", "working", "anscombe"]


def _difference(family: Any, y: jax.Array, eta: jax.Array) -> jax.Array:
    if not is_probability(family):
        return y - family.link.inverse(eta)
    # y - mu without the cancellation where mu rounds to one.
    mean = jnp.exp(family.link.log_inverse(eta))
    return y * jnp.exp(family.link.log_complement(eta)) - (1 - y) * mean


def _signed_root(family: Any, y: jax.Array, eta: jax.Array) -> jax.Array:
    unit = family.unit_deviance(y, family.link.inverse(eta))
    return jnp.sign(_difference(family, y, eta)) * jnp.sqrt(jnp.maximum(unit, 0.0))


def _pull(family: Any, y: jax.Array, eta: jax.Array) -> jax.Array:
    return -family.score(y, eta)


def _expected(family: Any, y: jax.Array, eta: jax.Array) -> jax.Array:
    return family.fisher_weight(y, eta)


def pull_and_weight(family: Any, y: FloatArray, eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Derivative of the log-likelihood in eta, and its expected information, at weight 1."""
    return by_row(_pull, family, y, eta), by_row(_expected, family, y, eta)


def residuals(
    kind: ResidualKind, family: Any, y: FloatArray, eta: FloatArray, weight: FloatArray
) -> FloatArray:
    """Residuals of one kind; see `Results.resid` for the formulas."""
    check_choice("kind", kind, get_args(ResidualKind))
    if kind == "anscombe":
        mean = means(family, eta)
        # At a limit of the range of the mean the formula is 0 / 0.
        return np.where(y == mean, 0.0, anscombe(family, y, mean)) * np.sqrt(weight)
    if kind == "response":
        return by_row(_difference, family, y, eta)
    if kind == "deviance":
        return by_row(_signed_root, family, y, eta) * np.sqrt(weight)
    # (y - mu) / (d mu / d eta) = -score / w and (y - mu)^2 / V(mu) = score^2 / w, w the expected
    # weight: both stay accurate where mu rounds to its limit and V(mu) to zero.
    pull, expected = pull_and_weight(family, y, eta)
    if kind == "working":
        bottom = expected
    else:
        rising = np.where(mean_slope(family, eta) < 0, -1.0, 1.0)
        pull, bottom = pull * rising * np.sqrt(weight), np.sqrt(expected)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pull == 0.0, 0.0, pull / bottom)
