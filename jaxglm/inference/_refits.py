"""Owns fits of the rows of one fit, counted otherwise: drawn again, or without some of them."""

import numpy as np

from jaxglm.intake import Dataset, Model
from jaxglm.lanes import Fits, fit_segments
from jaxglm.rows import Problem, Replicas
from jaxglm.search import REDUCED, Fit, Options


def problem_of(fit: Fit, held: Dataset) -> Problem:
    """The rows of a fit in the columns that have a coefficient."""
    problem = Problem.of_block(held.block, held.order, np.dtype(np.float64))
    return problem.take_columns(~fit.aliased)


def refits(
    problem: Problem,
    times: np.ndarray,
    model: Model,
    fit: Fit,
    max_memory: float,
    failed: dict[int, str] | None = None,
) -> Fits:
    """Fits that have each row so many times, [G, n], each from the coefficients of the fit.

    A negative binomial shape that was estimated is held at its estimate; where the fit reduces bias
    they do. `failed` names those without a row.
    """
    return fit_segments(
        Replicas(problem, None, times, failed or {}),
        model.family,
        Options(start=fit.coef[~fit.aliased], reduced=fit.method == REDUCED),
        names=[name for name, out in zip(model.names, fit.aliased, strict=True) if not out],
        max_memory=max_memory,
        progress=lambda count: None,
    )
