"""Owns the words for arguments that stand in another's place."""

from typing import Any

from jaxglm import io
from jaxglm._status import DataError, FormulaError
from jaxglm.families import Family

_ARRAYS = "For arrays write jaxglm.GLM(y, X, family=...).fit()"


def check_formula(verb: str, formula: Any, data: Any) -> None:
    """Refuse what is no formula, with the call as it should be.

    Raises
    ------
    FormulaError
    """
    if isinstance(formula, str):
        return
    if _is_formula(data):
        raise FormulaError(f"{verb} takes the formula first: {verb}({data!r}, data, ...)")
    raise FormulaError(
        f"the formula is a {type(formula).__name__}; it must be a string such as 'y ~ x'. {_ARRAYS}"
    )


def check_arrays(y: Any, X: Any) -> None:
    """Refuse a formula in place of an array.

    Raises
    ------
    DataError
    """
    for given in (y, X):
        if _is_formula(given):
            raise DataError(
                f"GLM takes arrays, GLM(y, X). A formula goes with a table: jaxglm.glm({given!r}, "
                f"data, family=...)"
            )


def check_one_response(y: Any, X: Any, family: Family) -> None:
    """Refuse a matrix in the place of a response, for verbs that fit one.

    Two columns are successes and failures where the family has such, and else no response.

    Raises
    ------
    DataError
    """
    width = io.width_of(y)
    if width <= 1 or (width == 2 and family.mean_domain == (0.0, 1.0)):
        return
    if io.width_of(X) == 1:
        raise DataError(f"y has {width} columns and X has one: the response comes first, GLM(y, X)")
    pairs = ", or two of successes and failures"
    if width == 2:
        pairs += f" for a binomial family, and the family here is {family.name}"
    raise DataError(
        f"y has {width} columns. A response is one column{pairs}; "
        "GLM(y, X).fit_responses() fits each column as a response of its own"
    )


def _is_formula(given: Any) -> bool:
    return isinstance(given, str) and "~" in given
