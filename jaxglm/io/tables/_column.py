"""Owns one column of a table as NumPy: numbers, or integer codes with levels.

Reads pandas and polars Series, Arrow arrays, NumPy and JAX arrays and lists.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._integers import are_whole, has_large, is_exact, series_of, whole_numbers
from jaxglm.io.tables._messages import rows_text
from jaxglm.rows import OneFit

Level = str | int | float | bool


@dataclass(frozen=True, eq=False)
class Column:
    """Numbers (`values`) or a factor (`codes`, -1 for missing, and `levels`).

    Attributes
    ----------
    name : str
    values : [n] of any real dtype or bool, or None for a factor
        Where missing: NaN, False in a bool column, 0 in one of whole numbers.
    codes : int32 [n] or None
    levels : tuple or None
        In the declared order of a categorical column, else sorted.
    missing : bool [n] or None
        None when nothing is missing.
    infinite : bool [n] or None
        None when no number is infinite.
    """

    name: str
    values: np.ndarray | None = None
    codes: np.ndarray | None = None
    levels: tuple[Level, ...] | None = None
    missing: np.ndarray | None = None
    infinite: np.ndarray | None = None

    def __len__(self) -> int:
        held = self.codes if self.values is None else self.values
        assert held is not None
        return len(held)

    @property
    def numbers(self) -> np.ndarray:
        """The numbers, NaN where missing."""
        assert self.values is not None
        if self.missing is None or self.values.dtype.kind == "f":
            return self.values
        return np.where(self.missing, np.nan, self.values)

    def take(self, rows: np.ndarray) -> "Column":
        """Some of the rows, none of which is missing or infinite."""
        values, codes = (None if v is None else v[rows] for v in (self.values, self.codes))
        return Column(self.name, values, codes, self.levels)

    def refuse_infinite(self, fits: OneFit, called: str) -> None:
        """Refuse the rows with infinite values; messages say what the column is `called`."""
        if self.infinite is not None:
            fits.refuse(
                np.flatnonzero(self.infinite),
                lambda rows: (
                    f"{called} has infinite values in {rows_text(rows)}; "
                    "remove those rows or recode the values"
                ),
            )


def read_column(data: Any, name: str) -> Column:
    """Turn one column into NumPy, without a copy where the memory already is NumPy's.

    Raises
    ------
    DataError
        For types that are neither real numbers nor labels.
    """
    if isinstance(data, pd.api.extensions.ExtensionArray | pd.Index):
        data = pd.Series(data)
    reader = _READERS.get(type(data).__module__.partition(".")[0], _from_array)
    column = reader(data, name)
    if column.values is not None and column.values.dtype.kind == "f":
        return _floats(name, column.values)
    return column


def factor_of_values(name: str, values: np.ndarray, missing: np.ndarray | None = None) -> Column:
    """Numbers taken as labels; the levels sort numerically."""
    if missing is None:
        return _factor(name, *pd.factorize(values, sort=True))
    # What stands in a missing row is no level.
    codes = np.full(len(values), -1, np.int32)
    codes[~missing], levels = pd.factorize(values[~missing], sort=True)
    return _factor(name, codes, levels)


def plain_levels(levels: Any) -> tuple[Level, ...]:
    """Levels as Python str, int, float or bool; whole floats become ints, other things text.

    Floats so large that they stand for several whole numbers stay floats.
    """
    items = levels.tolist() if hasattr(levels, "tolist") else list(levels)
    if all(isinstance(item, float) and item.is_integer() and is_exact(item) for item in items):
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


def _whole(name: str, values: np.ndarray, missing: np.ndarray) -> Column:
    """Whole numbers or truth values, 0 where missing; where nothing else is there, it is nan."""
    if missing.all():
        return Column(name, values=np.full(len(values), np.nan), missing=missing)
    return Column(name, values=values, missing=missing if missing.any() else None)


def _floats(name: str, values: np.ndarray) -> Column:
    finite = np.isfinite(values)
    if finite.all():
        return Column(name, values=values)
    missing = np.isnan(values)
    infinite = ~(finite | missing)
    return Column(
        name,
        values=values,
        missing=missing if missing.any() else None,
        infinite=infinite if infinite.any() else None,
    )


def _refuse(name: str, what: str, advice: str) -> DataError:
    return DataError(f"column {name!r} holds {what}, not numbers or labels; {advice}")


_DATE_ADVICE = "convert it to a number (say, days since a date) or to text for a factor"
# Decimals of so many digits are sure to be whole numbers of 64 bits.
_MOST_DIGITS = 18
_OTHER_ADVICE = "convert it to float64 for a numeric predictor or to text for a factor"


def _from_array(data: Any, name: str) -> Column:
    if isinstance(data, list | tuple):
        return _from_pandas(series_of(list(data)), name)
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
        if kind in "biu":
            return _whole(name, np.where(mask, array.dtype.type(0), array), mask)
        return Column(name, values=np.where(mask, np.nan, column.numbers))
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
    if types.is_integer_dtype(dtype):
        values = data.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
        return _whole(name, values, data.isna().to_numpy())
    if types.is_numeric_dtype(dtype):
        return Column(name, values=data.to_numpy(dtype=np.float64, na_value=np.nan))
    if types.is_string_dtype(dtype):
        codes, levels = pd.factorize(data, sort=True)
        return _factor(name, codes, levels)
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    raise _refuse(name, f"{dtype} values", _OTHER_ADVICE)


def _from_labels(data: Any, name: str) -> Column:
    """A column of Python objects: text, numbers, booleans, but one kind of them only."""
    missing = data.isna().to_numpy()
    present = data[~missing] if missing.any() else data  # of any kind: a NaT may stand among text
    kind = pd.api.types.infer_dtype(present, skipna=False)
    if kind == "string":
        codes, levels = pd.factorize(data, sort=True)
        return _factor(name, codes, levels)
    if missing.all():
        return Column(name, values=np.full(len(data), np.nan))
    if kind == "integer" or (kind == "decimal" and are_whole(present)):
        numbers = whole_numbers(present, name)
        values = np.zeros(len(data), numbers.dtype)
        values[~missing] = numbers
        return _whole(name, values, missing)
    if kind == "mixed-integer-float" and has_large(present):
        raise DataError(
            f"column {name!r} mixes fractions with whole numbers beyond 2**53, which floats do not "
            "hold apart; convert it to int64 for labels, or to float64 for a numeric predictor"
        )
    if kind in ("floating", "mixed-integer-float", "decimal"):
        floats = np.full(len(data), np.nan)
        floats[~missing] = pd.to_numeric(present)
        return Column(name, values=floats)
    if kind == "boolean":
        values = np.where(missing, False, data.to_numpy()).astype(bool)
        return _whole(name, values, missing)
    if kind.startswith(("date", "time", "period")):
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    rows = np.flatnonzero(~missing)
    kinds = [type(item).__name__ for item in present]
    other = next((i for i, own in enumerate(kinds) if own != kinds[0]), None)
    if other is None:
        raise _refuse(name, f"Python objects of type {kinds[0]}", _OTHER_ADVICE)
    raise DataError(
        f"column {name!r} mixes kinds of Python objects: {kinds[0]} in row {rows[0]}, "
        f"{kinds[other]} in row {rows[other]} (counting from 0); convert it to one numeric "
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
    if kind == "Decimal" and dtype.scale == 0 and (dtype.precision or 38) <= _MOST_DIGITS:
        data, dtype, kind = data.cast(pl.Int64), pl.Int64(), "Int64"
    if kind in ("Int128", "UInt128") or (kind == "Decimal" and dtype.scale == 0):
        return _from_labels(pd.Series(data.to_list(), dtype=object), name)
    if dtype.is_integer():
        return _whole(name, data.fill_null(0).to_numpy(), data.is_null().to_numpy())
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
        data = without_null(data)
        codes = data.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        return _factor(name, codes, data.dictionary.to_pylist())
    if types.is_boolean(kind):
        missing = data.is_null().to_numpy(zero_copy_only=False) if data.null_count else None
        values = data.fill_null(False).to_numpy(zero_copy_only=False)
        return Column(name, values=values, missing=missing)
    if types.is_decimal(kind) and kind.scale <= 0:
        if kind.precision > _MOST_DIGITS:
            return _from_labels(pd.Series(data.to_pylist(), dtype=object), name)
        data = data.cast(pa.int64())
    if types.is_integer(data.type):
        missing = data.is_null().to_numpy(zero_copy_only=False)
        return _whole(name, data.fill_null(0).to_numpy(zero_copy_only=False), missing)
    if types.is_floating(kind):
        return Column(name, values=data.to_numpy(zero_copy_only=False))
    if types.is_decimal(kind) or types.is_null(kind):
        floats = data.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Column(name, values=floats.astype(np.float64))
    if types.is_temporal(kind):
        raise _refuse(name, "dates or times", _DATE_ADVICE)
    raise _refuse(name, f"{kind} values", _OTHER_ADVICE)


def without_null(data: Any) -> Any:
    """A dictionary array of Arrow whose dictionary itself holds no null."""
    if not data.dictionary.null_count:
        return data
    return data.dictionary_decode().dictionary_encode()


_READERS: dict[str, Callable[[Any, str], Column]] = {
    "pandas": _from_pandas,
    "polars": _from_polars,
    "pyarrow": _from_arrow,
}
