"""Owns the jackknife of a fit: how its coefficients move with the weight of a row, and without it.

The infinitesimal one is the derivative at the fit (Jaeckel 1972), the other the fit again.
"""

import dataclasses

import jax
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError, Status
from jaxglm._tuning import tuning
from jaxglm.algebra import full_matrix
from jaxglm.families import Family
from jaxglm.inference._refits import problem_of, refits
from jaxglm.intake import MAX_MEMORY, Dataset, Model
from jaxglm.lanes import _failures
from jaxglm.search import Fit
from jaxglm.sources import Block, Resident
from jaxglm.sums import Point, full_moments
from jaxglm.words import FloatArray

# The rows of a batch of refits take this share of the memory that these may take.
_SHARE_OF_COUNTS = 0.25


def infinitesimal(
    fit: Fit, family: Family, held: Dataset, coef: FloatArray, columns: np.ndarray
) -> FloatArray:
    """Derivatives of some coefficients with respect to the frequency of each row, [n, k].

    Parameters
    ----------
    fit : Fit
    family : Family
    held : Dataset
        The rows of the fit.
    coef : [p]
        Its coefficients, finite.
    columns : [k] int
        Public positions of the coefficients asked for.

    Raises
    ------
    DataError
        Where the fit has no optimum inside the range of the link, its covariance is not that of the
        model, or the observed information would fill the memory.
    """
    status = Status(fit.status)
    if status not in (Status.CONVERGED, Status.SEPARATED):
        raise DataError(
            f"Coefficients have derivatives at an ordinary optimum only. {status.message}"
        )
    if fit.covariance.kind != "nonrobust":
        raise DataError(
            "The infinitesimal jackknife works from the information matrix of the model, and this "
            f"result has a covariance of another kind ({fit.covariance.kind!r}): ask the result "
            "that it was made from."
        )
    with computing():
        source = Resident(held.block, np.dtype(np.float64))
        beta = coef[held.order]
        inverse = _inverse_columns(fit, family, source, held.order, beta, columns)
        (moves,) = source.map(_row_moves, family, beta, inverse)
    out = moves * held.rows.unit_weight[:, None]
    told = ~(fit.aliased | fit.infinite | fit.covariance.open)
    return np.where(told[columns], out, np.nan)


def _row_moves(block: Block, family: Family, beta: jax.Array, inverse: jax.Array) -> jax.Array:
    score = family.score(block.rows.y, block.linear_predictor(beta))
    return -score[:, None] * block.design.matvec(inverse)


def _inverse_columns(
    fit: Fit,
    family: Family,
    source: Resident,
    order: np.ndarray,
    beta: FloatArray,
    columns: np.ndarray,
) -> FloatArray:
    """Columns of the inverse observed information, [p, k] with its rows in design order.

    The covariance holds the inverse H^-1 of the expected information with what a penalty adds. The
    observed information is H + D, D the difference of the two in the sums over rows, and its
    inverse Z solves Z + H^-1 D Z = H^-1.
    """
    dense, diagonal = (part[order] for part in fit.covariance.root)

    def times(g: FloatArray) -> FloatArray:
        return dense @ (dense.T @ g) + (diagonal**2)[:, None] * g

    expected = times((order[:, None] == columns).astype(float))
    if family.canonical:
        return expected
    p = order.size
    if p > tuning().most_columns:
        raise DataError(
            f"With a link that is not canonical the jackknife needs the observed information, and "
            f"a matrix of {p:,} x {p:,} would fill the memory."
        )
    zero = np.float64(0.0)
    seen, wanted = (
        full_matrix(
            source.reduce(full_moments, family, Point(beta, kind, np.int32(0), zero, zero)).info
        )
        for kind in (np.bool_(True), np.bool_(False))
    )
    difference = np.asarray(seen) - np.asarray(wanted)
    return np.asarray(np.linalg.solve(np.eye(p) + times(difference), expected), float)


@dataclasses.dataclass(frozen=True)
class Refitted:
    """Coefficients of fits without one observation, [k, p], and how many there are of each kind.

    inf where they run to infinity and nan where aliased; as a whole nan where there is no optimum.
    """

    coef: FloatArray
    kinds: dict[str, int]


def without_each(fit: Fit, model: Model, held: Dataset, rows: np.ndarray) -> Refitted:
    """Fits each without one observation, that of a row.

    Parameters
    ----------
    fit : Fit
    model : Model
    held : Dataset
        The rows of the fit.
    rows : [k] int
        Positions of the rows.

    Raises
    ------
    DataError
        Where the fit itself has no optimum.
    """
    status = Status(fit.status)
    if not (status.usable or status is Status.SEPARATED):
        raise DataError(f"The fit has no optimum to start from. {status.message}")
    vectors = held.rows
    # What is left of a row: nothing, or what others than one of its observations count.
    left = np.zeros(len(vectors))
    if vectors.freq is not None:
        left = np.maximum(vectors.freq - 1, 0) / np.where(vectors.freq > 0, vectors.freq, 1.0)
    whole = not left.any()
    coef = np.full((rows.size, fit.coef.size), np.nan)
    counts = np.zeros(len(_failures.KINDS), int)
    with computing():
        problem = problem_of(fit, held)
        batch = max(1, int(MAX_MEMORY * _SHARE_OF_COUNTS / (8 * len(vectors))))
        for first in range(0, rows.size, batch):
            some = rows[first : first + batch]
            times = np.ones((some.size, len(vectors)), bool if whole else float)
            times[np.arange(some.size), some] = left[some]
            empty = ~((times * vectors.weight) > 0).any(axis=1)
            failed = dict.fromkeys(np.flatnonzero(empty).tolist(), "no row is left")
            memory = MAX_MEMORY * (1 - _SHARE_OF_COUNTS)
            fits = refits(problem, times, model, fit, memory, failed)
            coef[first : first + some.size, ~fit.aliased] = np.where(
                (fits.usable | (fits.scalars["status"] == int(Status.SEPARATED)))[:, None],
                fits.estimates,
                np.nan,
            )
            counts += np.bincount(_failures.kinds(fits), minlength=counts.size)
    return Refitted(coef, dict(zip(_failures.KINDS, counts.tolist(), strict=True)))
