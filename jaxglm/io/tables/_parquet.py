"""Owns tables in Parquet files: their columns are read when they are asked for."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

from jaxglm._status import DataError
from jaxglm.io.tables._table import Table

_MAGIC = b"PAR1"  # at both ends of a file


class _ParquetTable(Table):
    def __init__(self, dataset: Any):
        self._dataset = dataset
        super().__init__(dataset.schema.names, self._one, dataset.count_rows(), "parquet")

    def _one(self, position: int) -> Any:
        return self._dataset.to_table(columns=[self.names[position]]).column(0)

    def load(self, names: Iterable[str]) -> Table:
        """The same table with these columns read, and no others, at once."""
        known = [name for name in self.names if name in set(names)]
        table = self._dataset.to_table(columns=known)
        place = {self.names.index(name): table.column(i) for i, name in enumerate(known)}
        return Table(
            self.names,
            lambda i: place[i] if i in place else self._one(i),
            self.n_rows,
            "parquet",
        )


def parquet_table(path: str) -> Table:
    """The table in a Parquet file, or in a folder of them.

    Raises
    ------
    DataError
        Where there is none, or a file is no Parquet file.
    """
    if not os.path.exists(path):
        raise DataError(f"there is no file or folder {path!r}")
    files = list(_files(path))
    if not files:
        raise DataError(f"there is no Parquet file in the folder {path!r}")
    for file in files:
        if not _is_parquet(file):
            advice = "read it into a data frame first (pandas.read_csv and the like) and pass that"
            if file != path:
                advice = "the folder may hold nothing else; move it away"
            raise DataError(f"{file!r} is not a Parquet file, or a damaged one; {advice}")
    import pyarrow
    import pyarrow.dataset

    try:
        return _ParquetTable(pyarrow.dataset.dataset(path, format="parquet", partitioning="hive"))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"cannot read {path!r}: {str(error).splitlines()[0]}") from None


def _files(path: str) -> Iterator[str]:
    """The file, or all in a folder that Arrow reads: names with _ or . in front are not data."""
    if os.path.isfile(path):
        yield path
        return
    for entry in sorted(os.listdir(path)):
        if not entry.startswith(("_", ".")):
            yield from _files(os.path.join(path, entry))


def _is_parquet(file: str) -> bool:
    with open(file, "rb") as opened:
        begin = opened.read(len(_MAGIC))
        if opened.seek(0, os.SEEK_END) < 3 * len(_MAGIC):
            return False
        opened.seek(-len(_MAGIC), os.SEEK_END)
        return begin == opened.read() == _MAGIC
