"""Owns the policy for missing values: which rows have one, in what, and what is done about it.

Imports `_messages` and `_status`.
"""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io._messages import listed, rows_text

ROWS_NAMED = 10


def check_policy(missing: str) -> None:
    """Refuse a policy other than the two there are."""
    if missing not in ("raise", "drop"):
        raise DataError(f"missing={missing!r}; it must be 'raise' or 'drop'")


class Gaps:
    """Collects which rows have a missing value, and in what."""

    def __init__(self, n_rows: int):
        self._any = np.zeros(n_rows, dtype=bool)
        self._counts: dict[str, int] = {}

    def add(self, name: str, where: np.ndarray | None) -> None:
        """Count the rows where something is missing."""
        if where is not None and where.any():
            self._counts[name] = int(where.sum())
            self._any |= where

    def first(self) -> tuple[int, ...]:
        """The first incomplete rows, counting from 0."""
        return tuple(int(row) for row in np.flatnonzero(self._any)[:ROWS_NAMED])

    def rows_kept(self, policy: str) -> np.ndarray | None:
        """The complete rows, None if all are.

        Raises
        ------
        DataError
            If rows are incomplete and the policy is "raise", or none is complete.
        """
        if not self._counts:
            return None
        total = int(self._any.sum())
        if policy == "raise":
            raise DataError(
                f"missing values in {self._counted()}, {total} rows in all: "
                f"{rows_text(self._any)}; remove them, fill them in, or use missing='drop'"
            )
        if total == len(self._any):
            raise DataError(f"no row is complete: missing values in {self._counted()}")
        return np.flatnonzero(~self._any)

    def note(self) -> str:
        """What was dropped and why, for the summary."""
        total = int(self._any.sum())
        return (
            f"{total} of {len(self._any)} rows were dropped for missing values in "
            f"{self._counted()}; {rows_text(self._any)}"
        )

    def _counted(self) -> str:
        return listed(f"{name!r} ({count})" for name, count in self._counts.items())


def index_of_kept(index: Any, rows: np.ndarray) -> Any:
    """The index of the rows kept; without one their positions, so that a join still fits."""
    return pd.Index(rows) if index is None else index[rows]
