"""Owns what a fitted model says of its profile likelihood, beside the intervals of `conf_int`."""

from typing import Any

import pandas as pd

from jaxglm.inference import (
    alpha_interval,
    has_penalised_likelihood,
    penalised_curve,
    profile_curve,
)
from jaxglm.results._rowwise import RowAnswers
from jaxglm.words import understands_habits


class Profiles(RowAnswers):
    """Profile likelihood of a coefficient, and of the negative binomial shape."""

    @understands_habits
    def profile(self, name: Any, n: int = 21) -> pd.DataFrame:
        """The deviance as a function of one coefficient, all others fitted at each of its values.

        Where a Wald interval is good, `zeta` is a straight line in `value`.

        Parameters
        ----------
        name : str
            Of the coefficient.
        n : int
            Values: they reach from one 99 % limit to the other, the estimate among them.

        Returns
        -------
        DataFrame [n]
            `value`, on the link scale; `zeta`, the signed root of the rise of the deviance over the
            dispersion, ``sign(value - estimate) sqrt((D(value) - D) / scale)``; and `deviance`.
            Where the estimate is infinite the values end where the search stopped. With
            ``bias="firth"`` twice the fall of the penalised log-likelihood takes the place of that
            rise, and `penalized_llf` that of the deviance, as in the intervals of
            ``conf_int(method="profile")``.

        Raises
        ------
        DataError
            For a name of no coefficient or one that nothing determines, and when the result no
            longer holds the data of its fit, or is of bias-reduced estimates that maximise no
            penalised likelihood.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
        >>> jg.glm("y ~ x", table, "poisson").profile("x", n=5).round(3)
           value   zeta  deviance
        0  0.138 -2.576     8.932
        1  0.338 -1.234     3.819
        2  0.537  0.000     2.297
        3  0.785  1.372     4.178
        4  1.033  2.576     8.932
        """
        if has_penalised_likelihood(self.fit, self.family):
            return penalised_curve(self.fit, self.model, name, n)
        return profile_curve(self.fit, self.model, name, n)

    @understands_habits
    def alpha_conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """The profile likelihood interval of a negative binomial shape that was estimated.

        At each shape the coefficients are fitted again; the ends are where twice the log-likelihood
        has fallen by the chi-squared quantile on 1 df. The lower one is 0 where the Poisson family,
        alpha = 0, is inside.

        Parameters
        ----------
        alpha : float
            One minus the level, not the shape.

        Returns
        -------
        DataFrame
            One row, `alpha`; columns 0 (lower) and 1 (upper), as `conf_int`.

        Raises
        ------
        DataError
            Where no shape was estimated, or the result no longer holds the data of its fit.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [0, 9, 1, 14, 2, 30, 3, 5], "x": [0, 1, 2, 3, 4, 5, 6, 7]}
        >>> jg.glm("y ~ x", table, "negative_binomial").alpha_conf_int().round(2)
                  0     1
        alpha  0.41  3.72
        """
        low, high = alpha_interval(self.fit, self.model, alpha)
        return pd.DataFrame({0: [low], 1: [high]}, index=["alpha"])
