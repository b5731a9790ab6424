"""Owns segments: which rows of a table share a key, and the keys in the user's own values.

Whole numbers in a small range are counted, not hashed, and values that stand in order are only
compared with their neighbours.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._column import without_null
from jaxglm.io.tables._integers import has_large, series_of
from jaxglm.io.tables._table import Table, is_table, read_table
from jaxglm.io.tables._vectors import check_aligned
from jaxglm.words import repeated

# A table of flags of this many times the rows is still faster than a hash table.
_FLAGS_PER_ROW = 4


def segments_of(table: Table, names: Sequence[str]) -> tuple[np.ndarray, pd.Index]:
    """The segments that the values of some columns make.

    Parameters
    ----------
    table : Table
    names : sequence of str
        One column or several. Numbers, text, categories, dates and truth values are keys.

    Returns
    -------
    codes : int32 [n]
        The segment of each row; -1 where a key is missing.
    keys : Index or MultiIndex
        The keys that occur, named after the columns: in the declared order of categories, else
        sorted. Several columns give the combinations that occur.

    Raises
    ------
    DataError
        If a column is not there, or its values cannot be ordered.

    Examples
    --------
    >>> codes, keys = segments_of(read_table({"shop": ["b", "a", "b"]}), ["shop"])
    >>> codes.tolist(), list(keys)
    ([1, 0, 1], ['a', 'b'])
    """
    if not names:
        raise DataError("by= names no column; name those whose values make the segments")
    twice = repeated(names)
    if twice is not None:
        raise DataError(f"by= names the column {twice!r} twice")
    codes, keys = zip(*(keys_of(table.native_named(name), name) for name in names), strict=True)
    return _combined(codes, keys)


def groups_of(
    groups: Any, n: int, index: Any, called: str = "groups"
) -> tuple[np.ndarray, pd.Index]:
    """The segments of the array door: one value per row, or a frame or list of several.

    A pandas object is brought into the order of `index`; unnamed values are called "group". In
    messages they are what they are `called`.

    Raises
    ------
    DataError
        For another length than `n`, and for what `segments_of` refuses.
    """
    table = _table_of(groups, called)
    if table.n_rows != n:
        raise DataError(f"{called} has length {table.n_rows}, but the data have {n} rows")
    codes, keys = segments_of(table, table.names)
    own = groups.index if isinstance(groups, pd.Series | pd.DataFrame) else None
    order = check_aligned(own, index, called)
    return codes if order is None else codes[order], keys


def groups_of_some(
    groups: Any, kept: np.ndarray | None, n_given: int, index: Any, called: str
) -> tuple[np.ndarray, pd.Index]:
    """`groups_of` for rows of which some are no longer there.

    Parameters
    ----------
    groups : as for `groups_of`
        One value per row that is there, or per row of what was given at first.
    kept : int [n] or None
        Positions of the rows that are there among those `n_given`; None for all.
    index : Index or None
        Labels of the rows that are there.

    Raises
    ------
    DataError
        As `groups_of`, and where rows cannot be told from each other.
    """
    n, length = n_given if kept is None else kept.size, _table_of(groups, called).n_rows
    if kept is None or length != n_given:
        if length not in (n, n_given):
            given = "" if n == n_given else f", of {n_given} that were given to it"
            raise DataError(f"{called} has length {length}, but the fit has {n} rows{given}")
        return groups_of(groups, n, index, called)
    codes, keys = groups_of(groups, n_given, None, called)
    own = groups.index if isinstance(groups, pd.Series | pd.DataFrame) else None
    if own is None or index is None or own[kept].equals(index):
        return codes[kept], keys
    places = own.get_indexer(index) if own.is_unique else np.full(n, -1)
    if (places < 0).any():
        raise DataError(
            f"the index of {called} is not that of the data: the rows that were left out cannot be "
            "found by its labels; give one value per row of the fit, or the values as a NumPy array"
        )
    return codes[places], keys


def group_columns(groups: Any, index: Any, names: Sequence[Any]) -> list[Any]:
    """The columns of `groups` given again for new rows, one for each of the `names` of the keys.

    A frame that has these names is taken by name; a pandas object is brought into the order of
    `index`, as in the fit.

    Raises
    ------
    DataError
        For another number of columns, or an index that does not fit.
    """
    table = _table_of(groups, "groups")
    wanted = [str(name) for name in names]
    if not set(wanted) <= set(table.names):
        wanted = list(table.names)
    if len(wanted) != len(names):
        raise DataError(
            f"groups has {len(wanted)} columns, but {len(names)} make a segment: "
            f"{', '.join(map(repr, names))}"
        )
    columns = [table.native_named(name) for name in wanted]
    own = groups.index if isinstance(groups, pd.Series | pd.DataFrame) else None
    order = check_aligned(own, index, "groups", "data")
    if order is None:
        return columns
    return [column.iloc[order] for column in columns]


def _table_of(groups: Any, called: str) -> Table:
    if isinstance(groups, str) or not hasattr(groups, "__len__"):
        raise DataError(f"{called} is a single {type(groups).__name__}; give one value per row")
    if is_table(groups):
        return read_table(groups)
    if np.ndim(groups) == 2 and hasattr(groups, "T"):
        groups = list(groups.T)
    several = isinstance(groups, list | tuple) and len(groups) and np.ndim(groups[0]) == 1
    columns = list(groups) if several else [groups]
    names = [getattr(column, "name", None) for column in columns]
    if several:
        names = [f"group_{i}" if name is None else name for i, name in enumerate(names, 1)]
    else:
        names = ["group" if name is None else name for name in names]
    twice = repeated(names)
    if twice is not None:
        raise DataError(f"{called} has two columns named {twice!r}; rename one of them")
    return read_table(dict(zip(names, columns, strict=True)))


def _combined(codes: Sequence[np.ndarray], keys: Sequence[pd.Index]) -> tuple[np.ndarray, pd.Index]:
    """The combinations that occur of the keys of several columns."""
    if len(codes) == 1:
        return codes[0], keys[0]
    joint = codes[0]
    places = [np.arange(len(keys[0]))]
    for own, levels in zip(codes[1:], keys[1:], strict=True):
        width = max(len(levels), 1)
        pair = joint.astype(np.int64) * width + own
        missing = _if_any((joint < 0) | (own < 0))
        joint, pairs = _whole(pair if missing is None else pair[~missing])
        joint = _placed(joint, missing)
        before, now = np.divmod(pairs, width)
        places = [*(place[before] for place in places), now]
    index = pd.MultiIndex(levels=keys, codes=places, names=[key.name for key in keys])
    return joint, index.remove_unused_levels()


def keys_of(data: Any, name: Any) -> tuple[np.ndarray, pd.Index]:
    """Codes (-1 where missing) and the keys that occur of one column, as its owner holds it."""
    if isinstance(data, np.ma.MaskedArray):
        codes, keys = keys_of(data.compressed(), name)
        return _placed(codes, np.ma.getmaskarray(data).ravel()), keys
    package = type(data).__module__.partition(".")[0]
    if package == "polars":
        codes, keys = _from_polars(data)
    elif package == "pyarrow":
        codes, keys = _from_arrow(data)
    else:
        codes, keys = _from_pandas(_series(data, name), name)
    occurs = np.bincount(codes[codes >= 0], minlength=len(keys)) > 0
    if not occurs.all():
        codes = np.append(np.cumsum(occurs) - 1, -1)[codes]
        keys = keys[occurs]
    return codes.astype(np.int32, copy=False), keys.rename(name)


def _series(data: Any, name: str) -> pd.Series:
    if isinstance(data, pd.Series):
        return data
    if isinstance(data, list | tuple):
        return series_of(data)
    if not isinstance(data, pd.Index | pd.api.extensions.ExtensionArray):
        data = np.asarray(data)
        if data.ndim == 2 and data.shape[1] == 1:
            data = data[:, 0]
        if data.ndim != 1:
            raise DataError(f"column {name!r} has shape {data.shape}; one key per row is needed")
    return pd.Series(data, copy=False)


def _from_pandas(data: pd.Series, name: str) -> tuple[np.ndarray, pd.Index]:
    dtype, types = data.dtype, pd.api.types
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(data.array.__arrow_array__())
    if isinstance(dtype, pd.CategoricalDtype):
        return data.cat.codes.to_numpy(), pd.Index(dtype.categories)
    if isinstance(dtype, pd.SparseDtype):
        return _from_pandas(data.sparse.to_dense(), name)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return _numbers(data.to_numpy())
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        missing = _if_any(data.isna().to_numpy())
        present = data if missing is None else data[~missing]
        codes, keys = _numbers(present.to_numpy(dtype=getattr(dtype, "numpy_dtype", np.float64)))
        return _placed(codes, missing), keys
    try:
        codes, keys = pd.factorize(data, sort=True)
    except TypeError:
        raise DataError(
            f"column {name!r} mixes kinds of values that have no order between them; convert it "
            "to text or to numbers to make segments of it"
        ) from None
    labels = pd.Index(keys)
    inferred = labels.infer_objects()
    # Floats would give several of them one name.
    one_name = inferred.dtype == np.float64 and has_large(labels.to_series())
    return codes, labels if one_name else inferred


def _from_polars(data: Any) -> tuple[np.ndarray, pd.Index]:
    import polars as pl

    kind = str(data.dtype).partition("(")[0]
    if kind in ("String", "Categorical"):
        labels = data.cast(pl.String)
        data = labels.cast(pl.Enum(labels.drop_nulls().unique().sort()))
    if isinstance(data.dtype, pl.Enum):
        codes = data.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return codes, pd.Index(data.dtype.categories.to_list())
    if kind in ("Object", "Null", "Decimal", "Int128", "UInt128"):  # NumPy has no such numbers
        return _from_pandas(pd.Series(data.to_list(), dtype=object), data.name)
    physical = data.to_physical()
    missing = data.is_null().to_numpy() if data.null_count() else None
    codes, keys = _numbers(physical.drop_nulls().to_numpy())
    if physical.dtype != data.dtype:
        own = pl.Series(keys.to_numpy(), dtype=physical.dtype).cast(data.dtype)
        keys = pd.Index(own.to_list())
    return _placed(codes, missing), keys


def _from_arrow(data: Any) -> tuple[np.ndarray, pd.Index]:
    import pyarrow as pa

    if hasattr(data, "combine_chunks"):
        data = data.unify_dictionaries() if pa.types.is_dictionary(data.type) else data
        data = data.combine_chunks()
    kind = data.type
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and not data.null_count:
        return _numbers(data.to_numpy(zero_copy_only=False))
    declared = pa.types.is_dictionary(kind)
    encoded = without_null(data) if declared else data.dictionary_encode()
    codes = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    keys = pd.Index(encoded.dictionary.to_pandas()).infer_objects()
    if declared:
        return codes, keys
    place, ordered = pd.factorize(keys, sort=True)
    return np.append(place, -1)[codes], pd.Index(ordered)


def _numbers(values: np.ndarray) -> tuple[np.ndarray, pd.Index]:
    """Codes and keys of numbers or truth values; NaN is missing."""
    kind = values.dtype.kind
    if kind == "b":
        codes, keys = _whole(values.view(np.uint8))
        return codes, pd.Index(keys.astype(bool))
    if kind != "f":
        codes, keys = _whole(values)
    elif (values[1:] >= values[:-1]).all() and not np.isnan(values[:1]).any():
        codes, keys = _runs(values)
    else:
        codes, keys = pd.factorize(values, sort=True)
    return codes, pd.Index(keys)


def _whole(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of whole numbers, and those that occur, sorted."""
    if (values[1:] >= values[:-1]).all():
        return _runs(values)
    low, high = values.min(), values.max()
    width = int(high) - int(low) + 1
    if width > _FLAGS_PER_ROW * values.size + 1000:
        return pd.factorize(values, sort=True)
    if low != 0:
        # A narrow type would overflow.
        values = np.subtract(values, low, dtype=np.uint64 if low.dtype.kind == "u" else np.int64)
    occurs = np.zeros(width, bool)
    occurs[values] = True
    place = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return place[values], np.flatnonzero(occurs).astype(low.dtype) + low


def _runs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes of values that stand in order."""
    begins = np.empty(values.size, bool)
    begins[:1] = True
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    codes = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    return codes, values[begins]


def _placed(codes: np.ndarray, missing: np.ndarray | None) -> np.ndarray:
    """The codes of the rows that are not missing, among all rows."""
    if missing is None:
        return codes
    placed = np.full(missing.size, -1, np.int32)
    placed[~missing] = codes
    return placed


def _if_any(missing: np.ndarray) -> np.ndarray | None:
    return missing if missing.any() else None
