"""Owns the report on zeros among counts: more than the model expects, and what to do then."""

import dataclasses
import textwrap
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.diagnostics import mean_slope, means, negative_binomial_zeros, poisson_zeros
from jaxglm.inference._overdispersion import LEVEL, equals
from jaxglm.intake import Dataset
from jaxglm.search import Fit
from jaxglm.words import FloatArray, measure, statistic

_BROEK = "score test of van den Broek, chi2 on 1 df"
_DIFFERENCE = "observed less expected, in standard deviations"


@dataclasses.dataclass(frozen=True, repr=False)
class ZeroInflation:
    """Zeros among counts: how many there are, and how many the model expects.

    Attributes
    ----------
    observed, expected : float
        Numbers of zeros; `expected` is the sum of their fitted probabilities.
    ratio : float
        observed / expected.
    test : str
        Name of the test.
    statistic, pvalue : float
        Its statistic, and the probability of one as far from what is expected, to either side.
    inflated, deflated : bool
        More, or fewer, zeros than expected, at the 5 % level.
    caution : str
        Why the test may mislead on these data; empty where it should not.
    advice : str
        What it means and what to do next.
    """

    observed: float
    expected: float
    ratio: float
    test: str
    statistic: float
    pvalue: float
    inflated: bool
    deflated: bool
    caution: str
    advice: str

    def __str__(self) -> str:
        lines = [
            "Zeros among the counts",
            f"  observed {measure(self.observed)}, expected {measure(self.expected)}, "
            f"ratio {measure(self.ratio)}",
            f"  {self.test}: {statistic(self.statistic)}, p {equals(self.pvalue)}",
        ]
        words = [f"Caution: {self.caution}"] if self.caution else []
        for sentence in [*words, self.advice]:
            lines += textwrap.wrap(sentence, 78, initial_indent="  ", subsequent_indent="  ")
        return "\n".join(lines)

    __repr__ = __str__


def zero_inflation(fit: Fit, family: Any, held: Dataset, eta: FloatArray) -> ZeroInflation:
    """Test the zeros of the rows of a fit; see `Results.zero_inflation`.

    Raises
    ------
    DataError
        Where the family, the weights or the responses give zero no probability.
    """
    rows = held.rows
    _check(fit, family, held)
    freq = np.ones(len(rows)) if rows.freq is None else rows.freq
    live = np.flatnonzero(rows.live)
    y, eta_live, freq_live = rows.y[live], eta[live], freq[live]
    mean, slope = means(family, eta_live), mean_slope(family, eta_live)
    alpha = float(getattr(family, "alpha", 0.0))
    poisson = family.name == "poisson" or alpha == 0
    zeros = (
        poisson_zeros(y, mean, slope, freq_live)
        if poisson
        else negative_binomial_zeros(y, mean, slope, freq_live, alpha)
    )
    # Means and shape are estimated from the same rows, which takes their part of the variance.
    by_row = np.zeros(len(rows))
    by_row[live] = zeros.by_eta
    of_means = fit.covariance.root.norm(held.columns.rmatvec(by_row)) ** 2
    of_shape = (zeros.by_alpha * (fit.alpha_se or 0.0)) ** 2
    return _worded(zeros, zeros.variance - of_means - np.nan_to_num(of_shape), poisson, family)


def _check(fit: Fit, family: Any, held: Dataset) -> None:
    rows = held.rows
    if family.name not in ("poisson", "negative_binomial"):
        instead = (
            "fit family='poisson' or 'negative_binomial' and ask again."
            if family.name == "quasipoisson"
            else "it is for models of counts, family='poisson' or 'negative_binomial'."
        )
        raise DataError(
            f"zero_inflation() compares zeros with their probability, and the {family.name} family "
            f"gives none to a count of 0: {instead}"
        )
    if fit.covariance.kind != "nonrobust":
        raise DataError(
            "zero_inflation() tests the model itself and needs the standard errors of the model: "
            "ask the result that these robust ones were made from."
        )
    live = rows.live
    if np.any(rows.unit_weight[live] != 1):
        raise DataError(
            "zero_inflation() counts zeros, and with var_weights a row is no count: fit the counts "
            "themselves, with exposure= for how long each was observed."
        )
    if np.any(rows.y[live] != np.floor(rows.y[live])):
        raise DataError("zero_inflation() counts zeros, and some responses are fractions.")


def _worded(zeros: Any, variance: float, poisson: bool, family: Any) -> ZeroInflation:
    from scipy import special

    difference, caution = zeros.difference, ""
    rounding = 1e-8 * zeros.variance if np.isfinite(zeros.variance) else np.inf
    known = np.isinf(variance) or variance > rounding
    with np.errstate(invalid="ignore", divide="ignore"):
        z = difference / np.sqrt(variance) if known else np.nan
    if np.isinf(difference):
        z = np.inf
    if poisson:
        test, value, pvalue = _BROEK, z**2, float(special.chdtrc(1, z**2))
    else:
        test, value, pvalue = _DIFFERENCE, z, 2 * float(special.ndtr(-abs(z)))
    if not known:
        caution = "the coefficients follow the zeros exactly, so nothing is left to test."
    elif zeros.largest_share > 0.5:
        caution = (
            "the test rests on one row alone, that of the largest mean; compare observed and "
            "expected zeros instead."
        )
    elif min(zeros.observed, zeros.expected) < 5:
        caution = "fewer than 5 zeros observed or expected; the approximation of the test is rough."
    significant = bool(pvalue < LEVEL)
    inflated = significant and zeros.observed > zeros.expected
    deflated = significant and zeros.observed < zeros.expected
    ratio = zeros.observed / zeros.expected if zeros.expected > 0 else np.nan
    advice = _advice(inflated, deflated, poisson, family)
    return ZeroInflation(
        observed=zeros.observed,
        expected=zeros.expected,
        ratio=float(ratio),
        test=test,
        statistic=float(value),
        pvalue=pvalue,
        inflated=inflated,
        deflated=deflated,
        caution=caution,
        advice=advice,
    )


def _advice(inflated: bool, deflated: bool, poisson: bool, family: Any) -> str:
    if inflated and poisson and family.name == "poisson":
        return (
            "More zeros than a Poisson model expects. Counts that vary more than the Poisson "
            "allows have more zeros by that alone: fit family='negative_binomial' and ask again "
            "before looking for a process of its own behind the zeros."
        )
    if inflated:
        return (
            "More zeros than a negative binomial model expects: some may come from a process of "
            "their own. Two models say so plainly: whether a count is 0 (family='binomial'), and "
            "how large the others are; a zero-inflated model is one of both."
        )
    if deflated:
        return (
            "Fewer zeros than the model expects: look whether rows with 0 were left out where the "
            "data were collected."
        )
    return "No sign of more zeros than the model expects."
