"""Owns the rows of a fit as diagnostic plots need them: those that count, with what is finite."""

import dataclasses
import functools
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.intake import Dataset
from jaxglm.plots._asked import Fitted
from jaxglm.plots._figure import number
from jaxglm.words import FloatArray


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Rows of which two numbers are drawn, [n] each.

    Attributes
    ----------
    at : [n] int
        Their positions among the rows of the fit.
    shown : str
        How many of the rows they are, in words.
    """

    x: FloatArray
    y: FloatArray
    freq: FloatArray
    at: np.ndarray
    shown: str
    held: Dataset

    def labels(self, which: Any) -> pd.Index:
        """The user's labels of some of them."""
        return self.held.labels_of(self.at[which])


class Diagnosed:
    """The rows of a fit; what several plots ask of them is computed once."""

    def __init__(self, result: Fitted, what: str):
        self.result = result
        self.held = result.model.held(what)
        self.rows = self.held.rows

    @functools.cached_property
    def eta(self) -> FloatArray:
        """Linear predictors, at their limits."""
        return self.result.predict(which="linear").to_numpy()

    @functools.cached_property
    def influence(self) -> Any:
        """Leverages and what rests on them."""
        return self.result.get_influence()

    @functools.cached_property
    def freq(self) -> FloatArray:
        """Observations in each row; 0 in rows that do not count."""
        freq = np.ones(len(self.rows)) if self.rows.freq is None else self.rows.freq
        return np.where(self.rows.live, freq, 0.0)

    def cloud(self, x: FloatArray, y: FloatArray, what: str) -> Cloud:
        """The rows that count and of which both numbers are finite.

        Raises
        ------
        DataError
            Where there are none.
        """
        live = self.freq > 0
        finite = live & np.isfinite(x) & np.isfinite(y)
        if finite.all():
            at = np.arange(x.size)
            return Cloud(x, y, self.freq, at, number(at.size, "row"), self.held)
        at = np.flatnonzero(finite)
        if at.size == 0:
            raise DataError(
                f"There is nothing to draw: no row that counts has a finite {what} at a finite "
                "fitted value. The notes of the summary say what is wrong with the fit."
            )
        total = int(live.sum())
        shown = number(total, "row")
        if at.size < total:
            shown = f"{at.size:,} of {shown} (others not finite)"
        return Cloud(x[at], y[at], self.freq[at], at, shown, self.held)
