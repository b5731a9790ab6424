"""Owns what a result answers of estimates without their first-order bias."""

import numpy as np
import pandas as pd

from jaxglm.inference import has_penalised_likelihood, penalised_likelihood, penalised_tests
from jaxglm.results._rowwise import RowAnswers
from jaxglm.search import REDUCED
from jaxglm.words import understands_habits


class ReducedAnswers(RowAnswers):
    """Firth's penalised likelihood, for fits with ``bias="firth"``; a base of `Results`."""

    @property
    def penalized_llf(self) -> float:
        """`llf` plus half the log determinant of the information: what the estimates maximise.

        nan for a fit without ``bias="firth"``.

        Raises
        ------
        ValueError
            For a bias-reduced fit that maximises no such likelihood: that of a link that is not
            canonical, or of a dispersion that is estimated or was given (`scale=`). Tests and
            intervals are Wald's there, `pvalues` and `conf_int()`, and `llf` is of the ordinary
            likelihood.
        """
        if self.fit.method != REDUCED:
            return float("nan")
        if not has_penalised_likelihood(self.fit, self.family):
            raise ValueError(
                "These estimates have no bias, but maximise no penalised likelihood: that takes a "
                "canonical link and a known dispersion (binomial with logit, Poisson with log). "
                "pvalues and conf_int() are Wald's, for any fit; llf is of the ordinary likelihood."
            )
        return penalised_likelihood(self.fit)

    @understands_habits
    def firth_test(self, alpha: float = 0.05) -> pd.DataFrame:
        """Penalised likelihood ratio tests and profile intervals, link scale, as R's logistf.

        The statistic of a coefficient is twice the difference of the penalised log-likelihood
        ``l(b) + log |I(b)| / 2`` between its maximum and that where the coefficient is 0; it is
        chi-squared with one degree of freedom. The interval holds the values at which it is not
        significant (Heinze and Schemper 2002, Statistics in Medicine 21, 2409-2419). Where data are
        separated, or nearly so, Wald's tests and intervals are poor, and these are not.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            One row per coefficient: `estimate, statistic, p_value, conf_low, conf_high`; nan where
            aliased.

        Raises
        ------
        ValueError
            For a fit whose estimates maximise no such likelihood, or an `alpha` outside (0, 1).
        DataError
            When the result no longer holds the data of its fit.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [0, 0, 0, 1, 1, 1], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> fit = jg.glm("y ~ x", table, "binomial", bias="firth")
        >>> fit.firth_test().round(3)
                   estimate  statistic  p_value  conf_low  conf_high
        Intercept    -2.822      2.723    0.099   -15.634      0.414
        x             1.129      3.857    0.050     0.002      6.070
        """
        if not has_penalised_likelihood(self.fit, self.family):
            raise ValueError(
                "firth_test() is for fits with bias='firth' under a canonical link and without "
                "scale= (binomial with logit, Poisson with log); pvalues and conf_int() are "
                "Wald's, for any fit."
            )
        held = self.model.held("firth_test()")
        found = penalised_tests(self.fit, self.family, held, alpha)
        return pd.DataFrame({"estimate": np.array(self.fit.coef), **found}, index=self.names)
