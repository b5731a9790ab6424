"""Owns the rows of a fit where a result does not hold them: read again from the user's data."""

from typing import Any

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.inference._refits import problem_of, refits
from jaxglm.intake import MAX_MEMORY, Dataset, Given, Model, table_intake
from jaxglm.rows import merge_rows
from jaxglm.search import Fit

# Distance in standard errors from which on data given are others than those of the fit.
_OTHER = 1e-3


def rows_of(fit: Fit, model: Model, data: Any, what: str) -> Dataset:
    """The rows of a fit for `what`: those that are held, or of the data given again.

    Raises
    ------
    DataError
        Where there are none, or the data are not those of the fit.
    """
    if model.dataset is not None:
        return model.held(f"{what}()")
    again = f"Fit again and call {what} on that result."
    if model.formula is None or model.used:
        lacks = "a fit of arrays, which no table gives again"
        if model.formula is not None:
            named = ", ".join(f"{name}=" for name in sorted(model.used))
            lacks = f"a fit with {named}, which a formula does not give again"
        raise DataError(
            f"{what}() needs the rows of the fit, and this result holds none: it is {lacks}. "
            + again
        )
    if data is None:
        raise DataError(
            f"{what}() needs the rows of the fit, and this result holds none: "
            f"{model.why_no_rows}. Give the table as data=."
        )
    context = None if model.spec is None else model.spec.context
    given = Given(model.family, {}, "drop", np.dtype(np.float64), context)
    intake = table_intake(model.formula, data, given)
    if intake.model.names != model.names or intake.problem.n_rows != fit.n_rows:
        raise DataError(
            f"data= are not those of the fit: {intake.problem.n_rows} rows and columns "
            f"{', '.join(intake.model.names[:8])}, where the fit had {fit.n_rows} rows and columns "
            f"{', '.join(model.names[:8])}. {again}"
        )
    held = intake.model.dataset
    assert held is not None
    if not _same_optimum(fit, model, held):
        raise DataError(
            f"data= are not those of the fit: the model has other coefficients there. {again}"
        )
    return held


def _same_optimum(fit: Fit, model: Model, held: Dataset) -> bool:
    """Whether the rows have the estimates of the fit, those that are finite."""
    with computing():
        problem = merge_rows(problem_of(fit, held), "auto")
        once = np.ones((1, len(problem.rows)))
        found = refits(problem, once, model, fit, MAX_MEMORY).estimates[0]
    told = ~fit.aliased
    wanted, errors = fit.estimates[told], fit.covariance.expected.standard_errors[told]
    finite = np.isfinite(wanted)
    near = np.abs(found - wanted)[finite] <= _OTHER * np.maximum(errors[finite], 1e-9)
    return bool(near.all())
