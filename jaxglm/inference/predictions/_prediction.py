"""Owns predictions with their uncertainty, on the scale of the link and of the mean."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm.diagnostics import mean_slope, means
from jaxglm.inference._wald import interval as wald_interval
from jaxglm.inference.predictions._new_responses import NewResponses
from jaxglm.words import FloatArray, is_one_of, understands_habits

# What an interval holds.
Interval = Literal["mean", "prediction"]


class Prediction:
    """Predicted means with standard errors and intervals, made by `Results.get_prediction`.

    Intervals are those of the linear predictor carried through the link, so they stay inside the
    range of the mean; the standard error of the mean is the delta method's, |d mu/d eta| se(eta).
    They describe the uncertainty of the mean. With ``interval="prediction"`` they are for a new
    response, and hold its spread about the mean as well.

    Attributes
    ----------
    interval : {"mean", "prediction"}
        What intervals are for unless a method is told otherwise.
    notes : tuple of str
        Which rows are without a prediction, a standard error or an interval, and why.
    linear, linear_se : Series
        Linear predictor (offset included) and its standard error, sqrt(x' cov x); link scale.
    predicted_mean, se_mean : Series
        Mean of the response and its standard error; response scale.
    """

    def __init__(
        self,
        family: Any,
        eta: FloatArray,
        se: FloatArray,
        df: float | None,
        index: pd.Index,
        responses: NewResponses,
        interval: Interval = "mean",
        notes: Sequence[str] = (),
    ):
        check_interval(interval)
        if interval == "prediction":
            responses.checked_weight()
        self._family, self._df, self._index, self._responses = family, df, index, responses
        self.interval, self.notes = interval, tuple(notes)
        self.linear = pd.Series(eta.copy(), index=index, name="linear")
        self.linear_se = pd.Series(se, index=index, name="linear_se")
        mean = means(family, eta)
        self.predicted_mean = pd.Series(mean, index=index, name="mean")
        self.se_mean = pd.Series(np.abs(mean_slope(family, eta)) * se, index=index, name="mean_se")

    @understands_habits
    def conf_int(
        self,
        alpha: float = 0.05,
        which: Literal["mean", "linear"] = "mean",
        interval: Interval | None = None,
    ) -> pd.DataFrame:
        """Interval ends of level 1 - alpha, in columns `lower` and `upper`.

        Parameters
        ----------
        alpha : float
            One minus the level.
        which : {"mean", "linear"}
            Response scale or link scale.
        interval : {"mean", "prediction"}, optional
            For the mean, or for a new response; what `get_prediction` was asked for when left out.
            `interval_method` says how the second is made. Of
            counts it takes the smallest number with a probability of alpha/2 at or below it, and
            the smallest with 1 - alpha/2, so that no more than alpha is outside.

        Raises
        ------
        ValueError
            When `alpha` is outside (0, 1), or `which` or `interval` is none of those above.
        DataError
            For a new response where the family has no distribution, or the number of trials is not
            known.
        """
        check_scale(which)
        if self._asked(interval) == "prediction":
            return self._observed(alpha, which)
        low, high = wald_interval(
            self.linear.to_numpy(), self.linear_se.to_numpy(), alpha, self._df
        )
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
        self,
        alpha: float = 0.05,
        which: Literal["mean", "linear"] = "mean",
        interval: Interval | None = None,
    ) -> pd.DataFrame:
        """Table of predictions, one row per row of data.

        Columns `mean, mean_se, mean_ci_lower, mean_ci_upper`, or the same with `linear` in place
        of `mean`; with ``interval="prediction"`` then `obs_ci_lower, obs_ci_upper`, the interval
        for a new response.

        Raises
        ------
        ValueError, DataError
            As `conf_int`.
        """
        interval = self._asked(interval)
        ends = self.conf_int(alpha, which, "mean")
        centre, se = (
            (self.predicted_mean, self.se_mean)
            if which == "mean"
            else (self.linear, self.linear_se)
        )
        table = pd.DataFrame(
            {
                which: centre,
                f"{which}_se": se,
                f"{which}_ci_lower": ends["lower"],
                f"{which}_ci_upper": ends["upper"],
            },
            index=self._index,
        )
        if interval == "mean":
            return table
        new = self.conf_int(alpha, which, interval)
        return table.assign(obs_ci_lower=new["lower"], obs_ci_upper=new["upper"])

    @understands_habits
    def tidy(
        self,
        alpha: float = 0.05,
        which: Literal["mean", "linear"] = "mean",
        interval: Interval | None = None,
    ) -> pd.DataFrame:
        """`summary_frame` under the names of all tidy tables.

        Columns `estimate, std_error, conf_low, conf_high`, and for a new response `pred_low,
        pred_high`.

        Raises
        ------
        ValueError, DataError
            As `conf_int`.
        """
        table = self.summary_frame(alpha, which, interval)
        names = ("estimate", "std_error", "conf_low", "conf_high", "pred_low", "pred_high")
        return table.set_axis(names[: table.shape[1]], axis=1)

    @property
    def interval_method(self) -> str:
        """How intervals for new responses are made, in words."""
        return self._responses.method

    def __repr__(self) -> str:
        n = len(self._index)
        kind = "the mean" if self.interval == "mean" else "the mean and for new responses"
        rows = f"{n:,} row{'' if n == 1 else 's'}"
        lines = [f"<jaxglm.Prediction: {rows}, intervals for {kind} in summary_frame()>"]
        return "\n".join([*lines, *(f"* {note}" for note in self.notes)])

    def _asked(self, interval: Interval | None) -> Interval:
        if interval is None:
            return self.interval
        check_interval(interval)
        return interval

    def _observed(self, alpha: float, which: str) -> pd.DataFrame:
        if which == "linear":
            raise ValueError(
                "a new response has no value on the link scale; interval='prediction' goes with "
                "which='mean'"
            )
        low, high = self._responses.interval(
            self.linear.to_numpy(), self.linear_se.to_numpy(), alpha
        )
        return pd.DataFrame({"lower": low, "upper": high}, index=self._index)


def check_interval(interval: Any) -> None:
    """Refuse what intervals cannot be for."""
    if not is_one_of(interval, ("mean", "prediction")):
        raise ValueError(
            f'interval must be "mean", which R calls "confidence", or "prediction", for a new '
            f"response; got {interval!r}."
        )


def check_scale(which: str) -> None:
    """Refuse a scale other than the two that exist."""
    if not is_one_of(which, ("mean", "linear")):
        raise ValueError(
            f'which must be "mean" (response scale) or "linear" (link scale), which R '
            f'calls "response" and "link"; got {which!r}.'
        )
