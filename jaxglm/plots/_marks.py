"""Owns how rows are drawn: as points, or, where there are many, as shaded cells beside points."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm.plots._diagnosed import Cloud
from jaxglm.plots._figure import Inks
from jaxglm.words import FloatArray

# More rows than these are counted in cells.
FEW = 100_000
_ACROSS, _UP = 200, 130
# Cells reach for the farthest rows, but no farther from the central ones, this share of them, than
# so many times the range of these; rows beyond are points, each of them.
_CENTRAL = 0.99
_REACH = 4
# A cell with no more rows than these shows them as points.
_SPARSE = 2
# A file of vectors with more points than these would be slow to show.
_VECTORS = 2_000


def draw_rows(ax: Any, inks: Inks, cloud: Cloud) -> tuple[pd.DataFrame, str]:
    """Draw rows, and return the marks with the words on them.

    Returns
    -------
    marks : DataFrame
        Columns `x`, `y` and `rows`, the observations that a mark stands for. Of points the index
        holds the labels of the rows; cells come before points, and then there are no labels.
    shown : str
        How many rows are shown and how.
    """
    x, y, freq = cloud.x, cloud.y, cloud.freq
    if x.size <= FEW:
        _points(ax, inks, x, y, x.size)
        labels = cloud.labels(slice(None))
        return pd.DataFrame({"x": x, "y": y, "rows": freq}, index=labels), cloud.shown
    edges_x, edges_y, counts, alone = _cells(x, y, freq)
    _shade(ax, inks, edges_x, edges_y, counts)
    _points(ax, inks, x[alone], y[alone], x.size)
    up, across = np.nonzero(counts)
    cells = {"x": _middles(edges_x)[across], "y": _middles(edges_y)[up], "rows": counts[up, across]}
    points = {"x": x[alone], "y": y[alone], "rows": freq[alone]}
    marks = pd.concat([pd.DataFrame(cells), pd.DataFrame(points)], ignore_index=True)
    words = f"{alone.size:,} sparse ones as points, others as cells"
    return marks, f"{cloud.shown}\n{words}"


def _points(ax: Any, inks: Inks, x: FloatArray, y: FloatArray, among: int) -> None:
    """Draw points of the size and shade that suit so many rows."""
    ax.scatter(
        x,
        y,
        s=float(np.clip(240 / np.sqrt(among), 1.5, 16)),
        color=inks.first,
        alpha=float(np.clip(12 / among**0.4, 0.4, 0.8)),
        linewidths=0,
        rasterized=x.size > _VECTORS,
    )


def _cells(
    x: FloatArray, y: FloatArray, freq: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, np.ndarray]:
    """Edges of the cells, how many rows count in each [up, across], and the rows drawn alone."""
    edges_x, edges_y = _edges(x, _ACROSS), _edges(y, _UP)
    # With a border for the rows outside.
    shape = (edges_y.size + 1, edges_x.size + 1)
    cell = _place(y, edges_y)
    cell *= shape[1]
    cell += _place(x, edges_x)
    dense = np.bincount(cell, minlength=shape[0] * shape[1]) > _SPARSE
    framed = dense.reshape(shape)
    framed[[0, -1], :] = framed[:, [0, -1]] = False
    counts = np.bincount(cell, weights=freq, minlength=dense.size).reshape(shape)
    shaded = np.where(framed, counts, 0.0)[1:-1, 1:-1]
    return edges_x, edges_y, shaded, np.flatnonzero(~dense[cell])


def sample(values: FloatArray) -> FloatArray:
    """Every so-manieth of the values, of which there are enough to find quantiles."""
    return values[:: max(1, values.size // FEW)]


def _edges(values: FloatArray, count: int) -> FloatArray:
    tail = (1 - _CENTRAL) / 2
    low, high = np.quantile(sample(values), [tail, 1 - tail])
    far = _REACH * (high - low) or np.inf
    low, high = max(low - far, values.min()), min(high + far, values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    # Many rows may be equal to the highest number: they are inside.
    return np.linspace(low, high + 1e-6 * (high - low), count + 1)


def _place(values: FloatArray, edges: FloatArray) -> np.ndarray:
    """The cell of each value, counted from 1; 0 below the first, one more than the last above."""
    count = edges.size - 1
    place = values - edges[0]
    place *= count / (edges[-1] - edges[0])
    place += 1.0
    np.clip(place, 0.0, count + 1.0, out=place)
    return place.astype(np.int32)


def _middles(edges: FloatArray) -> FloatArray:
    return (edges[1:] + edges[:-1]) / 2


def _shade(ax: Any, inks: Inks, across: FloatArray, up: FloatArray, counts: FloatArray) -> None:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb

    # From nearly the ground, whatever its colour, to the ink.
    rgb = to_rgb(inks.first)
    shades = LinearSegmentedColormap.from_list("rows", [(*rgb, 0.2), (*rgb, 1.0)])
    shown = np.ma.masked_equal(counts, 0)
    ax.use_sticky_edges = False
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
