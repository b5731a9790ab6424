"""Owns what a result answers about itself: findings, collinearity."""

import pandas as pd

from jaxglm._status import DataError
from jaxglm.inference import condition_number, inflation, refuse_penalised
from jaxglm.results._check_report import CheckReport
from jaxglm.results._findings import report
from jaxglm.results._influence import InfluenceAnswers
from jaxglm.results._quality import Quality
from jaxglm.words import understands_habits


class Checks(InfluenceAnswers, Quality):
    """The model held against its own rows; a part of `Results`."""

    @understands_habits
    def check(self) -> CheckReport:
        """Look for what could mislead a reader of this fit, and say what to do about it.

        Whether there is an optimum; whether the family suits the response; over- and
        underdispersion; zeros of counts; the shape of the effects and of the link (Pregibon's link
        test); unequal variances; rows that alone determine a coefficient (leverage 1); influential
        rows and outliers; collinear terms; events for each coefficient. A test is a finding at
        p < 0.001; overdispersion where a summary notes it as well, at p < 0.05 and chi2/df above
        1.5.

        Raises
        ------
        DataError
            When the result does not hold the rows of its fit.

        Examples
        --------
        >>> import jaxglm as jg
        >>> staff = jg.datasets.load_hr(n=2000)
        >>> print(jg.glm("left ~ salary", staff, "binomial").check())
        Check of left ~ salary (binomial, logit link)
        Nothing was found in 6 checks.
        ...
        """
        return report(self)

    @understands_habits
    def vif(self) -> pd.DataFrame:
        """How much larger collinearity makes the variance of each term's coefficients.

        Generalised variance inflation (Fox and Monette 1992), as `car::vif`: columns `gvif`, `df`
        and `per_coefficient`, which is ``gvif^(1 / (2 df))``: by how much a standard error is
        multiplied. 1 is a term that is unrelated to the others. For arrays each column is a term.

        Raises
        ------
        DataError
            For a model of one term beside the intercept, of very many columns, or of coefficients
            under constraints.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5], "z": [1, 0, 2, 2, 5, 4.0]}
        >>> jg.glm("y ~ x + z", table, family="poisson").vif().round(2)
              gvif  df  per_coefficient
        term
        x     2.53   1             1.59
        z     2.53   1             1.59
        """
        self._refuse_constrained()
        return inflation(self.fit.covariance, self.names, self.model.terms)

    @property
    def condition_number(self) -> float:
        """Largest over smallest singular value of the columns, weighted and scaled to length 1.

        Above some 30 collinearity shows in the standard errors (Belsley, Kuh and Welsch 1980).
        """
        self._refuse_constrained()
        return condition_number(self.fit.covariance, self.names)

    def _refuse_constrained(self) -> None:
        refuse_penalised(
            self.model, "under a penalty the standard errors tell of it as well as of the columns"
        )
        if self.model.constraints:
            raise DataError(
                "Coefficients that are held to each other move together whatever the columns are: "
                f"ask the fit without the constraints ({self.model.constraints})."
            )
