"""Owns what collinear columns do to a fit: variance inflation by term, and the condition number."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.algebra import Covariance
from jaxglm.inference._effects import is_intercept

# Beyond so many columns the matrices would fill the memory.
_MOST = 3_000


def inflation(
    covariance: Covariance, names: Sequence[str], terms: Sequence[tuple[str, slice]]
) -> pd.DataFrame:
    """Generalised variance inflation of each term but the intercept.

    ``det R_a det R_b / det R`` with R the correlations of the coefficients, a those of the term and
    b the others (Fox and Monette 1992, JASA 87, 178-183).

    Raises
    ------
    DataError
        For a model of one term, or of very many columns.
    """
    matrix, kept = _matrix(covariance, names)
    groups = [
        (label, own[kept[own]])
        for label, part in terms
        if (own := np.arange(len(names))[part]).size and not is_intercept(label)
    ]
    groups = [(label, own) for label, own in groups if own.size]
    if len(groups) < 2:
        raise DataError(
            "Variance inflation compares terms with each other, and this model has "
            f"{'one term' if groups else 'none'} beside the intercept."
        )
    all_ = np.concatenate([own for _, own in groups])
    spread = np.sqrt(np.diag(matrix))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = matrix / np.outer(spread, spread)
    rows = {}
    whole = _log_determinant(correlation, all_)
    for label, own in groups:
        others = np.setdiff1d(all_, own)
        log = _log_determinant(correlation, own) + _log_determinant(correlation, others) - whole
        gvif = float(np.exp(log))
        rows[label] = (gvif, own.size, gvif ** (1 / (2 * own.size)))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["gvif", "df", "per_coefficient"])
    return table.rename_axis("term")


def condition_number(covariance: Covariance, names: Sequence[str]) -> float:
    """Largest over smallest singular value of the weighted columns, each of length 1.

    The scaled condition number of Belsley, Kuh and Welsch (1980), in the metric of the fit.
    """
    matrix, kept = _matrix(covariance, names)
    information = np.linalg.inv(matrix[np.ix_(kept, kept)])
    length = np.sqrt(np.diag(information))
    values = np.linalg.eigvalsh(information / np.outer(length, length))
    return float(np.sqrt(values[-1] / max(values[0], np.finfo(float).tiny)))


def _matrix(covariance: Covariance, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    if len(names) > _MOST:
        raise DataError(
            f"{len(names):,} columns: variance inflation and condition numbers are computed for "
            f"{_MOST:,} at most."
        )
    matrix = covariance.expected.matrix
    kept = np.isfinite(np.diag(matrix)) & (np.diag(matrix) > 0)
    return matrix, kept


def _log_determinant(matrix: np.ndarray, which: np.ndarray) -> float:
    return float(np.linalg.slogdet(matrix[np.ix_(which, which)])[1])
