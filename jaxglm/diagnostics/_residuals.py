"""Owns what a fit says about its rows: residuals, and the facts that tests and notes are made of.

One pass over the rows gives `RowFacts`, plain numbers that outlive the data, so that a saved result
prints the same notes as the live one.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._numbers import FloatArray
from jaxglm.designs import bucket
from jaxglm.sources import Rows

ResidualKind = Literal["response", "pearson", "deviance", "working"]


def evaluate(function: Callable[..., Any], *arrays: FloatArray) -> FloatArray:
    """A per-row jax function of NumPy arrays, computed in float64 whatever the global setting.

    Rows are padded to a bucket by repeating the last one: neighbouring sizes compile nothing new.
    """
    n = len(arrays[0])
    if n == 0:
        return np.zeros(0)
    padding = (0, bucket(n) - n)
    with jax.enable_x64(True):
        padded = [jnp.asarray(np.pad(np.asarray(a, float), padding, mode="edge")) for a in arrays]
        return np.asarray(function(*padded))[:n]


def mean_slope(family: Any, eta: FloatArray) -> FloatArray:
    """Derivative d mu / d eta, the factor of the delta method from link scale to response scale."""

    def slope(eta: Any) -> Any:
        tangent = jnp.ones_like(eta)
        if _is_probability(family):
            # mu * d log mu keeps its digits where mu rounds to one.
            log_mean, d_log = jax.jvp(family.link.log_inverse, (eta,), (tangent,))
            return jnp.exp(log_mean) * d_log
        return jax.jvp(family.link.inverse, (eta,), (tangent,))[1]

    return evaluate(slope, eta)


def _is_probability(family: Any) -> bool:
    return tuple(family.mean_domain) == (0.0, 1.0)


def _response_residual(family: Any, y: FloatArray, eta: FloatArray) -> FloatArray:
    if not _is_probability(family):
        return y - evaluate(family.link.inverse, eta)

    def difference(y: Any, eta: Any) -> Any:
        # y - mu without the cancellation where mu rounds to one.
        mean = jnp.exp(family.link.log_inverse(eta))
        return y * jnp.exp(family.link.log_complement(eta)) - (1 - y) * mean

    return evaluate(difference, y, eta)


def residuals(
    kind: ResidualKind, family: Any, y: FloatArray, eta: FloatArray, weight: FloatArray
) -> FloatArray:
    """Residuals of one kind; see `Results.resid` for the four formulas."""
    if kind not in get_args(ResidualKind):
        raise ValueError(f"kind must be one of {', '.join(get_args(ResidualKind))}; got {kind!r}.")
    difference = _response_residual(family, y, eta)
    if kind == "response":
        return difference
    if kind == "deviance":
        unit = evaluate(lambda y, eta: family.unit_deviance(y, family.link.inverse(eta)), y, eta)
        return np.sign(difference) * np.sqrt(weight * np.maximum(unit, 0.0))
    # (y - mu) / (d mu / d eta) = -score / w and (y - mu)^2 / V(mu) = score^2 / w, w the expected
    # weight: both stay accurate where mu rounds to its limit and V(mu) to zero.
    pull = -evaluate(family.score, y, eta)
    expected = evaluate(family.fisher_weight, y, eta)
    if kind == "working":
        bottom = expected
    else:
        rising = np.where(mean_slope(family, eta) < 0, -1.0, 1.0)
        pull, bottom = pull * rising * np.sqrt(weight), np.sqrt(expected)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pull == 0.0, 0.0, pull / bottom)


@dataclasses.dataclass(frozen=True)
class RowFacts:
    """What notes and tests need to know about the rows of a fit, as plain numbers.

    Attributes
    ----------
    zero_one : bool
        Every response is 0 or 1 (and no row stands for several trials).
    counts : bool
        Every response is a whole number of 0 or more, and some exceed 1.
    small_counts : bool
        `counts`, reaching down to 0 or 1 with a mean below 50: hardly a measurement.
    grouped : bool
        Some rows are proportions out of more than one trial.
    sparse_share : float
        Share of grouped rows with an expected count of successes or failures below 5.
    total_mean : float
        Sum of the fitted means over the rows.
    dean_lawless : float
        Score statistic of `overdispersion`; nan where it does not apply.
    pearson_variance : float
        Variance of Pearson chi2 under a negative binomial family; nan for others.
    """

    zero_one: bool
    counts: bool
    small_counts: bool
    grouped: bool
    sparse_share: float
    total_mean: float
    dean_lawless: float
    pearson_variance: float


def row_facts(family: Any, rows: Rows, mean: FloatArray, rank: int) -> RowFacts:
    """The facts of one fit with its fitted means; rows of weight zero do not count."""
    used = rows.live
    y, mean, weight = rows.y[used], mean[used], rows.unit_weight[used]
    freq = np.ones_like(y) if rows.freq is None else rows.freq[used]
    size = np.ones_like(y) if rows.trials is None else rows.trials[used]
    whole = bool(np.all((y >= 0) & (y == np.floor(y))))
    highest, lowest = (float(y.max()), float(y.min())) if y.size else (np.nan, np.nan)
    zero_one = whole and highest <= 1 and bool(np.all(size == 1))
    counts = whole and highest > 1
    average = float(np.average(y, weights=freq)) if y.size else np.nan
    grouped = bool(np.any(size > 1))
    sparse = np.minimum(mean, 1 - mean) * size < 5 if grouped else np.zeros(0)
    equal_weights = bool(np.all(weight == 1.0))
    return RowFacts(
        zero_one=zero_one,
        counts=counts,
        small_counts=counts and lowest <= 1 and average < 50,
        grouped=grouped,
        sparse_share=float(np.average(sparse, weights=freq)) if grouped else 0.0,
        total_mean=float(np.sum(freq * mean)),
        dean_lawless=_dean_lawless(y, mean, freq, rank) if equal_weights else np.nan,
        pearson_variance=_pearson_variance(family, mean, freq),
    )


def _dean_lawless(y: FloatArray, mean: FloatArray, freq: FloatArray, rank: int) -> float:
    # Fitting pulls the squared residuals down by h_i mu_i, h_i the leverage. Its sum over the rows
    # is replaced by (average leverage) * sum(mu), which costs no pass over the design.
    n = float(np.sum(freq))
    excess = np.sum(freq * ((y - mean) ** 2 - y)) + rank / n * np.sum(freq * mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(excess / np.sqrt(2.0 * np.sum(freq * mean**2)))


def _pearson_variance(family: Any, mean: FloatArray, freq: FloatArray) -> float:
    if family.name != "negative_binomial":
        return np.nan
    # Var((y - mu)^2 / V) is 2 plus the excess kurtosis, which is 6 alpha + 1 / V.
    alpha = float(family.alpha)
    return float(np.sum(freq * (2.0 + 6.0 * alpha + 1.0 / (mean + alpha * mean**2))))
