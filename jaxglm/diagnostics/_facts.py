"""Owns the facts of a fit's rows that tests and notes are made of.

One pass over the rows gives plain numbers that outlive the data, so that a saved result prints the
same notes as the live one.
"""

import dataclasses
from typing import Any

import numpy as np

from jaxglm.sources import Rows
from jaxglm.words import FloatArray


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
    live = rows.live
    used = slice(None) if live.all() else live  # without copies where all count
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
    with np.errstate(divide="ignore", invalid="ignore"):  # means of 0 or inf, at their limits
        return float(np.sum(freq * (2.0 + 6.0 * alpha + 1.0 / (mean + alpha * mean**2))))
