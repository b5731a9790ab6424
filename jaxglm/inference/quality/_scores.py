"""Owns two answers about predicted probabilities that come with words: a test and a score."""

import dataclasses
import textwrap

import numpy as np
import pandas as pd

from jaxglm.inference._overdispersion import equals
from jaxglm.words import count, measure, statistic, understands_habits

# The test finds differences from here on that are too small to matter.
_MANY = 1000
# Expected numbers below this make the chi-squared approximation rough; so many bins may have them.
_FEW, _FEW_BINS = 5, 0.2


@dataclasses.dataclass(frozen=True, repr=False)
class HosmerLemeshow:
    """Whether predicted probabilities are those observed, bin by bin.

    Attributes
    ----------
    statistic, df, pvalue : float
        Chi-squared statistic, its degrees of freedom and upper tail.
    bins : int
        Bins that the rows make.
    caution : str
        Why the test may mislead on these data; empty where it should not.
    """

    statistic: float
    df: int
    pvalue: float
    bins: int
    caution: str

    @understands_habits
    def tidy(self) -> pd.DataFrame:
        """One row: `statistic, p_value, df`."""
        return pd.DataFrame(
            {"statistic": [self.statistic], "p_value": [self.pvalue], "df": [self.df]}
        )

    def __str__(self) -> str:
        lines = [
            f"Hosmer-Lemeshow test, {self.bins} bins",
            f"  chi2 {statistic(self.statistic)} on {self.df} df, p {equals(self.pvalue)}",
        ]
        return "\n".join(lines + _wrapped(f"Caution: {self.caution}" if self.caution else ""))

    __repr__ = __str__


def hosmer_lemeshow_test(
    value: float, expected: np.ndarray, trials: float, *, of_the_fit: bool
) -> HosmerLemeshow:
    """The test with its words, from the statistic and the smaller expected number of each bin.

    In the rows of the fit two degrees of freedom are lost (Hosmer and Lemeshow 1980, Communications
    in Statistics A 9, 1043-1069), in others none.
    """
    from scipy import special

    bins = expected.size
    df = bins - 2 if of_the_fit else bins
    cautions = []
    if trials > _MANY:
        cautions.append(
            f"with {count(trials)} outcomes the test finds differences that are too small to "
            "matter (Paul, Pennell and Lemeshow 2013, Statistics in Medicine 32, 67-80). Look at "
            "calibration() for their size."
        )
    if np.mean(expected < _FEW) > _FEW_BINS:
        cautions.append(
            f"{np.sum(expected < _FEW)} of {bins} bins expect fewer than {_FEW} successes or "
            "failures; the chi-squared approximation is rough there. Fewer bins help."
        )
    pvalue = float(special.chdtrc(df, value)) if np.isfinite(value) else 0.0
    return HosmerLemeshow(value, df, pvalue, bins, " ".join(cautions))


@dataclasses.dataclass(frozen=True, repr=False)
class BrierScore:
    """The mean squared distance of outcomes from their probabilities, and what it is made of.

    ``score = reliability - resolution + uncertainty + within_bins``, exactly.

    Attributes
    ----------
    score : float
        0 is perfect; a prediction of the average for all has the score `uncertainty`.
    reliability : float
        Mean squared distance of observed from predicted shares of the bins; small is good.
    resolution : float
        Mean squared distance of the observed shares from the average; large is good.
    uncertainty : float
        Variance of the outcomes, whatever is predicted.
    within_bins : float
        What the spread of predictions inside of bins adds.
    skill : float
        ``1 - score / uncertainty``: the share by which it is better than predicting the average.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float

    @property
    def skill(self) -> float:
        """How much better than the average predicted for all, as a share."""
        return 1 - self.score / self.uncertainty if self.uncertainty > 0 else np.nan

    def __float__(self) -> float:
        return self.score

    def __str__(self) -> str:
        signs = {"reliability": "+", "resolution": "-", "uncertainty": "+", "within_bins": "+"}
        lines = [f"Brier score {measure(self.score)}, skill {measure(self.skill)}"]
        for name, sign in signs.items():
            label = name.replace("_", " ")
            lines.append(f"  {sign} {label:12s} {getattr(self, name):10.6f}")
        return "\n".join(lines)

    __repr__ = __str__


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="  ")
