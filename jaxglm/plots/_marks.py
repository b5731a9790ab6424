"""Owns how rows are drawn: as points, or, where there are many, as shaded cells beside points."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm.plots._figure import Inks
from jaxglm.words import FloatArray

# More rows than these are counted in cells.
FEW = 100_000
_ACROSS, _UP = 120, 80
# A cell with no more rows than these shows them as points.
_SPARSE = 2
# Cells span this share of the rows in each direction; those beyond are points, each of them.
_CENTRAL = 0.998
# A file of vectors with more points than these would be slow to show.
_VECTORS = 2_000


def draw_rows(
    ax: Any, inks: Inks, x: FloatArray, y: FloatArray, freq: FloatArray, labels: pd.Index
) -> tuple[pd.DataFrame, str]:
    """Draw rows, and return the marks with the words on them.

    Returns
    -------
    marks : DataFrame
        Columns `x`, `y` and `rows`, the observations that a mark stands for. Of points the index
        holds the labels of the rows; cells come before points, and have none.
    words : str
        Empty where each row is a point.
    """
    if x.size <= FEW:
        _points(ax, inks, x, y)
        return pd.DataFrame({"x": x, "y": y, "rows": freq}, index=labels), ""
    edges_x, edges_y, counts, alone = _cells(x, y, freq)
    _shade(ax, inks, edges_x, edges_y, counts)
    _points(ax, inks, x[alone], y[alone])
    up, across = np.nonzero(counts)
    cells = {"x": _middles(edges_x)[across], "y": _middles(edges_y)[up], "rows": counts[up, across]}
    points = {"x": x[alone], "y": y[alone], "rows": freq[alone]}
    marks = pd.concat([pd.DataFrame(cells), pd.DataFrame(points)], ignore_index=True)
    return marks, f"shade: log of rows in a cell; {alone.size:,} sparse rows as points"


def _points(ax: Any, inks: Inks, x: FloatArray, y: FloatArray) -> None:
    size = float(np.clip(240 / np.sqrt(max(x.size, 1)), 1.5, 16))
    ax.scatter(
        x,
        y,
        s=size,
        color=inks.first,
        alpha=float(np.clip(12 / max(x.size, 1) ** 0.4, 0.25, 0.8)),
        linewidths=0,
        rasterized=x.size > _VECTORS,
    )


def _cells(
    x: FloatArray, y: FloatArray, freq: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, np.ndarray]:
    """Edges of the cells, how many rows count in each [up, across], and the rows drawn alone."""
    edges_x, edges_y = _edges(x, _ACROSS), _edges(y, _UP)
    across, up = _place(x, edges_x), _place(y, edges_y)
    inside = (across >= 0) & (across < _ACROSS) & (up >= 0) & (up < _UP)
    cell = np.where(inside, up * _ACROSS + across, _UP * _ACROSS)
    rows = np.bincount(cell, minlength=_UP * _ACROSS + 1)
    rows[-1] = 0  # those outside
    counts = np.bincount(cell, weights=freq, minlength=_UP * _ACROSS + 1)
    dense = rows > _SPARSE
    alone = np.flatnonzero(~dense[cell])
    shaded = np.where(dense, counts, 0.0)[:-1].reshape(_UP, _ACROSS)
    return edges_x, edges_y, shaded, alone


def sample(values: FloatArray) -> FloatArray:
    """Every so-manieth of the values, of which there are enough to find quantiles."""
    return values[:: max(1, values.size // FEW)]


def _edges(values: FloatArray, count: int) -> FloatArray:
    tail = (1 - _CENTRAL) / 2
    low, high = np.quantile(sample(values), [tail, 1 - tail])
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, count + 1)


def _place(values: FloatArray, edges: FloatArray) -> np.ndarray:
    count = edges.size - 1
    place = (values - edges[0]) * (count / (edges[-1] - edges[0]))
    # The highest edge belongs to the last cell.
    place[values == edges[-1]] = count - 1
    return np.floor(np.clip(place, -1, count)).astype(np.int32)


def _middles(edges: FloatArray) -> FloatArray:
    return (edges[1:] + edges[:-1]) / 2


def _shade(ax: Any, inks: Inks, across: FloatArray, up: FloatArray, counts: FloatArray) -> None:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb

    # From nearly the ground, whatever its colour, to the ink.
    rgb = to_rgb(inks.first)
    shades = LinearSegmentedColormap.from_list("rows", [(*rgb, 0.12), (*rgb, 1.0)])
    shown = np.ma.masked_equal(counts, 0)
    ax.pcolormesh(
        across,
        up,
        shown,
        cmap=shades,
        norm=LogNorm(vmin=1, vmax=max(float(counts.max()), 2.0)),
        rasterized=True,
        antialiased=False,
        linewidth=0,
    )
