"""Owns the line through a cloud of rows: means in bins, each with as many rows as the others."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm.plots._figure import Inks
from jaxglm.plots._marks import sample
from jaxglm.words import FloatArray

# Observations in a bin at the least, and bins at the most.
_FEWEST, _MOST = 8, 40
# Standard errors of a mean on each side of it: a band of some 95 %.
_REACH = 2.0


def smooth(
    x: FloatArray, y: FloatArray, freq: FloatArray, weight: FloatArray | None = None
) -> pd.DataFrame:
    """Means of y in bins of x, with two standard errors on each side.

    Parameters
    ----------
    x, y, freq : [n]
        Finite numbers, and how many observations stand at each.
    weight : [n], optional
        What an observation counts for in the mean; 1 unless given.

    Returns
    -------
    DataFrame
        `x` and `mean` of each bin, `lower`, `upper`, and `rows`, its observations. Rows of equal x
        are in one bin.
    """
    bin_of = _bins(x, freq)
    rows = np.bincount(bin_of, weights=freq)
    counted = freq if weight is None else freq * weight

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(bin_of, weights=values).astype(float, copy=False)

    with np.errstate(divide="ignore", invalid="ignore"):
        of = total(counted)
        mean = total(counted * y) / of
        # The variance of a weighted mean, from the spread about it.
        away = counted * (counted / freq) * (y - mean[bin_of]) ** 2
        error = np.sqrt(total(away) * rows / (rows - 1)) / of
        table = pd.DataFrame(
            {
                "x": total(freq * x) / rows,
                "mean": mean,
                "lower": mean - _REACH * error,
                "upper": mean + _REACH * error,
                "rows": rows,
            }
        )
    return table[np.isfinite(table["mean"])].reset_index(drop=True)


def _bins(x: FloatArray, freq: FloatArray) -> np.ndarray:
    """The bin of each row, some of them empty where many rows are equal."""
    some, of = sample(x), sample(freq)
    order = np.argsort(some)
    upto = np.cumsum(of[order])
    count = max(1, int(min(upto[-1] ** (1 / 3), upto[-1] / _FEWEST, _MOST)))
    at = np.searchsorted(upto, np.arange(1, count) / count * upto[-1])
    return np.searchsorted(np.unique(some[order[at]]), x, side="left")


def draw_smooth(ax: Any, inks: Inks, curve: pd.DataFrame, label: str = "") -> None:
    """Draw the line and its band."""
    x = curve["x"].to_numpy()
    ax.fill_between(
        x,
        curve["lower"].to_numpy(),
        curve["upper"].to_numpy(),
        color=inks.second,
        alpha=0.2,
        linewidth=0,
        zorder=2.5,
    )
    ax.plot(x, curve["mean"].to_numpy(), color=inks.second, lw=1.6, zorder=3, label=label)
