"""Owns the fit record: everything a fit found, as NumPy arrays and plain numbers.

It holds no data, no names and no code, so it can be saved as it is.
"""

import dataclasses
import functools

import numpy as np


@dataclasses.dataclass(frozen=True)
class Fit:
    """One fit. Columns are in public order; p counts all of them, aliased ones included.

    Attributes
    ----------
    coef : [p]
        Coefficients on the link scale; nan where aliased.
    cov_root, cov_diagonal : [p, k], [p]
        A root of the inverse expected information at dispersion 1: `cov_unscaled` is
        root root' + diag(diagonal^2). The diagonal belongs to the levels of an eliminated factor
        and is zero elsewhere; rows of aliased columns are zero. Variances of predictions come from
        the root rather than from the product, which loses digits where large numbers cancel (a
        predictor far from zero).
    aliased, infinite : [p] bool
        Columns that earlier columns determine; columns whose coefficient runs to infinity.
    deviance, null_deviance, pearson_chi2 : float
        At dispersion 1. The null model is the intercept with the offset (the offset alone where the
        model has no intercept).
    log_likelihood, null_log_likelihood : float
        R's `logLik`; nan for quasi families.
    likelihood_params : int
        Parameters that `logLik` counts beyond the coefficients (dispersion, NB shape).
    objective : float
        Negative log-likelihood at dispersion 1 up to a constant, as minimised.
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
        Dispersion: 1, or Pearson chi2 / df_resid (nan with no residual df).
    turns, status : int
        Passes over the rows; a `Status`.
    method, stopped_by : str
        The method that answered, and the test that ended it.
    alpha, alpha_se : float or None
        Negative binomial shape where it was estimated.
    notes : tuple of str
        What the user must know, in words.
    """

    coef: np.ndarray
    cov_root: np.ndarray
    cov_diagonal: np.ndarray
    aliased: np.ndarray
    infinite: np.ndarray
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

    @functools.cached_property
    def variances(self) -> np.ndarray:
        """The diagonal of `cov_unscaled`, [p], without the matrix."""
        squares = np.einsum("ij,ij->i", self.cov_root, self.cov_root) + self.cov_diagonal**2
        return np.where(self.aliased, np.nan, squares)

    @functools.cached_property
    def cov_unscaled(self) -> np.ndarray:
        """Inverse expected information at dispersion 1, [p, p]; nan where aliased."""
        covariance = self.cov_root @ self.cov_root.T
        np.fill_diagonal(covariance, covariance.diagonal() + self.cov_diagonal**2)
        covariance[self.aliased, :] = np.nan
        covariance[:, self.aliased] = np.nan
        return covariance
