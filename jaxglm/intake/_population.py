"""Owns the rows that effects of variables are averaged over, and what each of them counts for."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.intake._components import component_values
from jaxglm.intake._dataset import Dataset
from jaxglm.intake._matrix_rows import MatrixRows
from jaxglm.intake._model import Model
from jaxglm.intake._variable_rows import FormulaRows, VariableRows, as_matrix


@dataclasses.dataclass(frozen=True)
class Population:
    """Rows to average over.

    Attributes
    ----------
    rows : VariableRows
        These rows, and others that do not count.
    used : [m] int
        Those that count.
    offset : [m] or None
    count : [m]
        Observations that each stands for, more than 0.
    source : Table or None
        The table that they were read from.
    given : [m] int
        Where they stand in what was given, of `n_given` rows.
    labels : Index or None
        The user's labels of them.
    gaps : int
        Rows of what was given that are not among them, since they miss a value.
    """

    rows: VariableRows
    used: np.ndarray
    offset: np.ndarray | None
    count: np.ndarray
    source: io.Table | None
    given: np.ndarray
    n_given: int
    labels: Any
    gaps: int = 0

    def take(self, some: np.ndarray) -> VariableRows:
        """Some of those that count."""
        return self.rows.take(self.used[some])

    def numbers(self, name: str) -> np.ndarray:
        """A numeric variable, [m]."""
        return self.rows.numbers(name)[self.used]

    def native(self, name: str) -> Any:
        """A variable as a table holds it, [m]."""
        return self.rows.native(name)[self.used]

    def chunks(self, some: np.ndarray) -> Iterator[np.ndarray]:
        """Parts of some of those that count, of which the columns take some ten megabytes."""
        step = _rows_at_once(self.rows)
        for first in range(0, some.size, step):
            yield some[first : first + step]

    def groups(self, by: Any) -> tuple[np.ndarray, pd.Index]:
        """Codes of the groups that a column, several columns or values make, and their keys.

        Raises
        ------
        DataError
            Where a column is not there, or misses a value in a row that counts.
        """
        names = [by] if isinstance(by, str) else by
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
            codes, keys = io.groups_of_some(by, self.given, self.n_given, self.labels, "by")
        elif self.source is not None:
            codes, keys = io.segments_of(self.source, names)
            codes = codes[self.given]
        else:
            own = io.read_table({name: self.native(name) for name in names})
            codes, keys = io.segments_of(own, names)
        if (codes < 0).any():
            raise DataError(f"by= misses a value in {io.rows_text(codes < 0)} of those that count")
        return codes, keys


def fit_population(
    model: Model,
    what: str,
    variables: Sequence[str] | None = None,
    also: Sequence[str] = (),
    *,
    or_data: bool = False,
) -> Population:
    """The rows of a fit that count; `what` needs them, `or_data` as for `Model.held`.

    Where the columns of the design do not tell one of the `variables` (all unless given), as x
    where a formula has log(x) only, they are read from the table of the fit, if that is still there
    and holds the same rows. So too for columns that are needed `also`.

    Raises
    ------
    DataError
        Where the rows are held no longer, or were changed.
    """
    own, held = _held_population(model, what, or_data), model.dataset
    table = None if held is None or held.table is None else held.table()
    if table is None or not isinstance(own.rows, FormulaRows):
        return own
    known, unknown = own.rows.variables.columns, own.rows.variables.unknown
    wanted = (*(unknown if variables is None else variables), *also)
    if all(name in known for name in wanted):
        return own
    try:
        found, is_own = table_population(model, table)
    except DataError:
        return own  # it has other columns by now
    return found if is_own else own


def _held_population(model: Model, what: str, or_data: bool) -> Population:
    """The rows of a fit that count, with the variables that the columns tell."""
    held = model.held(what, or_data=or_data)
    columns, live = held.columns, np.flatnonzero(held.rows.live)
    if model.spec is None:
        rows: VariableRows = MatrixRows(as_matrix(columns), model.names)
    else:
        places = tuple(place for _, place in model.terms)
        values = component_values(model.spec, places, columns)
        variables = io.Variables.of_components(model.spec, columns.n, values)
        rows = FormulaRows(variables, places, columns)
    return _of_fit(rows, live, held, live, None)


def new_population(
    model: Model, data: Any, *, offset: Any, exposure: Any, freq_weights: Any
) -> Population:
    """The rows of a table or matrix that miss nothing.

    Those of the fit, where it is the table of the fit and nothing is given beside it: then they
    count as they did there.

    Raises
    ------
    DataError
        As `Model.new_design`, and where the fit had freq_weights and they are not given.
    """
    rows, shift, missing, source = _new_rows(model, data)
    n, complete = missing.size, np.flatnonzero(~missing)
    if offset is None and exposure is None and freq_weights is None:
        own = _own_population(model, rows, complete, n, source)
        if own is not None:
            return dataclasses.replace(own, gaps=n - complete.size)
    if "freq_weights" in model.used and freq_weights is None:
        raise DataError(
            "The model was fitted with freq_weights=, and data= is not the table of the fit: pass "
            "freq_weights= with one value per row of it, a column name, or one value for all "
            "(freq_weights=1 counts each row once)."
        )
    index = None if source is None else source.index
    shift = model.offset_of(shift, data, missing, index, offset=offset, exposure=exposure)
    count = np.ones(n)
    if freq_weights is not None:
        count = io.read_row_values(freq_weights, "freq_weights", data, n, index)
        if (count < 0).any():
            raise DataError(f"freq_weights must not be negative, as in {io.rows_text(count < 0)}")
    gaps = missing if shift is None else missing | np.isnan(shift)
    counts = ~gaps & (count > 0)
    given = np.flatnonzero(counts)
    if not given.size:
        raise DataError("data= has no row that counts: each misses a value, or has weight 0")
    return Population(
        rows=rows,
        used=np.searchsorted(complete, given),
        offset=None if shift is None else shift[given],
        count=count[given],
        source=source,
        given=given,
        n_given=n,
        labels=None if index is None else index[given],
        gaps=int(np.count_nonzero(gaps)),
    )


def table_population(model: Model, data: Any) -> tuple[Population, bool]:
    """The rows of a table that miss nothing, and whether it is the table of the fit.

    Those of another one count once each.

    Raises
    ------
    DataError
        As `Model.new_columns`, and where all rows miss a value.
    """
    rows, _, missing, source = _new_rows(model, data)
    n, complete = missing.size, np.flatnonzero(~missing)
    own = _own_population(model, rows, complete, n, source)
    if own is not None:
        return own, True
    if not complete.size:
        raise DataError("data= has no row that counts: each misses a value")
    index = None if source is None else source.index
    found = Population(
        rows=rows,
        used=np.arange(complete.size),
        offset=None,
        count=np.ones(complete.size),
        source=source,
        given=complete,
        n_given=n,
        labels=None if index is None else index[complete],
    )
    return found, False


def _own_population(
    model: Model, rows: VariableRows, complete: np.ndarray, n: int, source: io.Table | None
) -> Population | None:
    """The rows of the fit among the complete ones of n, where they are its table; else None."""
    held = model.dataset
    if held is None:
        return None
    own = _places_of_fit(held, complete, n)
    if own is None or not _are_same(rows, held, own):
        return None
    live = np.flatnonzero(held.rows.live)
    return _of_fit(rows, own[live], held, live, source)


def _of_fit(
    rows: VariableRows, used: np.ndarray, held: Dataset, live: np.ndarray, source: io.Table | None
) -> Population:
    """The rows of a fit that are `live` there, and the rows `used` here."""
    vectors = held.rows.take(live)
    return Population(
        rows=rows,
        used=used,
        offset=vectors.offset,
        count=np.ones(live.size) if vectors.freq is None else vectors.freq,
        source=source,
        given=live if held.kept is None else held.kept[live],
        n_given=held.n_given,
        labels=None if held.index is None else held.index[live],
    )


def _new_rows(
    model: Model, data: Any
) -> tuple[VariableRows, np.ndarray | None, np.ndarray, io.Table | None]:
    """Complete rows, offset of the formula in all rows, rows that miss values, and the table."""
    if model.spec is not None:
        model.check_table(data)
        variables, table, shift, missing = io.Variables.of_table(model.spec, data)
        places = tuple(place for _, place in model.terms)
        return FormulaRows(variables, places), shift, missing, table
    columns, _, gaps, _ = model.new_columns(data)
    matrix = as_matrix(columns)
    if gaps is None:
        gaps = np.zeros(columns.n, bool)
    else:
        matrix = matrix[~gaps]
    source = io.read_table(data) if io.is_table(data) else None
    return MatrixRows(matrix, model.names), None, gaps, source


def _places_of_fit(held: Dataset, complete: np.ndarray, n: int) -> np.ndarray | None:
    """Where the rows of the fit stand among the complete ones of a table, if it can be that."""
    wanted = np.arange(held.n_given) if held.kept is None else held.kept
    if n != held.n_given or not np.isin(wanted, complete).all():
        return None
    return np.searchsorted(complete, wanted)


def _are_same(rows: VariableRows, held: Dataset, places: np.ndarray) -> bool:
    """Whether some rows have the columns of the rows of the fit."""
    mixed = np.random.default_rng(0).normal(size=held.order.size)
    here = held.columns.matvec(mixed)
    step = _rows_at_once(rows)
    for first in range(0, places.size, step):
        there = rows.take(places[first : first + step]).matrix() @ mixed
        if not np.allclose(there, here[first : first + step], rtol=1e-10, atol=1e-12):
            return False
    return True


def _rows_at_once(rows: VariableRows) -> int:
    return max(256, (1 << 21) // rows.numbers_per_row)
