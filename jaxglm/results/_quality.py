"""Owns what a fitted model answers when asked how good it is."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm.diagnostics import deviance
from jaxglm.inference import (
    BrierScore,
    Evaluation,
    HosmerLemeshow,
    ZeroInflation,
    check_kind,
    information_criterion,
    likelihood_rsquared,
    null_means,
    share_explained,
    without_rounding,
    zero_inflation,
)
from jaxglm.intake import new_rows, row_vectors
from jaxglm.results._rowwise import RowAnswers, refuse_beside_the_fit
from jaxglm.sources import Rows
from jaxglm.words import understands_habits


class Quality(RowAnswers):
    """Measures of the fit and of its predictions; a base of `Results`.

    Those that take `data` hold predictions against the response of the rows of the fit, or of new
    rows: a table with the columns of the fit, response included. Where these need more (weights,
    trials, an offset, or the response of a model of arrays), ``evaluate(data, ...)`` takes it and
    has the same methods.
    """

    @property
    def rsquared(self) -> float:
        """Share of the deviance explained, ``1 - deviance / null_deviance`` (D-squared).

        For a Gaussian model with the identity link that is the R-squared of least squares. nan
        where the response does not vary.
        """
        return share_explained(self.deviance, self._null_deviance)

    @understands_habits
    def pseudo_rsquared(
        self,
        kind: Literal["mcf", "mcfadden", "cs", "nagelkerke", "deviance", "tjur"] = "mcf",
    ) -> float:
        """A coefficient that is 0 for the null model, and larger for a better one.

        Parameters
        ----------
        kind : {"mcf", "mcfadden", "cs", "nagelkerke", "deviance", "tjur"}
            ``1 - llf / llnull`` (McFadden 1974); ``1 - exp(2 (llnull - llf) / nobs)`` (Cox and
            Snell 1989), which is below 1 for a perfect model; the same over its largest value
            (Nagelkerke 1991); ``1 - deviance / null_deviance``; or the average prediction of the
            successes less that of the failures (Tjur 2009), for 0/1 responses. All but "deviance"
            and "cs" are for 0/1 responses and counts. For grouped binomial data they depend on how
            the outcomes are grouped.

        Raises
        ------
        ValueError
            For another kind, and where it has no meaning for the family; the message says which
            one has.
        DataError
            For "tjur", where responses are not 0/1 or the result no longer holds its rows.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [0, 0, 1, 0, 1, 1], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="binomial")
        >>> round(fit.pseudo_rsquared(), 4), round(fit.pseudo_rsquared("tjur"), 4)
        (0.4042, 0.445)
        """
        chosen = check_kind(kind)
        if chosen == "deviance":
            return self.rsquared
        if chosen == "tjur":
            return self._evaluated("pseudo_rsquared('tjur')").tjur()
        return likelihood_rsquared(self, chosen)

    @understands_habits
    def info_criteria(
        self, crit: Literal["aic", "aicc", "bic", "qaic"], scale: float | None = None
    ) -> float:
        """An information criterion; of models of the same response the lowest is best.

        Parameters
        ----------
        crit : {"aic", "aicc", "bic", "qaic"}
            With k parameters (`aic` says which) and n = nobs: ``-2 llf + 2 k``; that plus
            ``2 k (k + 1) / (n - k - 1)`` (Hurvich and Tsai 1989); ``-2 llf + k log(n)``;
            ``-2 llf / scale + 2 k`` (Lebreton et al. 1992). statsmodels does not count an estimated
            dispersion among k.
        scale : float, optional
            For "qaic": the dispersion of the largest of the models compared, the same for all.

        Raises
        ------
        ValueError
            For another criterion, where the family has no likelihood, or no `scale` is given.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="poisson")
        >>> round(fit.info_criteria("aicc"), 3), round(fit.info_criteria("qaic", scale=1.5), 3)
        (25.321, 15.548)
        """
        return information_criterion(self, self._n_parameters, crit, scale)

    @understands_habits
    def evaluate(
        self,
        data: Any = None,
        *,
        y: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        trials: Any = None,
        offset: Any = None,
        exposure: Any = None,
        proportions: bool | None = None,
    ) -> Evaluation:
        """Hold predictions against the response, in the rows of the fit or in new ones.

        Parameters
        ----------
        data : table or array, optional
            New rows with the columns of the fit; the rows of the fit when left out.
        y : array or column name, optional
            The response of new rows. A formula reads it from `data`; a model of arrays needs it.
        freq_weights, var_weights, trials, offset, exposure : array, number or column name, optional
            Of new rows, as for the fit: what the fit was given is needed again.
        proportions : bool, optional
            As for the fit: what the response is beside `trials`.

        Returns
        -------
        Evaluation
            With one prediction for all that is asked of it.

        Raises
        ------
        DataError
            When the response or something that the fit was given is missing, a row has no
            prediction, the family cannot have a response, or there is no `data` and the result no
            longer holds its own.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"died": [2, 8, 15, 23], "n": [30, 30, 30, 30], "dose": [1.0, 2, 3, 4]}
        >>> fit = jg.glm("died ~ dose", table, family="binomial", trials="n")
        >>> new = {"died": [5, 9], "n": [20, 20], "dose": [1.5, 2.5]}
        >>> round(fit.evaluate(new, trials="n").roc_auc(), 4)
        0.6099
        """
        vectors = row_vectors(freq_weights, var_weights, trials, offset, exposure)
        return self._evaluated("evaluate()", data, y=y, proportions=proportions, **vectors)

    # -- whether predictions are right -----------------------------------------------------------

    @understands_habits
    def d_squared(self, data: Any = None) -> float:
        """Share of the deviance explained, in `data` against the null model of the fit.

        As `Evaluation.d_squared`; without `data` it is `rsquared`.
        """
        return self._evaluated("d_squared()", data).d_squared()

    @understands_habits
    def calibration(self, bins: int = 10, data: Any = None, *, alpha: float = 0.05) -> pd.DataFrame:
        """Predicted against observed means, in bins of the prediction.

        As `Evaluation.calibration`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [0, 0, 1, 0, 1, 1], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> jg.glm("y ~ x", table, family="binomial").calibration(bins=2).round(3)
               n  weight  predicted  observed  lower  upper
        bin
        1    3.0     3.0      0.179     0.333  0.061  0.792
        2    3.0     3.0      0.821     0.667  0.208  0.939
        """
        return self._evaluated("calibration()", data).calibration(bins, alpha=alpha)

    @understands_habits
    def hosmer_lemeshow(self, bins: int = 10, data: Any = None) -> HosmerLemeshow:
        """The test of Hosmer and Lemeshow (1980) that predicted probabilities are right.

        As `Evaluation.hosmer_lemeshow`.
        """
        return self._evaluated("hosmer_lemeshow()", data).hosmer_lemeshow(bins)

    @understands_habits
    def brier_score(self, data: Any = None, *, bins: int = 10) -> BrierScore:
        """Mean squared distance of outcomes from their probabilities, with its parts.

        As `Evaluation.brier_score`.
        """
        return self._evaluated("brier_score()", data).brier_score(bins)

    @understands_habits
    def zero_inflation(self) -> ZeroInflation:
        """Whether counts are zero more often than the model expects, and what to do next.

        Poisson: the score test of van den Broek (1995, Biometrics 51, 738-743) of no additional
        zeros, ``sum(1{y = 0} / p - 1)^2 / v`` with ``p = exp(-mu)``, chi-squared on one degree of
        freedom. Negative binomial, and a Poisson model in which one observation has more than a
        tenth of that v, since its mean is large: zeros less the sum of their probabilities, over
        the root of v; ``p = (1 + alpha mu)^(-1 / alpha)``. v is the variance for known means and
        shape less what their estimation takes.

        Raises
        ------
        DataError
            For other families, a dispersion by ``scale=``, weights that make a row no count, or
            where the result no longer holds its rows.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [0, 0, 0, 2, 0, 7, 0, 9, 0, 8, 0, 3], "x": [0.0, 1, 2, 3, 4, 5] * 2}
        >>> jg.glm("y ~ x", table, family="poisson").zero_inflation().inflated
        True
        """
        held, eta = self._fitted_at_limit("zero_inflation()", columns=True)
        return zero_inflation(self.fit, self.family, held, eta)

    # -- whether predictions tell rows apart -----------------------------------------------------

    @understands_habits
    def roc_auc(self, data: Any = None) -> float:
        """Area under the ROC curve; as `Evaluation.roc_auc`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [0, 0, 1, 0, 1, 1], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, family="binomial")
        >>> round(fit.roc_auc(), 4), fit.roc_auc({"y": [1, 0], "x": [3.0, 2.0]})
        (0.8889, 1.0)
        """
        return self._evaluated("roc_auc()", data).roc_auc()

    @understands_habits
    def roc_curve(self, data: Any = None) -> pd.DataFrame:
        """The ROC curve; as `Evaluation.roc_curve`."""
        return self._evaluated("roc_curve()", data).roc_curve()

    @understands_habits
    def lift_table(self, bins: int = 10, data: Any = None) -> pd.DataFrame:
        """How much of the response the highest predictions hold; as `Evaluation.lift_table`."""
        return self._evaluated("lift_table()", data).lift_table(bins)

    @understands_habits
    def lorenz_curve(self, data: Any = None) -> pd.DataFrame:
        """Share of the response by share of the rows; as `Evaluation.lorenz_curve`."""
        return self._evaluated("lorenz_curve()", data).lorenz_curve()

    @understands_habits
    def gini(self, data: Any = None, *, normalised: bool = False) -> float:
        """Gini coefficient of the response ordered by the prediction; as `Evaluation.gini`."""
        return self._evaluated("gini()", data).gini(normalised=normalised)

    # -- inside ----------------------------------------------------------------------------------

    def _evaluated(
        self,
        what: str,
        data: Any = None,
        *,
        y: Any = None,
        proportions: bool | None = None,
        **vectors: Any,
    ) -> Evaluation:
        """The rows of the fit, for `what`, or new ones with what belongs to them."""
        if data is None:
            refuse_beside_the_fit(y=y, proportions=proportions, **vectors)
            held, eta = self._fitted_at_limit(what, or_data=True)
            return Evaluation(
                self.family,
                self.scale,
                held.rows,
                eta,
                lambda _: self._null_deviance,
                of_the_fit=True,
            )
        columns, rows, missing = new_rows(
            self.model, data, y=y, vectors=vectors, proportions=proportions
        )
        eta = self._of_new(columns, rows.offset, missing)
        return Evaluation(
            self.family, self.scale, rows, eta, self._null_deviance_of, of_the_fit=False
        )

    @property
    def _null_deviance(self) -> float:
        """The null deviance of the fit; 0 where a response that does not vary leaves rounding."""
        facts = self._known_facts if np.isnan(self.fit.covariance.scale) else None
        if facts is None:
            return self.null_deviance
        average = facts.total_mean / self.nobs
        return without_rounding(self.family, self.null_deviance, average, self.fit.weight_sum)

    def _null_deviance_of(self, rows: Rows) -> float:
        """Deviance of new rows from the null model of the fit."""
        held = self.model.held("d_squared()")
        mean = null_means(held, self.family, rows.offset, len(rows))
        return deviance(self.family, rows.y, mean, rows.weight)
