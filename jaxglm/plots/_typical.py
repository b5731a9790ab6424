"""Owns rows in which one variable takes its values, and each other one what is typical of it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.intake import Model
from jaxglm.io.formula._rtext import parse_expression
from jaxglm.words import FloatArray, near_text

_VALUES = 101


@dataclasses.dataclass(frozen=True)
class Varied:
    """A variable with the values that it takes, and the rows that have them.

    Attributes
    ----------
    values : [k]
        Evenly spaced numbers from its least to its largest, or its levels.
    labelled : bool
        Whether they are levels.
    seen : [n]
        The variable in the rows of the data: numbers, or positions in `values`; nan where missing.
    held : dict
        The other variables with their values.
    """

    name: str
    values: np.ndarray
    labelled: bool
    seen: FloatArray
    held: Mapping[str, Any]

    def rows(self, values: Any) -> dict[str, Any]:
        """Rows for these values of the variable, as `predict` takes them."""
        return {**self.held, self.name: list(values)}


def neutral(model: Model) -> dict[str, float]:
    """What stands for an offset or exposure beside the formula: per unit of exposure."""
    return {
        name: value for name, value in (("offset", 0.0), ("exposure", 1.0)) if name in model.used
    }


def vary(model: Model, variable: str, data: Any, at: Mapping[str, Any], what: str) -> Varied:
    """Take apart one variable of a formula or one column of a matrix.

    Raises
    ------
    DataError
        Where a formula is without `data` or a matrix beside some, or there is no such variable.
    """
    if model.spec is None:
        if data is not None:
            raise DataError(f"{what} of a fit of arrays uses the rows of the fit: leave out data=")
        return _of_matrix(model, variable, at, what)
    if data is None:
        raise DataError(
            f"{what} of a formula reads the variables from a table: give data=, such as that of "
            "the fit"
        )
    return _of_formula(model, variable, data, at)


def _of_matrix(model: Model, variable: str, at: Mapping[str, Any], what: str) -> Varied:
    held = model.held(what)
    _check_names(variable, at, model.names)
    rows = held.rows
    freq = np.where(rows.live, 1.0 if rows.freq is None else rows.freq, 0.0)
    means = held.columns.rmatvec(freq) / freq.sum()
    unit = np.zeros(len(model.names))
    unit[model.names.index(variable)] = 1.0
    seen = held.columns.matvec(unit)
    typical = dict(zip(model.names, means.tolist(), strict=True)) | dict(at)
    return Varied(variable, _range(seen[rows.live]), False, seen, typical)


def _of_formula(model: Model, variable: str, data: Any, at: Mapping[str, Any]) -> Varied:
    spec = model.spec
    assert spec is not None
    table = io.read_table(data)
    names = spec.columns(table.names)
    _check_names(variable, at, names)
    table = table.load(names)
    labels = {
        name
        for component in spec.components
        if component.kind == "factor"
        for name in parse_expression(component.text).columns()
    }
    weight = _weight(model, table.n_rows)
    held = {
        name: _typical(table.column(name), name in labels, weight)
        for name in names
        if name != variable and name not in at
    }
    values, seen = _levels(table.column(variable), variable in labels)
    if values is not None:
        return Varied(variable, values, True, seen, held | dict(at))
    return Varied(variable, _range(seen[weight > 0]), False, seen, held | dict(at))


def _check_names(variable: str, at: Mapping[str, Any], names: Any) -> None:
    for name in (variable, *at):
        if name not in names:
            raise DataError(f"{name!r} is no variable of the model; {near_text(str(name), names)}")
    for name, value in at.items():
        if not pd.api.types.is_scalar(value):
            raise DataError(f"at= holds each variable at one value, and {name!r} is {value!r}")


def _weight(model: Model, n: int) -> FloatArray:
    """What each row of a table counts for: as in the fit, if it is as long as that of the fit."""
    held = model.dataset
    if held is None or held.n_given != n:
        return np.ones(n)
    weight = np.zeros(n)
    rows = held.rows
    freq = np.where(rows.live, 1.0 if rows.freq is None else rows.freq, 0.0)
    weight[slice(None) if held.kept is None else held.kept] = freq
    return weight


def _levels(column: Any, labelled: bool) -> tuple[np.ndarray | None, FloatArray]:
    """The levels of a column with the place of each row among them; None and the numbers of one."""
    if column.values is None:
        codes, levels = column.codes, np.array(column.levels, dtype=object)
    elif labelled or column.values.dtype.kind == "b":
        codes, levels = pd.factorize(column.values, sort=True)
        codes = codes if column.missing is None else np.where(column.missing, -1, codes)
    else:
        return None, column.numbers.astype(float)
    there = np.unique(codes[codes >= 0])
    place = np.full(len(levels) + 1, np.nan)
    place[there] = np.arange(there.size)
    return np.asarray(levels, dtype=object)[there], place[codes]


def _typical(column: Any, labelled: bool, weight: FloatArray) -> Any:
    """The mean of numbers, or the most frequent level."""
    levels, seen = _levels(column, labelled)
    known = ~np.isnan(seen) & (weight > 0)
    if not known.any():
        raise DataError(f"column {column.name!r} has no value in these rows")
    if levels is None:
        return float(np.average(seen[known], weights=weight[known]))
    return levels[np.argmax(np.bincount(seen[known].astype(int), weights=weight[known]))]


def _range(seen: FloatArray) -> FloatArray:
    low, high = np.nanmin(seen), np.nanmax(seen)
    return np.linspace(low, high, _VALUES) if low < high else np.array([low])
