"""Owns what a fitted model says of models beside it: terms dropped, added and chosen."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import pandas as pd

from jaxglm.inference import (
    Comparison,
    ScoreTest,
    add1,
    constrained,
    drop1,
    score_test,
    step,
)
from jaxglm.results._asked import AskedCovariance
from jaxglm.words import understands_habits


class Comparisons(AskedCovariance):
    """Comparisons with other models of the rows of the fit, each fitted from where this one is.

    Whether the dispersion is known is a fact of this fit: ``scale=`` of `jaxglm.glm` decides it
    where it was given. Deviances are divided by `scale`, tests are F where it was estimated, and
    fits that are made here have theirs found in the same way. Comparisons are of the likelihood; a
    robust covariance has no part in them, but new fits are given one of its kind.
    `jaxglm.anova` compares fits that are there.
    """

    _path: pd.DataFrame | None = None

    @understands_habits
    def drop1(self, test: Literal["Chisq", "LRT", "F", "Rao"] | None = None) -> Comparison:
        """The fit without each of its terms that are part of no other, as R's `drop1`.

        AIC is R's `extractAIC`, ``-2 llf + 2 d + 2 k``, d 1 where the likelihood has a dispersion,
        k the number of coefficients; of the smaller models it is taken with the dispersion of this
        one. It differs from `aic` where a negative binomial shape was estimated, which it does not
        count. Where the dispersion was given (`scale=`) it is ``deviance / scale + 2 k``, less the
        same number in all models; there is none where one is estimated that the family has not.

        Parameters
        ----------
        test : {"Chisq", "LRT", "F", "Rao"}, optional
            As for `jaxglm.anova`. The dispersion of "F" is deviance / df_resid of this fit here, as
            in R, but for ``scale="ml"``.

        Returns
        -------
        Comparison
            Rows are `<none>` and the terms; columns `Df, Deviance, AIC`, the statistic and its p.

        Raises
        ------
        DataError
            When the result no longer holds the data of its fit, or has no optimum.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0, 1, 2, 3, 4, 5], "z": [0, 1, 0, 1, 1, 0]}
        >>> jg.glm("y ~ x + z", table, "poisson").drop1().table.round(3)
                 Df  Deviance     AIC     LRT  Pr(>Chi)
        <none>  NaN     2.217  23.242     NaN       NaN
        x       1.0    14.452  33.477  12.235     0.000
        z       1.0     2.297  21.321   0.080     0.778
        """
        return drop1(self.fit, self.model, test)

    @understands_habits
    def add1(
        self,
        scope: str | Sequence[str],
        data: Any,
        test: Literal["Chisq", "LRT", "F", "Rao"] | None = None,
    ) -> Comparison:
        """The fit with each term of a scope that it lacks, as R's `add1`.

        A term is tried once all that is part of it, as `a` is of `a:b`, is there or not in scope.

        Parameters
        ----------
        scope : str or list of str
            The right side of a formula, in which `.` stands for the terms of the fit,
            ``"~ . + x + x:g"``; or the terms. What is the name of a column of `data` needs no
            backticks where it stands alone or in a list, ``["age", "number of visits"]``.
        data : table
            The table that was fitted, with the columns of the new terms.
        test : optional
            As for `drop1`; the dispersion of "F" is deviance / df_resid of the larger model, as in
            R, but for ``scale="ml"``.

        Returns
        -------
        Comparison

        Raises
        ------
        DataError
            When the data are not those of the fit or a new column misses a value, and as `drop1`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0, 1, 2, 3, 4, 5], "z": [0, 1, 0, 1, 1, 0]}
        >>> jg.glm("y ~ x", table, "poisson").add1("~ . + z", table).table.round(3)
                 Df  Deviance     AIC   LRT  Pr(>Chi)
        <none>  NaN     2.297  21.321   NaN       NaN
        z       1.0     2.217  23.242  0.08     0.778
        """
        return add1(self.fit, self.model, scope, data, test)

    @understands_habits
    def step(
        self,
        direction: Literal["both", "backward", "forward"] | None = None,
        *,
        scope: str | Sequence[str] | None = None,
        data: Any = None,
        criterion: Literal["aic", "bic", "qaic"] = "aic",
    ) -> Self:
        """The model that no single term improves, found step by step as by R's `step`.

        P-values and intervals of a model that was chosen by its data are too good.

        Parameters
        ----------
        direction : {"both", "backward", "forward"}, optional
            What a step may do; "backward" without a scope when left out, "both" with one.
        scope : str or list of str, optional
            Terms that may be added, as for `add1`.
        data : table, optional
            For `scope`, as for `add1`.
        criterion : {"aic", "bic", "qaic"}
            R's `extractAIC` with k = 2 or k = log(nobs), see `drop1`; or, for counts that vary more
            than the family allows, ``deviance / c + 2 k`` with c = Pearson chi2 / df of the largest
            model that there is, or the dispersion that was given (Burnham and Anderson 2002; less
            the same number in all models).

        Returns
        -------
        Results
            The fit that was chosen, with `path`, a frame of the steps taken. A negative binomial
            shape that was estimated is held while terms are compared, as in R, and estimated again
            for each model that is stepped to. Its dispersion is found, and its covariance made, as
            those of this fit were (`scale=`, `cov_type=`).

        Raises
        ------
        ValueError
            For a quasi family, or an estimated dispersion that the family has not, where there is
            no AIC; and for "forward" without a scope.
        DataError
            As `drop1` and `add1`.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0, 1, 2, 3, 4, 5], "z": [0, 1, 0, 1, 1, 0]}
        >>> chosen = jg.glm("y ~ x + z", table, "poisson").step()
        >>> chosen.model.formula
        'y ~ x'
        >>> chosen.path.round(3)
          Step   Df  Deviance  Resid. Df  Resid. Dev     AIC
        0       NaN       NaN        3.0       2.217  23.242
        1  - z  1.0      0.08        4.0       2.297  21.321
        """
        fit, model, path = step(self.fit, self.model, direction, scope, data, criterion)
        chosen = self._as_asked(type(self)(fit, model))
        chosen._path = path
        return chosen

    @property
    def path(self) -> pd.DataFrame:
        """The steps that led to this model, where `step` chose it."""
        if self._path is None:
            raise AttributeError("only a result of step() has a path")
        return self._path.copy()

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_path": self._path}

    @understands_habits
    def score_test(self, exog_extra: Any) -> ScoreTest:
        """Whether further columns would improve the fit, without fitting them.

        Rao's score test by the expected information: ``U' I^-1 U / scale`` of all columns at the
        estimates, chi-squared with as many degrees of freedom as the new ones add to the rank.

        Parameters
        ----------
        exog_extra : array [n] or [n, k], or table of numbers
            For the rows of the fit, or for those given to it where some were left out.

        Returns
        -------
        ScoreTest
            Its notes say so where the fit has a robust covariance, of which the test knows nothing.

        Raises
        ------
        DataError
            When rows do not match, a value is missing or no number (text, categories),
            for a separated fit, and when the result no longer holds its rows.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> jg.glm("y ~ x", table, "poisson").score_test([0, 1, 0, 1, 1, 0])
        Score test of 1 further column: 0.080 on 1 df, p = 0.778
        """
        return score_test(self.fit, self.model, exog_extra)

    @understands_habits
    def fit_constrained(self, constraints: Any) -> Self:
        """The fit under linear constraints on its coefficients, as statsmodels' `fit_constrained`.

        Exact: with ``b = b0 + N g`` for all b that obey them, the model of the columns X N and the
        offset X b0 is fitted, and the covariance of b is ``N V N'``. A coefficient that is held at
        a value has standard error 0, and no test.

        Parameters
        ----------
        constraints : str, or (R, q)
            Equations separated by commas, ``"x1 = x2, 2 * x3 - x4 = 0.5"``; one without `=` is one
            with 0. Or R [m, p] and q [m] of ``R b = q``. No dict: it may mean values at which
            coefficients are held, or the coefficients of one combination, as for `wald_test`.

        Returns
        -------
        Results
            Its notes say what it was constrained to. What would fit it again (the bootstrap, terms
            dropped, profiles) is refused; `jaxglm.anova` compares it with the fit without
            constraints. Its dispersion is found, and its covariance made, as those of this fit were
            (`scale=`, `cov_type=`): a sandwich is one of the free coefficients. `null_deviance` and
            `llnull` are those of this fit.

        Raises
        ------
        DataError
            For equations that are not linear, name no coefficient, contradict each other, leave
            nothing to estimate, or are on what the rows do not determine (an aliased coefficient),
            and when the result no longer holds the data of its fit.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0, 1, 2, 3, 4, 5], "z": [1, 0, 1, 3, 2, 5]}
        >>> free = jg.glm("y ~ x + z", table, family="poisson")
        >>> alike = free.fit_constrained("x = z")
        >>> alike.params.round(4).to_dict()
        {'Intercept': -0.2784, 'x': 0.246, 'z': 0.246}
        >>> jg.anova(alike, free).table["Df"].to_list()[1]
        1.0
        """
        return self._as_asked(type(self)(*constrained(self.fit, self.model, constraints)))
