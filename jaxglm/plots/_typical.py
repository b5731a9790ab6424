"""Owns rows in which one variable takes its values, and each other one what is typical of it."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.intake import Model, Population, fit_population, table_population
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
    seen : [m]
        The variable in the rows that count: numbers, or positions in `values`.
    held : dict
        The other variables with their values.
    of_the_fit : bool
        Whether the rows that count are those of the fit, in their order.
    unseen : str
        What a level does that the fit has not seen; as for `predict`.
    """

    name: str
    values: np.ndarray
    labelled: bool
    seen: FloatArray
    held: Mapping[str, Any]
    of_the_fit: bool
    unseen: str = "raise"

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
        Where there is no such variable, it cannot be read from the rows that the result holds, or
        it holds none and there are no `data`; and for `data` beside a matrix.
    """
    for name, value in at.items():
        if not pd.api.types.is_scalar(value):
            raise DataError(f"at= holds each variable at one value, and {name!r} is {value!r}")
    if model.spec is None:
        if data is not None:
            raise DataError(f"{what} of a fit of arrays uses the rows of the fit: leave out data=")
        return _of_matrix(model, variable, at, what)
    if data is None:
        found = fit_population(model, what, or_data=True), True
    else:
        found = table_population(model, data)
    return _of_formula(model, *found, variable, at)


def _of_matrix(model: Model, variable: str, at: Mapping[str, Any], what: str) -> Varied:
    _check_names((variable, *at), model.names)
    held = model.held(what)
    rows = held.rows
    freq = np.where(rows.live, 1.0 if rows.freq is None else rows.freq, 0.0)
    means = held.columns.rmatvec(freq) / freq.sum()
    unit = np.zeros(len(model.names))
    unit[model.names.index(variable)] = 1.0
    seen = held.columns.matvec(unit)[rows.live]
    typical = dict(zip(model.names, means.tolist(), strict=True)) | dict(at)
    return Varied(variable, _range(seen), False, seen, typical, of_the_fit=True)


def _of_formula(
    model: Model, population: Population, of_the_fit: bool, variable: str, at: Mapping[str, Any]
) -> Varied:
    spec = model.spec
    assert spec is not None
    shifts = (name for text in spec.offsets for name in parse_expression(text).columns())
    of_offset = (name for name in shifts if name not in (spec.context or {}))
    names = dict.fromkeys([*population.rows.names, *of_offset])
    _check_names((variable, *at), names)
    levels = population.rows.levels(variable)
    random = spec.random_variables - {variable}
    unseen = "base" if random else "raise"
    held = {
        name: at[name] if name in at else _typical(population, name, random=name in random)
        for name in names
        if name != variable
    }
    for name in at.keys() - random if random else ():
        known = population.rows.levels(name)
        if known is not None and at[name] not in known.values:
            raise DataError(
                f"{name!r} has no level {at[name]!r} in the fit; "
                f"{near_text(str(at[name]), map(str, known.values))}"
            )
    if levels is None:
        seen = population.numbers(variable)
        return Varied(variable, _range(seen), False, seen, held, of_the_fit, unseen=unseen)
    values = np.array(levels.values, dtype=object)
    codes = pd.Categorical(population.native(variable), categories=list(levels.values)).codes
    seen = codes.astype(float)
    return Varied(variable, values, True, seen, held, of_the_fit, unseen=unseen)


def _check_names(names: Iterable[Any], known: Iterable[str]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise DataError(f"a variable goes by its name, one at a time, not {name!r}")
        if name not in known:
            raise DataError(f"{name!r} is no variable of the model; {near_text(str(name), known)}")


def _typical(population: Population, name: str, *, random: bool) -> Any:
    """The mean of numbers, or the most frequent level; of a random effect a level without one.

    Raises
    ------
    DataError
        Where its values are not known.
    """
    try:
        levels = population.rows.levels(name)
    except DataError as error:
        raise DataError(f"{error} Or hold it at a value: at={{{name!r}: ...}}.") from None
    if random and levels is not None and not isinstance(levels.values[0], bool):
        if not any(isinstance(level, str) for level in levels.values):
            highest: Any = max(levels.values)
            return highest + 1
        none = "none of them"
        while none in levels.values:
            none += "?"
        return none
    if levels is None:
        return float(np.average(population.numbers(name), weights=population.count))
    codes, values = pd.factorize(population.native(name), sort=True)
    return values[int(np.argmax(np.bincount(codes, weights=population.count)))]


def _range(seen: FloatArray) -> FloatArray:
    low, high = seen.min(), seen.max()
    return np.linspace(low, high, _VALUES) if low < high else np.array([low])
