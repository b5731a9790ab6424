"""Owns the way back: labelled columns as a table of the kind that the user handed over.

Imports pandas; polars and pyarrow only to make a table of theirs.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd


def like_native(columns: Mapping[str, Any], native: str) -> Any:
    """A table of some columns.

    Parameters
    ----------
    columns : mapping of str to ndarray, Index or Categorical
        A pandas frame takes the arrays as they are, without a copy.
    native : str
        As `Table.native`: "polars" and "pyarrow" give such a table, in which nan is null; all else
        gives a pandas frame.
    """
    if native == "polars":
        import polars as pl

        return pl.DataFrame({name: _to_polars(values) for name, values in columns.items()})
    if native == "pyarrow":
        import pyarrow as pa

        return pa.table({name: pa.array(v, from_pandas=True) for name, v in columns.items()})
    return pd.DataFrame(dict(columns), copy=False)


def _to_polars(values: Any) -> Any:
    import polars as pl

    if isinstance(values, pd.CategoricalIndex):
        values = pd.Categorical(values)
    if isinstance(values, pd.Categorical):
        labels = [str(label) for label in values.categories]
        return pl.Series(labels, dtype=pl.Enum(labels)).gather(values.codes)
    if isinstance(values, pd.DatetimeIndex) and values.tz is not None:
        naive = pl.Series(values.tz_convert("UTC").tz_localize(None).to_numpy())
        return naive.dt.replace_time_zone("UTC").dt.convert_time_zone(str(values.tz))
    if isinstance(values, pd.Index):
        values = values.to_numpy()
    if values.dtype == object:
        return pl.Series(values.tolist())
    return pl.Series(values, nan_to_null=True)
