"""Owns the p-sized statistics of a fit: Wald tests, intervals and criteria.

Pure functions of arrays; `df=None` stands for a known dispersion (normal reference distribution), a
number for an estimated one (Student t), or numbers that broadcast against the coefficients of many
fits.
"""

from typing import Any, TypeVar

import numpy as np

from jaxglm.words import FloatArray, is_between

Number = TypeVar("Number", float, FloatArray)


def wald(
    coef: FloatArray, se: FloatArray, df: float | FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Wald statistics and two-sided p-values of coefficients against zero.

    The p-value is twice the upper tail, never one minus a distribution function, so that it keeps
    its relative accuracy down to the smallest double.

    Parameters
    ----------
    coef, se : ndarray
        Estimates and standard errors on the link scale.
    df : float, ndarray or None
        Residual degrees of freedom of the t distribution; None for the normal.

    Returns
    -------
    statistic, p_value : ndarray
        nan where the standard error is 0: of a coefficient that was held at a value.

    Examples
    --------
    >>> statistic, p = wald(np.array([20.0]), np.array([1.0]), df=None)
    >>> f"{p[0]:.3e}"
    '5.507e-89'
    """
    coef, se = np.asarray(coef), np.asarray(se)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(se == 0.0, np.nan, coef / se)
    size = np.abs(statistic)
    from scipy import special  # on use: it takes a fifth of the time that jax and pandas take

    tail = special.ndtr(-size) if df is None else special.stdtr(df, -size)
    return statistic, 2.0 * np.asarray(tail)


def check_alpha(alpha: float) -> None:
    """Refuse what leaves no level for an interval."""
    if not is_between(alpha, 0, 1):
        raise ValueError(
            f"alpha must lie between 0 and 1, got {alpha!r}; 0.05 gives 95 % intervals."
        )


def critical_value(alpha: float, df: float | FloatArray | None) -> float | FloatArray:
    """Quantile by which a standard error is multiplied for a two-sided 1 - alpha interval.

    Raises
    ------
    ValueError
        When `alpha` is not strictly between 0 and 1.

    Examples
    --------
    >>> critical_value(0.05, df=None).round(6).item()
    1.959964
    """
    check_alpha(alpha)
    from scipy import special

    if df is None:
        return -special.ndtri(alpha / 2)
    # Many fits share few degrees of freedom, and a quantile takes a search.
    different, place = np.unique(df, return_inverse=True)
    return -special.stdtrit(different, alpha / 2)[place].reshape(np.shape(df))[()]


def interval(
    centre: FloatArray, se: FloatArray, alpha: float, df: float | FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Wald interval `centre -+ q se`, q from `critical_value`."""
    reach = critical_value(alpha, df) * np.asarray(se)
    return centre - reach, centre + reach


def akaike(log_likelihood: Number, n_parameters: Any) -> Number:
    """AIC = -2 logLik + 2 k (Akaike 1974), k counted as R's `logLik` does."""
    return -2.0 * log_likelihood + 2.0 * n_parameters


def schwarz(log_likelihood: Number, n_parameters: Any, n_observations: Number) -> Number:
    """BIC = -2 logLik + k log n (Schwarz 1978), n the number of observations."""
    return -2.0 * log_likelihood + n_parameters * np.log(n_observations)
