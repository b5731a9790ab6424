"""Owns the verb that gives the response and the columns of a formula, and fits nothing."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from jaxglm import io
from jaxglm._status import FormulaError
from jaxglm.intake import ModelMatrices, model_matrices
from jaxglm.verbs._order import check_formula
from jaxglm.words import understands_habits


@understands_habits
def design(
    formula: str,
    data: Any,
    *,
    missing: Literal["raise", "drop"] = "raise",
    context: Mapping[str, Callable] | None = None,
) -> ModelMatrices:
    """Give the response and the columns that `glm` would fit, as patsy's `dmatrices` does.

    For the columns of a fit, or for new rows with the levels and knots of a fit, see
    `Results.design_matrix`. X takes 8 bytes for each of its n x p numbers; a fit itself keeps
    factors as codes, and takes far less.

    Parameters
    ----------
    formula : str
        As for `glm`; ``"~ x + g"`` for the columns alone.
    data : table
        As for `glm`.
    missing : {"raise", "drop"}
        As for `glm`.
    context : mapping, optional
        As for `glm`.

    Returns
    -------
    ModelMatrices
        Labelled with the index of the rows used.

    Raises
    ------
    DataError, FormulaError
        As for `glm`, and for a formula with an offset, which is no column.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2], "x": [0.5, 1, 2], "g": ["a", "b", "a"]}
    >>> y, X = jg.design("y ~ x + g", table)
    >>> X
       Intercept    x  g[T.b]
    0        1.0  0.5     0.0
    1        1.0  1.0     1.0
    2        1.0  2.0     0.0
    """
    check_formula("design", formula, data)
    responses = () if formula.lstrip().startswith("~") else None
    frame = io.model_frame(formula, data, missing=missing, context=context, responses=responses)
    if frame.offset is not None:
        raise FormulaError(
            f"{formula!r} has an offset, which is no column: take it out here, and give it to GLM "
            "with offset="
        )
    return model_matrices(frame)
