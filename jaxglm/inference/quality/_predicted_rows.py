"""Owns rows beside their predictions: what they count for, their rates, and what can be asked."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxglm import diagnostics
from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.io import rows_text
from jaxglm.sources import Rows
from jaxglm.words import FloatArray, count

# What to use where outcomes do not happen or fail to.
_OUTCOMES = (
    "gini() and lorenz_curve() say how well predictions order the rows, d_squared() how much of "
    "the deviance they explain, and calibration() whether they are right on average."
)


class PredictedRows:
    """Rows that count, with their predictions; the base of `Evaluation`.

    Parameters
    ----------
    family : Family
    scale : float
        Dispersion of the fit.
    rows : Rows
    eta : [n]
        Linear predictors, at their limits where they run to infinity.
    null_deviance : callable
        Of rows of positive weight, by the null model of the fit.
    of_the_fit : bool
        The rows are those of the fit.

    Raises
    ------
    DataError
        Where no row counts, or one that does has no prediction.
    """

    def __init__(
        self,
        family: Any,
        scale: float,
        rows: Rows,
        eta: FloatArray,
        null_deviance: Callable[[Rows], float],
        *,
        of_the_fit: bool,
    ):
        live = np.flatnonzero(rows.live)
        if live.size == 0:
            raise DataError("All weights are zero: no row counts, so there is nothing to evaluate.")
        if live.size < len(rows):
            rows, eta = rows.take(live), eta[live]
        unknown = np.isnan(eta)
        if unknown.any():
            raise DataError(
                f"There is no prediction for {int(unknown.sum())} of the rows: "
                f"{rows_text(live[unknown])}; a predictor is missing there, or the rows of the fit "
                "do not determine it. Leave these rows out before."
            )
        self._family, self._scale, self._rows, self._of_the_fit = family, scale, rows, of_the_fit
        self._mean = diagnostics.means(family, eta)
        self._null_deviance = null_deviance

    @property
    def nobs(self) -> float:
        """Observations: rows, each counted `freq_weights` times."""
        return float(np.sum(self._counted))

    @property
    def deviance(self) -> float:
        """Sum of weight times unit deviance from the predictions."""
        return diagnostics.deviance(self._family, self._rows.y, self._mean, self._rows.weight)

    @property
    def null_deviance(self) -> float:
        """Deviance from the null model of the fit: its intercept, with the offsets of these rows.

        Raises
        ------
        DataError
            For other rows than those of the fit, where the result no longer holds its own.
        """
        return self._null_deviance(self._rows)

    def __repr__(self) -> str:
        family = f"{self._family.name}/{self._family.link.name}"
        which = "of the fit" if self._of_the_fit else "that are not those of the fit"
        return f"<jaxglm.Evaluation: {family}, {count(self.nobs)} observations {which}>"

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _counted(self) -> FloatArray:
        freq = self._rows.freq
        return np.ones(len(self._rows)) if freq is None else freq

    @property
    def _outcomes(self) -> FloatArray:
        """Observations in each row, the trials of grouped data one by one."""
        trials = self._rows.trials
        return self._counted if trials is None else self._counted * trials

    @property
    def _is_share(self) -> bool:
        """Whether the variance is that of a share of trials."""
        return self._family.name in ("binomial", "quasibinomial")

    @property
    def _variance(self) -> FloatArray:
        with computing():
            return np.asarray(self._family.variance(self._mean))

    @property
    def _rates(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Responses, predictions and weights: by exposure where there is one."""
        y, mean, weight, offset = self._rows.y, self._mean, self._rows.weight, self._rows.offset
        if (
            offset is None
            or self._family.link.name != "log"
            or diagnostics.is_probability(self._family)
        ):
            return y, mean, weight
        exposure = np.exp(offset)
        return y / exposure, mean / exposure, weight * exposure

    def _amounts(self, what: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        y = self._rows.y
        if np.any(y < 0):
            raise DataError(
                f"{what} is about shares of the whole response, and {int(np.sum(y < 0))} responses "
                "are negative; calibration() and d_squared() take these."
            )
        if not np.any(y > 0):
            raise DataError(f"All responses are zero: {what} has nothing to share out.")
        return self._rates

    def _need_probabilities(self, what: str) -> None:
        if not diagnostics.is_probability(self._family):
            raise DataError(
                f"{what} is for outcomes that happen or not, and this is a {self._family.name} "
                f"model. {_OUTCOMES}"
            )

    def _need_trials(self, what: str) -> None:
        """Refuse shares of which it is not known how much they should vary."""
        if not self._family.dispersion_fixed:
            raise DataError(
                f"{what} takes the variance of independent trials, and the {self._family.name} "
                "family estimates it; calibration() has intervals that allow for that."
            )
        successes = self._rows.y * self._rows.unit_weight
        if np.any(np.abs(successes - np.round(successes)) > 1e-6 * np.maximum(successes, 1)):
            raise DataError(
                f"{what} counts successes, and the response holds shares without the number of "
                "trials behind them: give it as trials=."
            )

    def _need_both_outcomes(self, what: str) -> None:
        self._need_probabilities(what)
        y = self._rows.y
        for same, called in ((0, "failures"), (1, "successes")):
            if np.all(y == same):
                raise DataError(
                    f"{what} compares successes with failures, and in these rows all outcomes are "
                    f"{called}."
                )
