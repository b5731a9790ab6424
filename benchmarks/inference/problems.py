"""Owns the problems that inference is measured on, and their clusters.

Imports NumPy and the generators of the other problems.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import data, dense_problems, table_problems
from benchmarks.spec import Columns, Spec

PROBLEMS = {
    "logit": "binomial, a dense matrix",
    "poisson": "Poisson, a dense matrix",
    "levels": "Poisson, a factor that is eliminated, 5 numeric columns; clusters are its levels",
}
ROWS_PER_LEVEL = 4


@dataclass(frozen=True)
class Size:
    """How large the problems are.

    Attributes
    ----------
    rows, columns : of the dense matrices, the constant included
    clusters : of the first clustering, and no more than a quarter of the rows
    others : of the second
    levels : of the factor; a problem has four rows for each
    """

    rows: int = 1_000_000
    columns: int = 50
    clusters: int = 100_000
    others: int = 100
    levels: int = 1_000_000


@dataclass(frozen=True)
class Made:
    """A problem with two clusterings of its rows, [n] each."""

    spec: Spec
    columns: Columns
    clusters: np.ndarray
    others: np.ndarray

    def save(self, folder: Path) -> None:
        data.save(folder, self.spec, self.columns)
        np.save(folder / "clusters.npy", self.clusters)
        np.save(folder / "others.npy", self.others)


def draw(name: str, size: Size, seed: int) -> Made:
    """The problem of that name; the same seed gives the same numbers.

    Raises
    ------
    ValueError
        For a name that there is not, and clusters that no row would be left for.
    """
    if name not in PROBLEMS:
        raise ValueError(f"no problem {name!r}; there are {', '.join(PROBLEMS)}")
    if name == "levels":
        spec, columns = table_problems.table(
            name,
            "poisson",
            ROWS_PER_LEVEL * size.levels,
            {"firm": size.levels},
            level=0.0,
            rows_per_level=ROWS_PER_LEVEL,
        )(1.0, seed)
        clusters = columns.codes["firm"]
    else:
        family = "binomial" if name == "logit" else name
        spec, columns = dense_problems.dense(name, family, size.rows, size.columns)(1.0, seed)
        clusters = _drawn(spec.n, size.clusters, seed + 1)
    return Made(spec, columns, clusters, _drawn(spec.n, size.others, seed + 2))


def _drawn(n: int, count: int, seed: int) -> np.ndarray:
    """Clusters of unequal size, all of which occur."""
    if not 2 <= count <= n // 4:
        raise ValueError(f"{count:,} clusters of {n:,} rows: take 2 to {n // 4:,}, or more rows")
    return table_problems.unequal_codes(np.random.default_rng(seed), n, count)
