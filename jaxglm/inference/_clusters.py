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
            f"{name!r} names a column, and the table of the fit is no longer there: give the "
            f"values instead of the name, table[{name!r}], or the table as data=."
        )
    check_rows(held, model, table, name)
    return io.read_table(table).native_named(name)


def check_rows(held: Dataset, model: Model, data: Any, name: str) -> None:
    """Refuse a table whose rows are not those of the fit, one by one.

    Its column would belong to others.
    """
    refused = DataError(
        f"data= is not the table of the fit as it was: its rows hold other values, or stand in "
        f"another order, so {name!r} cannot be told for the rows of the fit. Give the values that "
        "belong to these rows as cluster=, or fit again."
    )
    if model.formula is None:
        raise DataError(
            f"cluster={name!r} names a column, and this is a fit of arrays, whose rows no table "
            "can be compared with: give the values, cluster=table[...]."
        )
    # A number of successes is no share: read beside trials= it is only compared.
    family = resolve("gaussian") if "trials" in model.used else model.family
    context = None if model.spec is None else model.spec.context
    given = Given(family, {}, "drop", np.dtype(np.float64), context)
    try:
        other = table_intake(model.formula, data, given).model.dataset
    except (DataError, FormulaError):
        raise refused from None
    assert other is not None
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


def row_codes(values: Any, held: Dataset, called: str) -> np.ndarray:
    """Codes of values for the rows of the fit, which sort as the values do.

    Raises
    ------
    DataError
        For values that are missing, of another length, or of rows that cannot be told.
    """
    codes, _ = io.groups_of_some(values, held.kept, held.n_given, held.index, called)
    if (codes < 0).any():
        raise DataError(
            f"{called} has missing values in {io.rows_text(codes < 0)} of the rows of the fit; "
            "fill them in, or fit without those rows"
        )
    return codes
