"""Owns the policy for missing values: which rows have one, in what, and what is done about it.

What else is wrong with a row counts only where it is not left out for a gap, as in R.
"""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.io.tables._messages import rows_text
from jaxglm.rows import ONE_FIT, OneFit, Postponed
from jaxglm.words import check_choice, listed

ROWS_NAMED = 10


def check_policy(missing: str) -> None:
    """Refuse a policy other than the two there are."""
    check_choice("missing", missing, ("raise", "drop"))


class Gaps:
    """Collects which rows have a missing value, and in what."""

    def __init__(self, n_rows: int):
        self._any = np.zeros(n_rows, dtype=bool)
        self._where: dict[str, np.ndarray] = {}

    def add(self, name: str, where: np.ndarray | None) -> None:
        """Take down the rows where something is missing."""
        if where is not None and where.any():
            self._where[name] = where
            self._any |= where

    def first(self) -> tuple[int, ...]:
        """The first incomplete rows, counting from 0."""
        return tuple(int(row) for row in np.flatnonzero(self._any)[:ROWS_NAMED])

    def rows_kept(self, policy: str, faults: Postponed, fits: OneFit) -> np.ndarray | None:
        """The rows that are complete and have no fault, None if all are.

        Raises
        ------
        DataError
            If there is none; and where `fits` refuses rows: those of the `faults` that are not left
            out, the incomplete ones if the policy is "raise", and those of a fit without a complete
            one.
        """
        left_out = self._any & (policy == "drop")
        lost = self._any | faults.settle(left_out, fits)
        if not lost.any():
            return None
        if policy == "raise":
            fits.refuse(
                np.flatnonzero(self._any),
                lambda rows: (
                    f"missing values in {self._counted(rows)}, {rows.size} rows in all: "
                    f"{rows_text(rows)}; remove them, fill them in, or use missing='drop'"
                ),
            )
        if lost.all():
            faults.settle(left_out, ONE_FIT)
            raise DataError(self._none_complete(np.arange(lost.size)))
        fits.refuse(fits.without(~lost), self._none_complete)
        return np.flatnonzero(~lost)

    def note(self, fits: OneFit) -> list[str]:
        """What was dropped and why, for the summary; rows of fits refused are no matter of it."""
        rows = fits.sound(np.flatnonzero(self._any))
        if not rows.size:
            return []
        return [
            f"{rows.size} of {len(self._any)} rows were dropped for missing values in "
            f"{self._counted(rows)}; {rows_text(rows)}"
        ]

    def _none_complete(self, rows: np.ndarray) -> str:
        return f"no row is complete: missing values in {self._counted(rows)}"

    def _counted(self, rows: np.ndarray) -> str:
        counts = {name: int(where[rows].sum()) for name, where in self._where.items()}
        return listed(f"{name!r} ({count})" for name, count in counts.items() if count)


def index_of_kept(index: Any, rows: np.ndarray) -> Any:
    """The index of the rows kept; without one their positions, so that a join still fits."""
    return pd.Index(rows) if index is None else index[rows]
