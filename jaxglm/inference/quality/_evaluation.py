"""Owns what predictions are worth, held against the response in the rows of a fit or in others."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm import diagnostics
from jaxglm._status import DataError
from jaxglm.inference._wald import critical_value
from jaxglm.inference.quality._criteria import share_explained
from jaxglm.inference.quality._predicted_rows import PredictedRows
from jaxglm.inference.quality._scores import BrierScore, HosmerLemeshow, hosmer_lemeshow_test
from jaxglm.words import FloatArray, is_between, understands_habits


class Evaluation(PredictedRows):
    """Predictions held against what was observed, made by `Results.evaluate`.

    A row counts with its frequency weight times its prior weight times its trials: frequency
    weights are repeated rows, in a grouped row each trial is an outcome, and rows of weight 0 do
    not count. Rows of equal predictions are never told apart by their order.

    Beside an offset or exposure under a log link, `calibration`, `lift_table`, `lorenz_curve` and
    `gini` compare rates: response and prediction of a row are divided by its exposure, exp(offset),
    and its weight is multiplied with it. A rate with the exposure as weight has the same answers.

    Attributes
    ----------
    nobs : float
        Observations: rows, each counted `freq_weights` times.
    deviance, null_deviance : float
        Of these rows, by the model and by the null model of its fit.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [0, 0, 1, 0, 1, 1], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> fit = jg.glm("y ~ x", table, family="binomial")
    >>> scores = fit.evaluate({"y": [0, 1, 0, 1], "x": [0.5, 1.5, 2.5, 4.5]})
    >>> scores
    <jaxglm.Evaluation: binomial/logit, 4 observations that are not those of the fit>
    >>> scores.roc_auc()
    0.75
    """

    @understands_habits
    def d_squared(self) -> float:
        """Share of the deviance explained, ``1 - deviance / null_deviance``.

        In other rows than those of the fit the null model is still that of the fit (its mean
        response, where there is no offset), which knows nothing of these rows: the share is
        negative where the model does worse than that. nan where no response varies.

        Raises
        ------
        DataError
            As `null_deviance`.
        """
        return share_explained(self.deviance, self.null_deviance)

    # -- whether predictions are right -----------------------------------------------------------

    @understands_habits
    def calibration(self, bins: int = 10, *, alpha: float = 0.05) -> pd.DataFrame:
        """Predicted against observed means, in bins of the prediction.

        Parameters
        ----------
        bins : int
            Bins of equal weight, as nearly as rows of equal predictions allow; fewer where there
            are fewer different predictions.
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            A row per bin, from the lowest prediction: `n` observations (trials of grouped data),
            their `weight`, mean `predicted` and `observed`, and the interval `lower`, `upper` of
            the observed mean; response scale. For shares it is Wilson's (1927), with the weight
            over the dispersion as the number of trials; otherwise observed -+ z s, s^2 the variance
            that the model gives it, ``scale sum(w V(mu)) / sum(w)^2``.

        Raises
        ------
        ValueError
            For less than 2 bins, or an `alpha` outside (0, 1).
        """
        check_bins(bins)
        z = float(critical_value(alpha, None))
        y, mean, weight = self._rates
        found = diagnostics.calibration(y, mean, weight, bins)
        size, observed = found.weight, found.observed
        if self._is_share:
            low, high = diagnostics.wilson(observed, size / self._scale, z)
        else:
            spread = found.bins.sums(self._rows.weight * self._variance)
            reach = z * np.sqrt(self._scale * spread) / size
            low, high = observed - reach, observed + reach
            lowest, highest = self._family.mean_domain
            low, high = np.maximum(low, lowest), np.minimum(high, highest)
        columns = {
            "n": found.bins.sums(self._outcomes),
            "weight": size,
            "predicted": found.predicted,
            "observed": observed,
            "lower": low,
            "upper": high,
        }
        return _by_bin(columns)

    @understands_habits
    def hosmer_lemeshow(self, bins: int = 10) -> HosmerLemeshow:
        """The test of Hosmer and Lemeshow (1980) that predicted probabilities are right.

        ``sum(n (observed - predicted)^2 / (predicted (1 - predicted)))`` over the bins of
        `calibration`, chi-squared with two degrees of freedom less than bins in the rows of the
        fit, and with as many as bins in others.

        Raises
        ------
        DataError
            Where the model has no probabilities or estimates their dispersion, shares come without
            their trials, or the rows have less than 3 different predictions.
        ValueError
            For less than 3 bins.
        """
        self._need_probabilities("The Hosmer-Lemeshow test")
        self._need_trials("The Hosmer-Lemeshow test")
        check_bins(bins, least=3)
        rows = self._rows
        value, expected = diagnostics.hosmer_lemeshow(rows.y, self._mean, rows.weight, bins)
        if expected.size < 3:
            raise DataError(
                f"The Hosmer-Lemeshow test needs 3 bins, and the predictions make {expected.size}: "
                "most of them are equal. calibration() shows these bins."
            )
        trials = float(np.sum(self._outcomes))
        return hosmer_lemeshow_test(value, expected, trials, of_the_fit=self._of_the_fit)

    @understands_habits
    def brier_score(self, bins: int = 10) -> BrierScore:
        """Mean squared distance of single outcomes from their probabilities, with its parts.

        Parameters
        ----------
        bins : int
            Bins of the parts, those of `calibration`; the score itself does not depend on it.

        Returns
        -------
        BrierScore
            `score`, and its parts by Murphy (1973) with what is left within bins, which add up.

        Raises
        ------
        DataError
            Where the model has no probabilities.
        ValueError
            For less than 2 bins.
        """
        self._need_probabilities("The Brier score")
        check_bins(bins)
        parts = diagnostics.brier(self._rows.y, self._mean, self._rows.weight, bins)
        return BrierScore(**parts._asdict())

    # -- whether predictions tell rows apart -----------------------------------------------------

    @understands_habits
    def roc_auc(self) -> float:
        """Area under the ROC curve: how often a success has the higher prediction of the two.

        The two are a success and a failure drawn at random; equal predictions count half. 0.5 is
        chance.

        Raises
        ------
        DataError
            Where the model has no probabilities, or all outcomes are the same.
        """
        self._need_both_outcomes("The area under the ROC curve")
        return diagnostics.roc_area(self._rows.y, self._mean, self._rows.weight)

    @understands_habits
    def roc_curve(self) -> pd.DataFrame:
        """The ROC curve, a point for each different prediction.

        Returns
        -------
        DataFrame
            `threshold` from the highest, `false_positive_rate` and `true_positive_rate` where rows
            count as positive that are predicted at or above it; the first threshold is inf.

        Raises
        ------
        DataError
            As `roc_auc`.
        """
        self._need_both_outcomes("The ROC curve")
        return pd.DataFrame(diagnostics.roc(self._rows.y, self._mean, self._rows.weight)._asdict())

    @understands_habits
    def tjur(self) -> float:
        """Tjur's (2009, American Statistician 63, 366-372) coefficient of discrimination.

        The average prediction of the successes less that of the failures; for 0/1 responses.

        Raises
        ------
        DataError
            As `roc_auc`, and for shares and grouped data.
        """
        self._need_both_outcomes("Tjur's coefficient")
        y, trials = self._rows.y, self._rows.trials
        if not np.all((y == 0) | (y == 1)) or (trials is not None and np.any(trials != 1)):
            raise DataError(
                "Tjur's coefficient is for 0/1 responses, and these are shares; "
                "pseudo_rsquared('deviance') works, and roc_auc() counts the trials one by one."
            )
        return diagnostics.tjur(y, self._mean, self._rows.weight)

    @understands_habits
    def lift_table(self, bins: int = 10) -> pd.DataFrame:
        """How much of the response the highest predictions hold.

        Parameters
        ----------
        bins : int
            As for `calibration`.

        Returns
        -------
        DataFrame
            A row per bin, from the highest prediction: `n`, `weight`, mean `predicted` and
            `observed`, `lift` = observed over the observed mean of all rows, `cumulative_lift` of
            this bin and those before it, and `captured`, their share of the response.

        Raises
        ------
        DataError
            Where responses are negative, or all zero.
        ValueError
            For less than 2 bins.
        """
        check_bins(bins)
        y, mean, weight = self._amounts("A lift table")
        order, *columns = diagnostics.lift(y, mean, weight, bins)
        names = ("weight", "predicted", "observed", "lift", "cumulative_lift", "captured")
        n = {"n": order.sums(self._outcomes)[::-1]}
        return _by_bin(n | dict(zip(names, columns, strict=True)))

    @understands_habits
    def lorenz_curve(self) -> pd.DataFrame:
        """What share of the response the rows of the lowest predictions have.

        Returns
        -------
        DataFrame
            `share_of_weight` and `share_of_response` of the rows up to each different prediction,
            from 0 to 1. Rows of equal predictions are one step, as the average over all orders.

        Raises
        ------
        DataError
            As `lift_table`.
        """
        share, of_y = diagnostics.lorenz(*self._amounts("A Lorenz curve"))
        return pd.DataFrame({"share_of_weight": share, "share_of_response": of_y})

    @understands_habits
    def gini(self, *, normalised: bool = False) -> float:
        """Gini coefficient of the response ordered by the prediction.

        Twice the area between `lorenz_curve` and the diagonal (Frees, Meyers and Cummings 2011,
        Journal of the American Statistical Association 106, 1085-1098).

        Parameters
        ----------
        normalised : bool
            Divide by the coefficient of the perfect order, that of the responses themselves: 1 is
            perfect, 0 is chance. For single 0/1 outcomes this is ``2 roc_auc() - 1``.

        Raises
        ------
        DataError
            As `lift_table`; and where all responses are equal, if `normalised`.
        """
        y, mean, weight = self._amounts("The Gini coefficient")
        found = diagnostics.gini(y, mean, weight)
        if not normalised:
            return found
        best = diagnostics.gini(y, y, weight)
        if best <= 0:
            raise DataError("All responses are equal: no order of the rows is better than another.")
        return found / best


def check_bins(bins: Any, least: int = 2) -> None:
    """Refuse what is no number of bins.

    Raises
    ------
    ValueError
    """
    if not is_between(bins, least - 1, np.inf) or bins != int(bins):
        raise ValueError(f"bins must be a whole number, {least} or more, not {bins!r}")


def _by_bin(columns: dict[str, FloatArray]) -> pd.DataFrame:
    k = len(columns["weight"])
    return pd.DataFrame(columns, index=pd.RangeIndex(1, k + 1, name="bin"))
