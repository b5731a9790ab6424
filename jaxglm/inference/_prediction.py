"""Owns predictions with their uncertainty, on the scale of the link and of the mean."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm.diagnostics import mean_slope, means
from jaxglm.inference._wald import interval
from jaxglm.words import FloatArray, is_one_of, understands_habits


class Prediction:
    """Predicted means with standard errors and intervals, made by `Results.get_prediction`.

    Intervals are those of the linear predictor carried through the link, so they stay inside the
    range of the mean; the standard error of the mean is the delta method's, |d mu/d eta| se(eta).
    They describe the uncertainty of the mean, not the spread of a new observation.

    Attributes
    ----------
    linear, linear_se : Series
        Linear predictor (offset included) and its standard error, sqrt(x' cov x); link scale.
    predicted_mean, se_mean : Series
        Mean of the response and its standard error; response scale.
    """

    def __init__(
        self, family: Any, eta: FloatArray, se: FloatArray, df: float | None, index: pd.Index
    ):
        self._family, self._df, self._index = family, df, index
        self.linear = pd.Series(eta, index=index, name="linear")
        self.linear_se = pd.Series(se, index=index, name="linear_se")
        mean = means(family, eta)
        self.predicted_mean = pd.Series(mean, index=index, name="mean")
        self.se_mean = pd.Series(np.abs(mean_slope(family, eta)) * se, index=index, name="mean_se")

    @understands_habits
    def conf_int(
        self, alpha: float = 0.05, which: Literal["mean", "linear"] = "mean"
    ) -> pd.DataFrame:
        """Interval ends of level 1 - alpha, in columns `lower` and `upper`.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1) or `which` is neither "mean" nor "linear".
        """
        check_scale(which)
        low, high = interval(self.linear.to_numpy(), self.linear_se.to_numpy(), alpha, self._df)
        if which == "mean":
            link = self._family.link
            # An end beyond what the link can invert stands for the edge of the range of the mean.
            edges = link.domain(self._family.mean_domain)
            ends = [means(self._family, np.clip(end, *edges)) for end in (low, high)]
            # An interval of eta across the pole of 1/eta reaches every mean beyond its ends.
            pole = np.nan if link.pole is None else link.pole
            unbounded = (low < pole) & (pole < high) & (edges[0] < pole < edges[1])
            # A decreasing link (inverse) swaps the ends.
            low = np.where(unbounded, -np.inf, np.minimum(*ends))
            high = np.where(unbounded, np.inf, np.maximum(*ends))
        return pd.DataFrame({"lower": low, "upper": high}, index=self._index)

    @understands_habits
    def summary_frame(
        self, alpha: float = 0.05, which: Literal["mean", "linear"] = "mean"
    ) -> pd.DataFrame:
        """Table of predictions, one row per row of data.

        Columns `mean, mean_se, mean_ci_lower, mean_ci_upper`, or the same with `linear` in place
        of `mean`.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1) or `which` is neither "mean" nor "linear".
        """
        ends = self.conf_int(alpha, which)
        centre, se = (
            (self.predicted_mean, self.se_mean)
            if which == "mean"
            else (self.linear, self.linear_se)
        )
        return pd.DataFrame(
            {
                which: centre,
                f"{which}_se": se,
                f"{which}_ci_lower": ends["lower"],
                f"{which}_ci_upper": ends["upper"],
            },
            index=self._index,
        )


def check_scale(which: str) -> None:
    """Refuse a scale other than the two that exist."""
    if not is_one_of(which, ("mean", "linear")):
        raise ValueError(
            f'which must be "mean" (response scale) or "linear" (link scale), which R '
            f'calls "response" and "link"; got {which!r}.'
        )
