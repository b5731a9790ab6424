"""Owns one column of a table as NumPy: numbers, or integer codes with levels.

Reads pandas and polars Series, Arrow arrays, NumPy and JAX arrays and lists.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._messages import rows_text
from jaxglm.rows import ONE_FIT, OneFit

Level = str | int | float | bool


@dataclass(frozen=True, eq=False)
class Column:
    """Numbers (`values`) or a factor (`codes`, -1 for missing, and `levels`).

    Attributes
    ----------
    name : str
    values : [n] of any real dtype or bool, or None for a factor
        NaN, or False in a bool column, where missing.
    codes : int32 [n] or None
    levels : tuple or None
        In the declared order of a categorical column, else sorted.
    missing : bool [n] or None
        None when nothing is missing.
    """

    name: str
    values: np.ndarray | None = None
    codes: np.ndarray | None = None
    levels: tuple[Level, ...] | None = None
    missing: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.codes if self.values is None else self.values)  # type: ignore[arg-type]


def read_column(data: Any, name: str, fits: OneFit = ONE_FIT) -> Column:
    """Turn one column into NumPy, without a copy where the memory already is NumPy's.

    `fits` refuses rows with infinite values; where that comes back, they are missing.

    Raises
    ------
    DataError
        For types that are neither real numbers nor labels.
    """
    if isinstance(data, pd.Categorical | pd.Index):
        data = pd.Series(data)
    reader = _READERS.get(type(data).__module__.partition(".")[0], _from_array)
    column = reader(data, name)
    if column.values is not None and column.values.dtype.kind == "f":
        column = _check_floats(column, column.values, fits)
    return column


def factor_of_values(name: str, values: np.ndarray, missing: np.ndarray | None = None) -> Column:
    """Numbers taken as labels; the levels sort numerically."""
    codes, levels = pd.factorize(values, sort=True)
    codes = codes.astype(np.int32, copy=False)
    if missing is not None:
        codes = np.where(missing, np.int32(-1), codes)
    return _factor(name, codes, levels)


def plain_levels(levels: Any) -> tuple[Level, ...]:
    """Levels as Python str, int, float or bool; whole floats become ints, other things text."""
    items = levels.tolist() if hasattr(levels, "tolist") else list(levels)
    if all(isinstance(item, float) and item.is_integer() for item in items):
        return tuple(int(item) for item in items)
    return tuple(item if isinstance(item, str | int | float) else str(item) for item in items)


def _factor(name: str, codes: np.ndarray, levels: Any) -> Column:
    codes = codes.astype(np.int32, copy=False)
    missing = codes < 0
    return Column(
        name,
        codes=codes,
        levels=plain_levels(levels),
        missing=missing if missing.any() else None,
    )


def _check_floats(column: Column, values: np.ndarray, fits: OneFit) -> Column:
    finite = np.isfinite(values)
    if finite.all():
        return column
    missing = np.isnan(values)
    infinite = ~(finite | missing)
    if infinite.any():
        fits.refuse(
            np.flatnonzero(infinite),
            lambda rows: (
                f"column {column.name!r} has infinite values in {rows_text(rows)}; "
                "remove those rows or recode the values"
            ),
        )
        values, missing = np.where(infinite, np.nan, values), missing | infinite
    return Column(column.name, values=values, missing=missing)


def _refuse(name: str, what: str, advice: str) -> DataError:
    return DataError(f"column {name!r} holds {what}, not numbers or labels; {advice}")


_DATE_ADVICE = "convert it to a number (say, days since a date) or to text for a factor"
_OTHER_ADVICE = "convert it to float64 for a numeric predictor or to text for a factor"


def _from_array(data: Any, name: str) -> Column:
    if isinstance(data, list | tuple):
        return _from_pandas(pd.Series(list(data)), name)
    mask = np.ma.getmaskarray(data) if isinstance(data, np.ma.MaskedArray) else None
    array = np.asarray(data)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(
            f"column {name!r} has shape {array.shape}; one value per row is needed, shape (n,)"
        )
    kind = array.dtype.kind
    if kind in "OUTS":
        column = _from_labels(pd.Series(array, copy=False), name)
    elif kind == "b" or kind in "iuf":
        column = Column(name, values=array)
    elif kind == "c":
        raise _refuse(name, "complex numbers", "pass the real part or the modulus")
    elif kind in "mM":
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    else:
        raise _refuse(name, f"{array.dtype} values", _OTHER_ADVICE)
    if mask is not None and mask.any():
        if column.codes is not None:
            return _factor(name, np.where(mask, np.int32(-1), column.codes), column.levels)
        return Column(name, values=np.where(mask, np.nan, array))
    return column


def _from_pandas(data: Any, name: str) -> Column:
    dtype = data.dtype
    types = pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return _factor(name, data.cat.codes.to_numpy(), dtype.categories)
    if isinstance(dtype, pd.SparseDtype):
        return _from_pandas(data.sparse.to_dense(), name)
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(data.array.__arrow_array__(), name)
    if isinstance(dtype, np.dtype):
        return _from_array(data.to_numpy(), name)
    if types.is_bool_dtype(dtype):
        missing = data.isna().to_numpy()
        values = data.to_numpy(dtype=bool, na_value=False)
        return Column(name, values=values, missing=missing if missing.any() else None)
    if types.is_numeric_dtype(dtype):
        if data.isna().any():
            return Column(name, values=data.to_numpy(dtype=np.float64, na_value=np.nan))
        return Column(name, values=data.to_numpy(dtype=getattr(dtype, "numpy_dtype", np.float64)))
    if types.is_string_dtype(dtype):
        codes, levels = pd.factorize(data, sort=True)
        return _factor(name, codes, levels)
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    raise _refuse(name, f"{dtype} values", _OTHER_ADVICE)


def _from_labels(data: Any, name: str) -> Column:
    """A column of Python objects: text, numbers, booleans, but one kind of them only."""
    kind = pd.api.types.infer_dtype(data, skipna=True)
    if kind in ("string", "empty"):
        if kind == "empty" and len(data):
            return Column(name, values=np.full(len(data), np.nan))
        codes, levels = pd.factorize(data, sort=True)
        return _factor(name, codes, levels)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return Column(name, values=pd.to_numeric(data).to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "boolean":
        missing = data.isna().to_numpy()
        values = np.where(missing, False, data.to_numpy()).astype(bool)
        return Column(name, values=values, missing=missing if missing.any() else None)
    if kind.startswith(("date", "time", "period")):
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    present = np.flatnonzero(data.notna().to_numpy())
    kinds = [type(data.iloc[row]).__name__ for row in present]
    other = next((i for i, own in enumerate(kinds) if own != kinds[0]), None)
    if other is None:
        raise _refuse(name, f"Python objects of type {kinds[0]}", _OTHER_ADVICE)
    raise DataError(
        f"column {name!r} mixes kinds of Python objects: {kinds[0]} in row {present[0]}, "
        f"{kinds[other]} in row {present[other]} (counting from 0); convert it to one numeric "
        "dtype, or to text for a factor"
    )


def _from_polars(data: Any, name: str) -> Column:
    import polars as pl

    dtype = data.dtype
    kind = str(dtype).partition("(")[0]
    nulls = data.null_count()
    if kind in ("Categorical", "String"):
        # A polars Categorical numbers its labels in the order the process met them: sort instead.
        labels = data.cast(pl.String)
        levels = labels.drop_nulls().unique().sort()
        data = labels.cast(pl.Enum(levels))
    if isinstance(data.dtype, pl.Enum):
        codes = data.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return _factor(name, codes, data.dtype.categories.to_list())
    if kind == "Boolean":
        missing = data.is_null().to_numpy() if nulls else None
        return Column(name, values=data.fill_null(False).to_numpy(), missing=missing)
    if dtype.is_numeric() or kind == "Null":
        if nulls or kind == "Decimal":
            floats = data.cast(pl.Float64).fill_null(float("nan"))
            return Column(name, values=floats.to_numpy())
        return Column(name, values=data.to_numpy())
    if dtype.is_temporal():
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    if kind == "Object":
        return _from_labels(pd.Series(data.to_list(), dtype=object), name)
    raise _refuse(name, f"{dtype} values", _OTHER_ADVICE)


def _from_arrow(data: Any, name: str) -> Column:
    import pyarrow as pa

    if hasattr(data, "combine_chunks"):
        data = data.unify_dictionaries() if pa.types.is_dictionary(data.type) else data
        data = data.combine_chunks()
        if isinstance(data, pa.ChunkedArray):  # no chunk at all: an empty column
            data = pa.array([], type=data.type)
    kind, types = data.type, pa.types
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        encoded = data.cast(pa.large_string()).dictionary_encode()
        labels = encoded.dictionary.to_pylist()
        order = sorted(range(len(labels)), key=labels.__getitem__)
        rank = np.empty(len(order) + 1, np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        rank[-1] = -1
        codes = encoded.indices.fill_null(len(order)).to_numpy(zero_copy_only=False)
        return _factor(name, rank[codes], [labels[i] for i in order])
    if types.is_dictionary(kind):
        codes = data.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        return _factor(name, codes, data.dictionary.to_pylist())
    if types.is_boolean(kind):
        missing = data.is_null().to_numpy(zero_copy_only=False) if data.null_count else None
        values = data.fill_null(False).to_numpy(zero_copy_only=False)
        return Column(name, values=values, missing=missing)
    if types.is_integer(kind) or types.is_floating(kind):
        return Column(name, values=data.to_numpy(zero_copy_only=False))
    if types.is_decimal(kind) or types.is_null(kind):
        floats = data.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Column(name, values=floats.astype(np.float64))
    if types.is_temporal(kind):
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    raise _refuse(name, f"{kind} values", _OTHER_ADVICE)


_READERS: dict[str, Callable[[Any, str], Column]] = {
    "pandas": _from_pandas,
    "polars": _from_polars,
    "pyarrow": _from_arrow,
}
