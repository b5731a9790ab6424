"""Owns how a problem's numbers are kept in files and handed to a library.

They are drawn in a process of their own and read from files by the others: so no library is charged
for the memory that drawing takes. Imports `spec` and `segments`; pandas where a table is built.
"""

import dataclasses
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.segments import Part, Sorted
from benchmarks.spec import Columns, Spec


@dataclass
class Data:
    """A problem as a library receives it."""

    spec: Spec
    y: np.ndarray
    X: np.ndarray | None
    frame: Any
    """The table, with "y" and "exposure" among its columns; None for arrays."""
    folder: Path

    @functools.cached_property
    def nbytes(self) -> int:
        """Bytes of what is handed in."""
        if self.X is not None:
            return self.X.nbytes + self.y.nbytes
        return int(self.frame.memory_usage(deep=True, index=False).sum())

    @functools.cached_property
    def matrix(self) -> np.ndarray:
        """X, where the problem is one of arrays."""
        assert self.X is not None
        return self.X

    @functools.cached_property
    def log_exposure(self) -> np.ndarray | None:
        if not self.spec.has_exposure:
            return None
        return np.log(self.frame["exposure"].to_numpy())

    @functools.cached_property
    def parts(self) -> list[Part]:
        """The segments one by one, for a library that fits one at a time."""
        return Sorted(self.spec, read_columns(self.folder)).parts()


def save(folder: Path, spec: Spec, columns: Columns) -> None:
    """Write a problem into a folder: `spec.json` and one `.npy` for each array."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(json.dumps(dataclasses.asdict(spec)))
    (folder / "levels.json").write_text(json.dumps(dict(columns.levels)))
    arrays = {"y": columns.y, "X": columns.X, "exposure": columns.exposure}
    arrays |= {f"codes.{name}": codes for name, codes in columns.codes.items()}
    arrays |= {f"numeric.{name}": values for name, values in columns.numeric.items()}
    for name, values in arrays.items():
        if values is not None:
            np.save(folder / f"{name}.npy", values)


def read_spec(folder: Path) -> Spec:
    fields = json.loads((folder / "spec.json").read_text())
    return Spec(**fields | {name: tuple(fields[name]) for name in ("numeric", "by")})


def read_columns(folder: Path, *, mapped: bool = False) -> Columns:
    """The numbers as they were drawn; `mapped` leaves them in their files until they are used."""
    spec = read_spec(folder)

    def array(name: str) -> np.ndarray:
        return np.load(folder / f"{name}.npy", mmap_mode="r" if mapped else None)

    return Columns(
        y=array("y"),
        X=array("X") if spec.door == "arrays" else None,
        codes={name: array(f"codes.{name}") for name in (*spec.factors, *spec.by)},
        levels=json.loads((folder / "levels.json").read_text()),
        numeric={name: array(f"numeric.{name}") for name in spec.numeric},
        exposure=array("exposure") if spec.has_exposure else None,
    )


def read(folder: Path) -> Data:
    """The problem as a library receives it."""
    spec, columns = read_spec(folder), read_columns(folder)
    if spec.door == "arrays":
        return Data(spec, columns.y, columns.X, None, folder)
    import pandas as pd

    table: dict[str, Any] = {
        name: pd.Categorical.from_codes(codes, categories=columns.levels[name])
        if name in columns.levels
        else codes.astype(np.int64)
        for name, codes in columns.codes.items()
    }
    table |= columns.numeric
    table["y"] = columns.y
    if columns.exposure is not None:
        table["exposure"] = columns.exposure
    frame = pd.DataFrame(table)
    return Data(spec, frame["y"].to_numpy(), None, frame, folder)
