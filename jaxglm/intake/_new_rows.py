"""Owns the rows of new data for a model that was fitted: response, weights, trials and offset."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxglm import io
from jaxglm._status import DataError, DataWarning
from jaxglm.intake._dataset import Columns
from jaxglm.intake._model import Model
from jaxglm.intake._response import NamedResponse, check_response
from jaxglm.intake._vectors import nonnegative
from jaxglm.rows import ALL_ROWS
from jaxglm.sources import Rows
from jaxglm.words import warn

# What may stand beside the response, with what leaves it out.
_NEUTRAL = {
    "freq_weights": "1 counts each row once",
    "var_weights": "1 weighs all rows alike",
    "trials": "1 for single outcomes",
    "offset": "0 leaves it out",
    "exposure": "1 gives rates",
}


def new_rows(
    model: Model,
    data: Any,
    *,
    y: Any = None,
    vectors: Mapping[str, Any],
    proportions: bool | None = None,
) -> tuple[Columns, Rows, np.ndarray | None]:
    """The rows of new data as a fit of them would see them.

    Parameters
    ----------
    model : Model
    data : table or array
    y : array or column name, optional
        The response where the formula does not give it, as for models of arrays.
    vectors : mapping
        Arrays, numbers or column names, by argument name; those that the fit had must be there.
    proportions : bool or None
        As for the fit.

    Returns
    -------
    columns : Columns
    rows : Rows
        The offset is nan where the formula cannot be computed.
    missing : bool [n] or None
        Rows that miss a predictor.

    Raises
    ------
    DataError
        Where something is missing beside the predictors, or the family cannot have it.
    """
    for name, neutral in _NEUTRAL.items():
        if name in model.used and vectors.get(name) is None:
            raise DataError(
                f"The model was fitted with {name}=, so what its predictions are held against "
                f"needs it too: write evaluate(data, {name}=...) with one value per row, a column "
                f"name, or one value for all ({neutral})."
            )
    columns, shift, missing, index = model.new_design(
        data, offset=vectors.get("offset"), exposure=vectors.get("exposure")
    )
    n = columns.n
    response = _response(model, data, y, n, index)
    _refuse_missing(response.name, io.missing_rows(response.values, response.trials))
    freq, prior, trials = (
        None if vectors.get(name) is None else _counted(vectors[name], name, data, n, index)
        for name in ("freq_weights", "var_weights", "trials")
    )
    checked = check_response(response, trials, model.family, ALL_ROWS, np.dtype(float), proportions)
    for caution in checked.cautions:
        warn(caution, DataWarning)
    weight = np.ones(n)
    for factor in (freq, prior, checked.trials):
        if factor is not None:
            weight = weight * factor
    return columns, Rows(checked.y, weight, shift, freq, checked.trials), missing


def _response(model: Model, data: Any, y: Any, n: int, index: Any) -> NamedResponse:
    name = model.y_name or "y"
    if y is None and model.spec is not None:
        assert model.formula is not None
        found = io.new_response(model.formula, data, model.spec.context)
        # One of many responses is a column: their formula has no left side.
        y = name if found is None else None
    elif y is None:
        raise DataError(
            "This is a model of arrays, and new data hold its columns only: give their response "
            "as well, evaluate(data, y=...)."
        )
    if y is not None:
        if isinstance(y, str):
            y = io.read_table(data).native_named(y)
        found = io.read_response(y, n, index, name, allow_missing=True)
    assert found is not None
    if found.levels is not None:
        found = _events(found, model.event, name)
    elif model.event is not None:
        raise DataError(
            f"The response {name!r} held labels in the fit (one of them {model.event!r}) and now "
            "holds numbers; convert it."
        )
    return NamedResponse(found.y, found.trials, name, model.event)


def _events(found: io.Response, event: str | None, name: str) -> io.Response:
    """Labels as 0 and 1 by the event of the fit, which is the label counted as 1 there."""
    assert found.levels is not None
    if event is None:
        raise DataError(
            f"The response {name!r} held numbers in the fit and now holds labels; convert it."
        )
    used = [found.levels[int(code)] for code in np.unique(found.y[~np.isnan(found.y)])]
    others = [level for level in used if str(level) != event]
    if len(others) > 1:
        raise DataError(
            f"The response {name!r} holds {', '.join(map(repr, used[:6]))}; in the fit it had two "
            f"labels, of which {event!r} is the event."
        )
    is_event = np.array([*(str(level) == event for level in found.levels), False])
    codes = np.where(np.isnan(found.y), -1, found.y).astype(int)
    y = np.where(codes < 0, np.nan, is_event[codes])
    return io.Response(y, None, None, found.missing)


def _counted(given: Any, name: str, data: Any, n: int, index: Any) -> np.ndarray:
    values = io.read_row_values(given, name, data, n, index)
    _refuse_missing(name, io.missing_rows(values))
    return nonnegative(values, name, ALL_ROWS)


def _refuse_missing(name: str, missing: np.ndarray | None) -> None:
    if missing is not None:
        raise DataError(
            f"{name!r} has missing values in {io.rows_text(missing)} of data; leave these rows "
            "out before, as with data.dropna()."
        )
