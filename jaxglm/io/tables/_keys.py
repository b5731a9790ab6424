"""Owns the keys of segments: found again for new rows, and as plain arrays for a file."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._integers import check_floats
from jaxglm.io.tables._messages import rows_text, spaces_caution
from jaxglm.io.tables._segments import keys_of
from jaxglm.io.tables._table import Table
from jaxglm.words import listed


def find_segments(columns: Sequence[Any], keys: pd.Index) -> np.ndarray:
    """Where the key of each row stands among `keys`; -1 for one that is not there.

    Parameters
    ----------
    columns : sequence
        As their owners hold them, one for each level of `keys`.
    keys : Index or MultiIndex
        Unique.
    """
    if not isinstance(keys, pd.MultiIndex):
        return _places(keys, columns[0])
    # Each key as a number whose digits are the places of its parts.
    wanted = np.zeros(len(columns[0]), np.int64)
    known = np.zeros(len(keys), np.int64)
    unknown = np.zeros(len(wanted), bool)
    for level, codes, column in zip(keys.levels, keys.codes, columns, strict=True):
        places = _places(level, column)
        unknown |= places < 0
        wanted = wanted * len(level) + places
        known = known * len(level) + codes
    found = pd.Index(known).get_indexer(pd.Index(wanted))
    return np.where(unknown, -1, found)


def key_columns(table: Table, names: Sequence[Any]) -> list[Any]:
    """The columns of these names as their owners hold them.

    Raises
    ------
    DataError
        Where one is not there.
    """
    missing = [name for name in names if str(name) not in table.names]
    if missing:
        raise DataError(
            f"no column {listed(map(repr, missing))} in the data: it says which segment a row "
            "belongs to"
        )
    loaded = table.load(map(str, names))
    return [loaded.native_column(loaded.names.index(str(name))) for name in names]


def unknown_text(columns: Sequence[Any], unknown: np.ndarray) -> str:
    """Words for the rows (a mask) whose segments are not among the keys."""
    rows = np.flatnonzero(unknown)
    parts = []
    for column in columns:
        codes, keys = keys_of(column, None)
        labels = [*keys.tolist(), np.nan]
        parts.append([labels[code] for code in codes[rows]])
    segments = dict.fromkeys(zip(*parts, strict=True) if len(parts) > 1 else parts[0])
    return f"{listed(map(repr, segments), 5)} in {rows_text(unknown)}"


def key_cautions(keys: pd.Index) -> Iterator[str]:
    """What in the keys of segments is likely not meant, in words."""
    levels = keys.levels if isinstance(keys, pd.MultiIndex) else [keys]
    for name, level in zip(keys.names, levels, strict=True):
        if pd.api.types.is_numeric_dtype(level.dtype):
            continue
        caution = spaces_caution(f"the key {name!r} of the segments", level)
        if caution is not None:
            yield caution


def keys_to_arrays(keys: pd.Index) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Keys as plain arrays with a description, one of each level, that JSON can hold.

    Raises
    ------
    DataError
        For keys of a type that no array holds.
    """
    if not isinstance(keys, pd.MultiIndex):
        described, arrays = _level_to_arrays(keys, "0")
        return [described], arrays
    levels, arrays = [], {}
    for i, (level, codes) in enumerate(zip(keys.levels, keys.codes, strict=True)):
        described, own = _level_to_arrays(level, str(i))
        levels.append(described | {"name": keys.names[i]})
        arrays |= own | {f"{i}.codes": np.asarray(codes, np.int32)}
    return levels, arrays


def keys_from_arrays(
    described: Sequence[Mapping[str, Any]], arrays: Mapping[str, np.ndarray]
) -> pd.Index:
    """The keys that `keys_to_arrays` took apart."""
    if any(values.ndim != 1 for values in arrays.values()):
        raise ValueError("labels stand in one row")
    levels = [_level_from_arrays(level, arrays, str(i)) for i, level in enumerate(described)]
    if "0.codes" not in arrays:
        return levels[0]
    return pd.MultiIndex(
        levels=levels,
        codes=[arrays[f"{i}.codes"] for i in range(len(levels))],
        names=[level["name"] for level in described],
    )


def _level_to_arrays(level: pd.Index, key: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    described = {"name": level.name, "dtype": str(level.dtype), "kind": level.inferred_type}
    if isinstance(level, pd.CategoricalIndex):
        of, arrays = _level_to_arrays(level.categories, f"{key}.categories")
        described |= {"categories": of, "ordered": bool(level.ordered)}
        return described, arrays | {f"{key}.of": np.asarray(level.codes)}
    if isinstance(level, pd.DatetimeIndex):
        zone = None if level.tz is None else str(level.tz)
        utc = level if zone is None else level.tz_convert("UTC").tz_localize(None)
        return described | {"kind": "datetime", "zone": zone}, {key: utc.to_numpy()}
    values = level.to_numpy()
    if level.inferred_type == "string":
        texts = [text.encode() for text in values]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return described, {key: np.frombuffer(b"".join(texts), np.uint8), f"{key}.ends": lengths}
    if level.inferred_type == "date":
        return described, {key: values.astype("datetime64[D]")}
    if level.inferred_type in ("integer", "floating", "boolean", "timedelta64"):
        plain = values if values.dtype != object else np.array(values.tolist())
        if plain.dtype != object:  # as it is where 64 bits do not hold them
            return described, {key: plain}
    raise DataError(
        f"the segments of {level.name!r} hold {level.inferred_type} values, which a file stores "
        "only as code; convert that column to text, numbers or dates before the fit"
    )


def _level_from_arrays(
    described: Mapping[str, Any], arrays: Mapping[str, np.ndarray], key: str
) -> pd.Index:
    name, dtype, kind = described["name"], described["dtype"], described["kind"]
    if "categories" in described:
        categories = _level_from_arrays(described["categories"], arrays, f"{key}.categories")
        codes = pd.Categorical.from_codes(
            arrays[f"{key}.of"], categories=categories, ordered=described["ordered"]
        )
        return pd.CategoricalIndex(codes, name=name)
    if pd.api.types.pandas_dtype(dtype).kind in "SUV":  # of any length
        raise ValueError(f"{dtype} is no type of labels")
    values: Any = arrays[key]
    if kind == "datetime":
        index = pd.DatetimeIndex(values, name=name)
        zone = described["zone"]
        return index if zone is None else index.tz_localize("UTC").tz_convert(zone)
    if kind == "string":
        text, lengths = values.tobytes(), arrays[f"{key}.ends"]
        if (lengths < 0).any() or lengths.sum() != len(text):
            raise ValueError("the texts are longer or shorter than their lengths")
        ends = np.cumsum(lengths).tolist()
        starts = [0, *ends[:-1]]
        values = [text[a:b].decode() for a, b in zip(starts, ends, strict=True)]
    if kind == "date":
        values = values.astype(datetime.date)
    return pd.Index(values, dtype=dtype, name=name)


def _places(keys: pd.Index, column: Any) -> np.ndarray:
    codes, labels = keys_of(column, keys.name)
    if isinstance(keys, pd.DatetimeIndex) and labels.dtype == object:
        labels = pd.DatetimeIndex(labels)  # dates of Python
    if keys.dtype != labels.dtype and keys.dtype.kind in "iuf" and labels.dtype.kind in "iuf":
        # A dtype in common may be float64, which does not hold whole numbers of 64 bits apart.
        check_floats(str(keys.name), _ends(keys), _ends(labels))
        keys, labels = keys.astype(object), labels.astype(object)
    return np.append(keys.get_indexer(labels), -1)[codes]


def _ends(labels: pd.Index) -> list[Any]:
    """The least and the greatest, of which one is the largest in size."""
    return [labels.min(), labels.max()] if labels.size else []
