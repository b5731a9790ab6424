"""Owns the p-sized statistics of a fit: Wald tests, intervals, criteria, prediction variances.

Pure functions of arrays; `df=None` stands for a known dispersion (normal reference distribution), a
number for an estimated one (Student t), or numbers that broadcast against the coefficients of many
fits.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from jaxglm._numbers import FloatArray

Number = TypeVar("Number", float, FloatArray)

# Values that `linear_variance` asks of one product X @ B: 128 MiB in float64, so that a prediction
# of a million rows by fifty columns never holds a second copy of the design.
_PRODUCT_VALUES = 2**24


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

    Examples
    --------
    >>> statistic, p = wald(np.array([20.0]), np.array([1.0]), df=None)
    >>> f"{p[0]:.3e}"
    '5.507e-89'
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.asarray(coef) / np.asarray(se)
    size = np.abs(statistic)
    from scipy import special  # on use: it takes a fifth of the time that jax and pandas take

    tail = special.ndtr(-size) if df is None else special.stdtr(df, -size)
    return statistic, 2.0 * np.asarray(tail)


def check_alpha(alpha: float) -> None:
    """Refuse what leaves no level for an interval."""
    if not 0.0 < alpha < 1.0:
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


def linear_variance(
    matvec: Callable[[FloatArray], FloatArray],
    root: FloatArray,
    diagonal: FloatArray,
    n_rows: int,
) -> FloatArray:
    """Variances x_i' C x_i of linear predictors, with C = F F' + diag(d)^2.

    They are squared row norms of X F, and the products of X with d^2, which belongs to columns of
    0 and 1.

    Parameters
    ----------
    matvec : callable
        B of shape [p, k] to X B of shape [n, k].
    root : ndarray of shape [p, k]
        F.
    diagonal : ndarray of shape [p]
        d.
    n_rows : int
        n, which bounds how many columns of F are multiplied at a time.
    """
    p = root.shape[1]
    width = max(1, min(p, _PRODUCT_VALUES // max(n_rows, 1)))
    total = np.zeros(n_rows)
    if diagonal.any():
        total += matvec(diagonal**2)
    for first in range(0, p, width):
        # Every product has the same shape, so a compiled matvec serves all of them.
        columns = np.zeros((root.shape[0], width))
        part = root[:, first : first + width]
        columns[:, : part.shape[1]] = part
        product = matvec(columns)
        total += np.einsum("ij,ij->i", product, product)
    return total
