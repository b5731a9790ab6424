"""Owns values given for each row beside a fit, such as clusters: which rows of it they are of."""

from typing import Any

import numpy as np

from jaxglm import io
from jaxglm._status import DataError, FormulaError
from jaxglm.families import family as resolve
from jaxglm.intake import Dataset, Given, Model, table_intake


def cluster_column(name: str, data: Any, n: int, seed: int) -> Any:
    """The column of the data given whose values are the clusters."""
    if data is None:
        raise DataError(
            f"cluster={name!r} names a column, and a result keeps no table. Give the values: "
            f"bootstrap(n={n}, seed={seed}, cluster=table[{name!r}]); or the table as well: "
            f"bootstrap(table, n={n}, seed={seed}, cluster={name!r})."
        )
    return column_of_table(data, name)


def column_of_table(data: Any, name: str) -> Any:
    """The values of a column of a table.

    Raises
    ------
    DataError
        Where there is none of this name.
    """
    return io.read_table(data).native_named(name)


def column_of_fit(model: Model, name: str, data: Any) -> Any:
    """The values of a column of the table of a fit, given again or still there.

    Raises
    ------
    DataError
        Where the table is gone, has changed, or has no such column.
    """
    held = model.held("robust()")
    table = held.table() if data is None and held.table is not None else data
    if table is None:
        raise DataError(
            f"{name!r} names a column, and the table of the fit is no longer there: a result keeps "
            "the rows as the fit saw them, and no table, so one that nothing else refers to is "
            "gone, as that of glm(formula, read_csv(...)) is. Name the column in the fit, as "
            f"glm(..., cluster={name!r}); or give the values instead of the name, "
            f"table[{name!r}], or the table as data=."
        )
    check_rows(held, model, table, name)
    return column_of_table(table, name)


def refuse_idle_table(data: Any, needed: bool) -> None:
    """Refuse a table beside a result that holds its rows, where no column is looked up in it."""
    if data is not None and not needed:
        raise DataError(
            "data= is the table in which columns are looked up by name, and none is named: leave "
            "it out; this result holds the rows of its fit."
        )


def check_rows(held: Dataset, model: Model, data: Any, name: str) -> None:
    """Refuse a table whose rows are not those of the fit, one by one.

    Its column would belong to others.
    """
    refused = DataError(
        f"The table is not that of the fit as it was: its rows hold other values, or stand in "
        f"another order, so {name!r} cannot be told for the rows of the fit. Give the values that "
        "belong to these rows as cluster=, or fit again."
    )
    if model.formula is None:
        raise DataError(
            f"cluster={name!r} names a column, and this is a fit of arrays, whose rows no table "
            "can be compared with: give the values, cluster=table[...]."
        )
    other = _read(model, model.formula, data)
    if other is None:
        raise refused
    place = _places(held, other)
    if place is None or other.columns.order.size != held.columns.order.size:
        raise refused
    mixed = np.random.default_rng(0).normal(size=held.columns.order.size)
    there, here = other.columns.matvec(mixed)[place], held.columns.matvec(mixed)
    y, rows = other.rows.y[place], held.rows
    counts = rows.y if rows.trials is None else rows.y * rows.trials
    agree = np.isclose(y, rows.y, rtol=1e-12) | np.isclose(y, counts, rtol=1e-12)
    if not (agree.all() and np.allclose(there, here, rtol=1e-10, atol=1e-12)):
        raise refused


def _read(model: Model, formula: str, data: Any) -> Dataset | None:
    """The rows of a table by a formula, to be compared; None where it cannot be read."""
    context = None if model.spec is None else model.spec.context
    # A number of successes beside trials= is no share, and a segment that was not fitted may hold
    # what is no response of the family.
    families = [model.family, resolve("gaussian")]
    for family in families[1:] if "trials" in model.used else families:
        try:
            given = Given(family, {}, "drop", np.dtype(np.float64), context)
            return table_intake(formula, data, given).model.dataset
        except (DataError, FormulaError):
            continue
    return None


def _places(held: Dataset, other: Dataset) -> np.ndarray | None:
    """Where the rows of the fit stand among others, by label or by position; None if not there."""
    if held.index is not None and other.index is not None and other.index.is_unique:
        place = other.index.get_indexer(held.index)
        return place if (place >= 0).all() else None
    if held.n_given != other.n_given:
        return None
    own, all_rows = (
        np.arange(part.n_given) if part.kept is None else part.kept for part in (held, other)
    )
    return np.searchsorted(all_rows, own) if np.isin(own, all_rows).all() else None


def row_codes(values: Any, held: Dataset, called: str, live: np.ndarray) -> np.ndarray:
    """Codes of values for the rows of the fit, which sort as the values do.

    Of rows that are not `live` ([n] bool), and take no part, nothing is asked: -1 where missing.

    Raises
    ------
    DataError
        For values that are missing, of another length, or of rows that cannot be told.
    """
    codes, _ = io.groups_of_some(values, held.kept, held.n_given, held.index, called)
    lacking = (codes < 0) & live
    if lacking.any():
        raise DataError(
            f"{called} has missing values in {io.rows_text(lacking)} of the rows of the fit; "
            "fill them in, or fit without those rows"
        )
    return codes
