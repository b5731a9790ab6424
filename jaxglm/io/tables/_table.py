"""Owns the table: one face for pandas, polars, Arrow, dicts of columns and Parquet files."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._column import Column, read_column
from jaxglm.io.tables._messages import near_text
from jaxglm.rows import ONE_FIT, OneFit


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

    def column(self, name: str, fits: OneFit = ONE_FIT) -> Column:
        """The column of that name; `fits` refuses rows with infinite values.

        Raises
        ------
        DataError
            If there is none (the message lists near names), or two, or its type cannot be used.
        """
        if name not in self._read:
            column = read_column(self.native_named(name), name, fits)
            if len(column) != self.n_rows:
                raise DataError(
                    f"column {name!r} has {len(column)} rows, the table has {self.n_rows}"
                )
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

    def load(self, names: Iterable[str]) -> "Table":
        """The same table; one of Parquet files with these columns read, and no others, at once."""
        return self


class _ParquetTable(Table):
    def __init__(self, path: str):
        import pyarrow.dataset

        self._dataset = pyarrow.dataset.dataset(path, format="parquet", partitioning="hive")
        names = self._dataset.schema.names
        super().__init__(names, self._one, self._dataset.count_rows(), "parquet")

    def _one(self, position: int) -> Any:
        return self._dataset.to_table(columns=[self.names[position]]).column(0)

    def load(self, names: Iterable[str]) -> Table:
        known = [name for name in self.names if name in set(names)]
        table = self._dataset.to_table(columns=known)
        place = {self.names.index(name): table.column(i) for i, name in enumerate(known)}
        return Table(
            self.names,
            lambda i: place[i] if i in place else self._one(i),
            self.n_rows,
            "parquet",
        )


def read_table(data: Any) -> Table:
    """Wrap a table without reading any column yet.

    Parameters
    ----------
    data : pandas, polars or other data frame, Arrow table, dict of columns, or str or path
        A path names a Parquet file or a folder of them.

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
        return _from_path(os.fspath(data))
    if isinstance(data, pd.DataFrame):
        return Table(data.columns, lambda i: data.iloc[:, i], len(data), "pandas", data.index)
    if isinstance(data, Mapping):
        return _from_mapping(data)
    return _from_frame(data)


def native_of(data: Any) -> str:
    """Where the columns of a table live; "pandas" for arrays."""
    is_table = hasattr(data, "columns") or hasattr(data, "column_names")
    return read_table(data).native if is_table else "pandas"


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


def _from_path(path: str) -> Table:
    if not os.path.exists(path):
        raise DataError(f"there is no file or folder {path!r}")
    if os.path.isfile(path):
        with open(path, "rb") as file:
            if file.read(4) != b"PAR1":
                raise DataError(
                    f"{path!r} is not a Parquet file; read it into a data frame first "
                    "(pandas.read_csv and the like) and pass that"
                )
    return _ParquetTable(path)


def _from_mapping(data: Mapping[Any, Any]) -> Table:
    columns = list(data.values())
    lengths = {str(name): _length(column, str(name)) for name, column in data.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise DataError(f"the columns of the dict differ in length: {listed}")
    n_rows = next(iter(lengths.values()), 0)
    return Table(data, columns.__getitem__, n_rows, "dict")


def _length(column: Any, name: str) -> int:
    try:
        return len(column)
    except TypeError:
        raise DataError(
            f"column {name!r} of the dict is a single {type(column).__name__}; "
            "one value per row is needed"
        ) from None


def _from_frame(data: Any) -> Table:
    import narwhals as nw

    try:
        frame = nw.from_native(data)
    except TypeError:
        advice = "; for arrays use jaxglm.GLM(y, X)" if hasattr(data, "shape") else ""
        raise DataError(
            f"data is a {type(data).__name__}; a pandas, polars or Arrow table, a dict of columns "
            f"or the path of a Parquet file is needed{advice}"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    native = str(frame.implementation).lower()
    if native not in ("polars", "pyarrow"):
        return read_table(frame.to_pandas())
    return Table(frame.columns, lambda i: frame[frame.columns[i]].to_native(), len(frame), native)
