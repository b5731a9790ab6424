"""Owns what a result answers about the shape of its distribution."""

import dataclasses
from collections.abc import Iterable

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.algebra import Covariance
from jaxglm.inference import Estimated, PowerProfile, joint_covariance, power_profile
from jaxglm.results._asked import AskedCovariance
from jaxglm.words import measure, understands_habits


class ShapeAnswers(AskedCovariance):
    """The shape of a distribution, estimated beside the coefficients; a part of `Results`."""

    @understands_habits
    def joint_cov_params(self) -> pd.DataFrame:
        """Covariance of the coefficients and the shape `alpha` of a negative binomial model.

        It is the inverse of the observed information, minus the second derivatives of the
        log-likelihood in coefficients and alpha together, as in Stata's `nbreg` and statsmodels'
        `NegativeBinomial`. In the expected information the two do not meet (Lawless 1987, Can. J.
        Statist. 15, 209-225), which is why `cov_params` and R's `glm.nb` take alpha as known; in a
        sample they do, by a little. The variance of ``theta = 1 / alpha`` is that of alpha over
        ``alpha^4``.

        Returns
        -------
        DataFrame
            [p + 1, p + 1] on the link scale, the shape last. nan where a coefficient is nan or
            infinite.

        Raises
        ------
        DataError
            Where alpha was given rather than estimated, is 0 or unknown; where the information is
            not positive definite; where the result has other standard errors (`cov_type`,
            `scale`), or does not hold the rows of its fit.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [9, 0, 2, 1, 25, 3, 0, 14], "x": [0.0, 0, 0, 1, 1, 1, 2, 2]}
        >>> fit = jg.glm("y ~ x", table, family="negative_binomial")
        >>> fit.joint_cov_params().round(3)
                   Intercept      x  alpha
        Intercept      0.670 -0.474 -0.005
        x             -0.474  0.534  0.005
        alpha         -0.005  0.005  1.113
        """
        names = [*self.names, "alpha"]
        return pd.DataFrame(self._joint().matrix, index=names, columns=names)

    @property
    def joint_bse(self) -> pd.Series:
        """Standard errors of the coefficients and the shape: roots of `joint_cov_params`."""
        return pd.Series(self._joint().standard_errors, index=[*self.names, "alpha"], name="bse")

    @understands_habits
    def power_profile(
        self, powers: Iterable[float] | None = None, alpha: float = 0.05
    ) -> PowerProfile:
        """The power of the variance of a Tweedie model, ``V(mu) = mu^power``, with its interval.

        For each power between 1 and 2 the log-likelihood is taken at the coefficients and the
        dispersion that maximise it, with the exact density (the series of Dunn and Smyth 2005,
        Statistics and Computing 15, 267-280). The estimate is where it is largest; the interval has
        the powers where it is lower by less than half the quantile of chi-squared on 1 degree of
        freedom. The power that this result was fitted with does not matter. Each power that is
        tried is a fit, and there are some 20 of them.

        Parameters
        ----------
        powers : sequence of float, optional
            Powers for the table, between 1 and 2; 1.2, 1.3, ..., 1.8 unless given. The search
            starts from the best of them, and does not stop at their ends.
        alpha : float
            One minus the level of the interval.

        Returns
        -------
        PowerProfile
            `power`, `conf_int()`, `table`, and `fit`: the result with the power at its estimate,
            its standard errors and dispersion of the kind asked for with this one. Its `aic` and
            `bic` count the power as a parameter.

        Raises
        ------
        DataError
            For another family, negative responses, or a fit that leaves nothing of the response;
            where a power has no optimum; where the result does not hold the rows of its fit.
        ValueError
            When a power is not between 1 and 2, or `alpha` not between 0 and 1.

        Examples
        --------
        >>> import jaxglm as jg
        >>> table = {"y": [0, 0.6, 2.1, 0, 9.8, 3.3, 0, 4.5], "x": [0.0, 0, 0, 1, 1, 1, 2, 2]}
        >>> fit = jg.glm("y ~ x", table, family=jg.Tweedie(power=1.5))
        >>> profile = fit.power_profile([1.2, 1.4, 1.6])
        >>> print(profile)
        Tweedie power by profile likelihood: 1.3639, 95 % interval 1.1232 to 1.7550
        power  dispersion deviance      llf
        1.2000      2.377   26.602  -17.443
        1.3639      2.799   25.763  -16.810
        1.4000      2.870   25.790  -16.829
        1.6000      3.377   28.181  -17.476
        >>> round(profile.fit.family.power, 4)
        1.3639
        """
        found = power_profile(self.fit, self.model, powers, alpha)
        if found.fit is None:
            return found.profile
        model = dataclasses.replace(self.model, family=found.family)
        return dataclasses.replace(found.profile, _fit=self._as_asked(type(self)(found.fit, model)))

    def _joint(self) -> Covariance:
        alpha, alpha_se = self.fit.alpha, self.fit.alpha_se
        if alpha is None or alpha_se is None:
            given = self.family.name == "negative_binomial"
            why = "its shape was given" if given else f"the family is {self.family.name}"
            raise DataError(
                "A joint covariance is that of coefficients and an estimated shape, and this model "
                f"has none: {why}. cov_params() is that of all it estimated; "
                "family='negative_binomial' estimates the shape."
            )
        if not np.isfinite(alpha_se):
            raise DataError(
                "The shape has no standard error, and so no joint covariance: it is "
                + ("0, the end of its range." if alpha == 0 else "not known.")
                + " cov_params() is that of the coefficients."
            )
        if not self.rests_on_variance:
            kind = self.cov_type if self.scale == 1 else f"a dispersion of {measure(self.scale)}"
            raise DataError(
                "A joint covariance is that of the likelihood, and the standard errors of this "
                f"result rest on something else ({kind}): ask a fit without cov_type= and scale=."
            )
        held = self.model.held("joint_cov_params()")
        return joint_covariance(Estimated.of(self.fit, self.family, held), alpha, alpha_se)
