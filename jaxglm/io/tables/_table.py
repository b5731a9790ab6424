"""Owns the table: one face for pandas, polars, Arrow, dicts of columns and Parquet files."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._column import Column, read_column
from jaxglm.rows import ONE_FIT, OneFit
from jaxglm.words import near_text


class Table:
    """Columns by name, read into NumPy when they are asked for.

    Attributes
    ----------
    n_rows : int
    names : tuple of str
    index : pandas.Index or None
        The index of a pandas frame.
    native : str
        Where the columns live: "pandas", "polars", "pyarrow", "dict" or "parquet".
    """

    def __init__(
        self,
        names: Iterable[Any],
        get: Callable[[int], Any],
        n_rows: int,
        native: str,
        index: Any = None,
    ):
        self.names = tuple(str(name) for name in names)
        self.n_rows = n_rows
        self.native = native
        self.index = index
        self._get = get
        self._read: dict[str, Column] = {}

    @classmethod
    def of(cls, columns: Mapping[str, Column], n_rows: int) -> "Table":
        """A table of columns that were read before."""
        table = cls(columns, list(columns.values()).__getitem__, n_rows, "dict")
        table._read = dict(columns)
        return table

    def column(self, name: str, fits: OneFit = ONE_FIT) -> Column:
        """The column of that name; `fits` refuses rows with infinite values.

        Raises
        ------
        DataError
            If there is none (the message lists near names), or two, or its type cannot be used.
        """
        if name not in self._read:
            column = read_column(self.native_named(name), name)
            if len(column) != self.n_rows:
                raise DataError(
                    f"column {name!r} has {len(column)} rows, the table has {self.n_rows}"
                )
            column.refuse_infinite(fits, f"column {name!r}")
            self._read[name] = column
        return self._read[name]

    def native_named(self, name: str) -> Any:
        """The column of that name as its owner holds it.

        Raises
        ------
        DataError
            If there is none (the message lists near names), or two.
        """
        count = self.names.count(name)
        if count == 0:
            raise DataError(f"no column {name!r} in the data; {near_text(name, self.names)}")
        if count > 1:
            raise DataError(f"the data have {count} columns named {name!r}; rename them")
        return self.native_column(self.names.index(name))

    def native_column(self, position: int) -> Any:
        """The column at a position as its owner holds it."""
        return self._get(position)

    def select(self, names: Sequence[str]) -> "Table":
        """The columns of these names, in this order.

        Raises
        ------
        DataError
            As `native_named`.
        """
        columns = [self.native_named(name) for name in names]
        return Table(names, columns.__getitem__, self.n_rows, self.native, self.index)

    def load(self, names: Iterable[str]) -> "Table":
        """The same table, with these columns read at once where they are not in memory yet."""
        return self


def read_table(data: Any) -> Table:
    """Wrap a table without reading any column yet.

    Parameters
    ----------
    data : pandas, polars or other data frame, Arrow table, dict of columns, or str or path
        A path names a Parquet file or a folder of them. A single value in a dict stands in every
        row; a dict of nothing else is one row.

    Raises
    ------
    DataError
        If `data` is none of these.

    Examples
    --------
    >>> table = read_table({"dose": [0.1, 0.2], "sex": ["F", "M"]})
    >>> table.n_rows, table.column("sex").levels
    (2, ('F', 'M'))
    """
    if isinstance(data, Table):
        return data
    if isinstance(data, str | os.PathLike):
        from jaxglm.io.tables._parquet import parquet_table  # it knows what a table is

        return parquet_table(os.fspath(data))
    if isinstance(data, pd.DataFrame):
        return Table(data.columns, lambda i: data.iloc[:, i], len(data), "pandas", data.index)
    if isinstance(data, Mapping):
        return _from_mapping(data)
    return _from_frame(data)


def is_table(data: Any) -> bool:
    """Whether what was given has columns by name, so that `read_table` can wrap it."""
    has_columns = hasattr(data, "columns") or hasattr(data, "column_names")
    return has_columns or isinstance(data, Mapping | Table)


def native_of(data: Any) -> str:
    """Where the columns of a table live; "pandas" for arrays."""
    return read_table(data).native if is_table(data) else "pandas"


def numbers_of(column: Column, name: str) -> np.ndarray:
    """The numbers of a column that was named for the argument `name`, NaN where missing.

    Raises
    ------
    DataError
        If it holds labels.
    """
    if column.values is None:
        raise DataError(f"{name}={column.name!r}: that column holds labels, numbers are needed")
    return column.numbers


def _from_mapping(data: Mapping[Any, Any]) -> Table:
    lengths = {str(name): _length(column, str(name)) for name, column in data.items()}
    rows = {length for length in lengths.values() if length is not None}
    if len(rows) > 1:
        listed = ", ".join(f"{name!r} {n}" for name, n in lengths.items() if n is not None)
        raise DataError(f"the columns of the dict differ in length: {listed}")
    n_rows = rows.pop() if rows else min(len(data), 1)
    columns = [
        [_plain(column)] * n_rows if length is None else column
        for column, length in zip(data.values(), lengths.values(), strict=True)
    ]
    return Table(data, columns.__getitem__, n_rows, "dict")


def _plain(value: Any) -> Any:
    """A single value, also where an array of no dimension holds it."""
    return value.item() if hasattr(value, "item") else value


def _length(column: Any, name: str) -> int | None:
    """The rows of a column of a dict; None for a single value, which stands in every row."""
    if pd.api.types.is_scalar(column) or getattr(column, "shape", None) == ():
        return None
    try:
        return len(column)
    except TypeError:
        raise DataError(
            f"column {name!r} of the dict is a {type(column).__name__}; a list or an array of one "
            "value per row is needed, or one value for all rows"
        ) from None


def _from_frame(data: Any) -> Table:
    if type(data).__module__.partition(".")[0] == "pyarrow" and hasattr(data, "column_names"):
        return Table(data.column_names, data.column, data.num_rows, "pyarrow")
    import narwhals as nw

    try:
        frame = nw.from_native(data)
    except TypeError:
        raise DataError(
            f"data is a {type(data).__name__}; a pandas, polars or Arrow table, a dict of columns "
            f"or the path of a Parquet file is needed{_advice(data)}"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    native = str(frame.implementation).lower()
    if native not in ("polars", "pyarrow"):
        return read_table(frame.to_pandas())
    return Table(frame.columns, lambda i: frame[frame.columns[i]].to_native(), len(frame), native)


def _advice(data: Any) -> str:
    if isinstance(data, pd.Series):
        return "; one row of a frame is table.iloc[[i]] or table.loc[[label]], a table as well"
    return "; for arrays use jaxglm.GLM(y, X)" if hasattr(data, "shape") else ""
