"""Owns the fit record: everything a fit found, as NumPy arrays and plain numbers.

It holds no data, no names and no code, so it can be saved as it is.
"""

import dataclasses
from typing import Any, NoReturn

import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import Covariance, Relations

# What a fit with thresholds or bounds says of its method.
PROXIMAL = "proximal newton"


@dataclasses.dataclass(frozen=True)
class Coefficients:
    """Coefficients [..., p] where the search stopped, and what their covariance says of them."""

    coef: np.ndarray
    covariance: Covariance

    @property
    def estimates(self) -> np.ndarray:
        """The coefficients as reported: inf or -inf where they run to it, nan where open."""
        return self.covariance.at_limit(self.coef)

    @property
    def infinite(self) -> np.ndarray:
        """Columns whose coefficient runs to infinity, [..., p] bool."""
        return self.covariance.infinite

    @property
    def aliased(self) -> np.ndarray:
        """Columns that earlier columns determine, [..., p] bool."""
        return self.covariance.aliased


@dataclasses.dataclass(frozen=True)
class Fit(Coefficients):
    """One fit. Columns are in public order; p counts all of them, aliased ones included.

    Attributes
    ----------
    coef : [p]
        Coefficients on the link scale; nan where aliased. Those that run to infinity are where the
        search stopped, far enough that the fitted means are at their limits; `estimates` has inf.
    covariance : Covariance
        Of the coefficients, with the dispersion and the reference distribution of the tests, and
        the direction in which coefficients run to infinity.
    deviance, null_deviance, pearson_chi2 : float
        At dispersion 1. The null model is the intercept with the offset (the offset alone where the
        model has no intercept).
    log_likelihood, null_log_likelihood : float
        R's `logLik`; nan for quasi families.
    likelihood_params : int
        Parameters that `logLik` counts beyond the coefficients (dispersion, NB shape).
    objective : float
        Negative log-likelihood at dispersion 1 up to a constant, as minimised: less the bias's part
        where that was taken out.
    decrement : float
        Newton decrement at the last evaluated point, in standard errors.
    n_rows : int
        Rows that entered the fit.
    n_patterns : int
        Rows that were computed with: fewer where identical ones were merged (`compress`).
    nobs : float
        Observations: the sum of the frequency weights over rows of positive weight.
    weight_sum : float
        Sum of frequency times prior weights times trials.
    df_model, df_resid : float
        Rank without the intercept; observations minus rank.
    scale : float
        Dispersion: 1, or Pearson chi2 / df_resid (nan with no residual df); without its bias where
        that was taken out of the coefficients.
    turns, status : int
        Passes over the rows; a `Status`.
    method, stopped_by : str
        The method that answered, and the test that ended it.
    alpha, alpha_se : float or None
        Negative binomial shape where it was estimated.
    notes : tuple of str
        What the user must know, in words.
    relations : Relations or None
        How the aliased columns follow from the others, which tells for which new rows the fit has a
        prediction; None where that is not known (a file of an earlier version).
    relations_at_limit : Relations
        The same of a separated fit among the rows that stay finite, columns of zeros included:
        which coefficients are open there, and which predictions.
    """

    deviance: float
    null_deviance: float
    pearson_chi2: float
    log_likelihood: float
    null_log_likelihood: float
    likelihood_params: int
    objective: float
    decrement: float
    n_rows: int
    n_patterns: int
    nobs: float
    weight_sum: float
    df_model: float
    df_resid: float
    scale: float
    turns: int
    status: int
    method: str
    stopped_by: str
    alpha: float | None = None
    alpha_se: float | None = None
    notes: tuple[str, ...] = ()
    relations: Relations | None = None
    relations_at_limit: Relations = dataclasses.field(default_factory=Relations.none)

    @property
    def without_errors(self) -> str:
        """Why no coefficient has a standard error, as half a sentence; empty where they have."""
        if not np.isnan(self.covariance.expected.root.dense).any():
            return ""
        if not Status(self.status).usable:
            return "the search came to no optimum"
        if self.method == PROXIMAL:
            return "under its penalty the fit has no standard errors, and its notes say why"
        return "the fit has too many columns for an information matrix"

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Say what `result.fit()` asks for: statsmodels fits in a second step."""
        raise TypeError(
            "The model is fitted already: what glm() and fit() return is the result; leave out "
            "the last .fit()"
        )
