"""Owns the way back: labelled columns as a table of the kind that the user handed over."""

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def like_native(
    keys: Mapping[str, pd.Index], columns: Mapping[str, Any], native: str, repeats: int = 1
) -> Any:
    """A table of some columns beside their keys.

    Parameters
    ----------
    keys : mapping of str to Index
        The first columns.
    columns : mapping of str to ndarray or Categorical
        A pandas frame takes the arrays as they are, without a copy.
    native : str
        As `Table.native`: "polars" and "pyarrow" give such a table, in which nan is null; all else
        gives a pandas frame.
    repeats : int
        Rows that each key stands for.
    """
    if native in ("polars", "pyarrow"):
        _need(native)
    if native == "polars":
        import polars as pl

        rows = np.repeat(np.arange(len(next(iter(keys.values())))), repeats)
        named = {name: _to_polars(values).gather(rows) for name, values in keys.items()}
        return pl.DataFrame(named | {name: _to_polars(v) for name, v in columns.items()})
    named = {name: values.repeat(repeats) for name, values in keys.items()} | dict(columns)
    if native == "pyarrow":
        import pyarrow as pa

        return pa.table({name: pa.array(v, from_pandas=True) for name, v in named.items()})
    return pd.DataFrame(named, copy=False)


def _need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f"These results came of a {package} table, and this table of them would be one: "
            f"install {package} (pip install {package}). params, bse, conf_int() and the like are "
            "pandas objects and need none."
        )


def _to_polars(values: Any) -> Any:
    import polars as pl

    if isinstance(values, pd.Categorical | pd.CategoricalIndex):
        labels = [str(label) for label in values.categories]
        return pl.Series(labels, dtype=pl.Enum(labels)).gather(values.codes)
    if isinstance(values, pd.DatetimeIndex) and values.tz is not None:
        naive = pl.Series(values.tz_convert("UTC").tz_localize(None).to_numpy())
        return naive.dt.replace_time_zone("UTC").dt.convert_time_zone(str(values.tz))
    values = np.asarray(values)
    return pl.Series(values.tolist() if values.dtype == object else values, nan_to_null=True)
