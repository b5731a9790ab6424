"""Owns the report on zeros among counts: more than the model expects, and what to do then."""

import dataclasses
import textwrap
from typing import Any

import numpy as np

from jaxglm._status import DataError
from jaxglm.diagnostics import mean_slope, means, zero_difference, zero_probability, zero_score
from jaxglm.inference._overdispersion import LEVEL, equals
from jaxglm.intake import Dataset
from jaxglm.search import Fit
from jaxglm.sources import Rows
from jaxglm.words import FloatArray, count, measure, statistic

_BROEK = "score test of van den Broek, chi2 on 1 df"
_DIFFERENCE = "observed less expected, in standard deviations"
# Of the variance of the score: beyond, the test would be one of the row with the largest mean.
_MOST_OF_ONE_ROW = 0.1
_ROUNDING = 1e-8
_FEW = 5


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
            f"  observed {count(self.observed)}, expected {measure(self.expected)}, "
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
    _check(fit, family, rows)
    live = np.flatnonzero(rows.live)
    freq = np.ones(live.size) if rows.freq is None else rows.freq[live]
    y, mean, slope = rows.y[live], means(family, eta[live]), mean_slope(family, eta[live])
    alpha = float(getattr(family, "alpha", 0.0))
    found, test = zero_difference(y, mean, freq, alpha), _DIFFERENCE
    if alpha == 0:
        score = zero_score(y, mean, freq)
        if score.largest_share <= _MOST_OF_ONE_ROW:
            found, test = score, _BROEK
    # Means and shape are estimated from the same rows, which takes their part of the variance.
    by_eta = np.zeros(len(rows))
    by_eta[live] = found.by_mean * slope
    of_means = fit.covariance.expected.root.norm(held.columns.rmatvec(by_eta)) ** 2
    of_shape = found.by_alpha * np.nan_to_num(fit.alpha_se or 0.0)
    variance = found.variance - of_means - of_shape**2
    tested = fit.df_resid > 0 and variance > _ROUNDING * found.variance
    z = found.difference / np.sqrt(variance) if tested else np.nan
    observed = float(np.sum(freq * (y == 0)))
    expected = float(np.sum(freq * zero_probability(mean, alpha)))
    return _worded(family, observed, expected, test, z)


def _check(fit: Fit, family: Any, rows: Rows) -> None:
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
    if fit.scale != 1:
        raise DataError(
            "zero_inflation() compares zeros with their probability, and with scale= the model has "
            "a variance and no probabilities: fit without scale= and ask again."
        )
    live = rows.live
    if np.any(rows.unit_weight[live] != 1):
        raise DataError(
            "zero_inflation() counts zeros, and with var_weights a row is no count: fit the counts "
            "themselves, with exposure= for how long each was observed."
        )
    if np.any(rows.y[live] != np.floor(rows.y[live])):
        raise DataError("zero_inflation() counts zeros, and some responses are fractions.")


def _worded(family: Any, observed: float, expected: float, test: str, z: float) -> ZeroInflation:
    from scipy import special

    pvalue, caution = 2 * float(special.ndtr(-abs(z))), ""
    if np.isnan(z):
        caution = (
            "the coefficients account for all zeros there could be, so nothing is left to test."
        )
    elif min(observed, expected) < _FEW:
        caution = (
            f"fewer than {_FEW} zeros are observed or expected; the approximation of the test is "
            "rough there."
        )
    inflated = pvalue < LEVEL and observed > expected
    deflated = pvalue < LEVEL and observed < expected
    return ZeroInflation(
        observed=observed,
        expected=expected,
        ratio=observed / expected if expected > 0 else np.nan,
        test=test,
        statistic=float(z**2 if test == _BROEK else z),
        pvalue=pvalue,
        inflated=inflated,
        deflated=deflated,
        caution=caution,
        advice="No verdict." if np.isnan(z) else _advice(inflated, deflated, family),
    )


def _advice(inflated: bool, deflated: bool, family: Any) -> str:
    if inflated and family.name == "poisson":
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
