"""Owns the jackknife of a fit: how its coefficients move with the weight of a row, and without it.

The infinitesimal one is the derivative at the fit (Jaeckel 1972), the other the fit again.
"""

import dataclasses

import jax
import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError, Status
from jaxglm.families import Family
from jaxglm.inference._refits import problem_of, refits
from jaxglm.inference.comparisons._submodels import refuse_constrained, refuse_reduced
from jaxglm.inference.covariances._sandwich import Estimated, observed
from jaxglm.intake import MAX_MEMORY, Dataset, Model
from jaxglm.lanes import _failures
from jaxglm.search import Fit
from jaxglm.sources import Block, in_parts
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
        Where the fit has no optimum inside the range of the link, or its observed information no
        inverse.
    """
    refuse_reduced(fit, family, "infinitesimal_jackknife()")
    status = Status(fit.status)
    if status not in (Status.CONVERGED, Status.SEPARATED):
        raise DataError(
            f"Coefficients have derivatives at an ordinary optimum only. {status.message}"
        )
    estimated = Estimated.of(fit, family, held)
    with computing():
        root = observed(estimated).root
        inverse = root.dense @ root.dense[columns].T
        inverse[columns, np.arange(columns.size)] += root.diagonal[columns] ** 2
        out = np.empty((len(held.rows), columns.size))
        at = coef[held.order], inverse[held.order]
        parts = in_parts(estimated.source, _row_moves, family, *at, width=columns.size)
        for which, moves in parts:
            out[which] = moves * held.rows.unit_weight[which, None]
    told = ~(fit.aliased | fit.infinite | fit.covariance.open)
    return np.where(told[columns], out, np.nan)


def _row_moves(block: Block, family: Family, beta: jax.Array, inverse: jax.Array) -> jax.Array:
    score = family.score(block.rows.y, block.linear_predictor(beta))
    return -score[:, None] * block.design.matvec(inverse)


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
        Where the fit itself has no optimum, or its coefficients were held to something.
    """
    refuse_constrained(model, "leave_one_out()")
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
