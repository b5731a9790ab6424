"""Owns the plot of residuals against leverage, with contours of Cook's distance."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm.plots._asked import Fitted
from jaxglm.plots._diagnosed import Diagnosed
from jaxglm.plots._figure import Labels, axes, finish, inks, reference, short_names
from jaxglm.plots._marks import draw_rows
from jaxglm.plots._plot import Plot
from jaxglm.words import FloatArray, understands_habits

# Cook and Weisberg (1982, p. 118): a distance of 1 moves all coefficients to the edge of a 50 %
# region, about.
_CONTOURS = (0.5, 1.0)
_NAMED = 3


@understands_habits
def leverage(result: Fitted, *, ax: Any = None) -> Plot:
    """Standardised Pearson residuals against leverage, with contours of Cook's distance.

    A row beyond a contour moves the coefficients by itself. With residual r and leverage h that
    distance is ``D = r^2 h / ((1 - h) p)`` for p coefficients, which makes the contours
    ``r = sqrt(D p (1 - h) / h)``. The three rows of the largest distances have their labels.

    Parameters
    ----------
    result : Results
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has `leverage`, `residual` and `rows`; `curve` the contours, `leverage`,
        `residual` and `cooks_distance`. Rows of leverage 1, whose residual is always 0, are left
        out.

    Raises
    ------
    DataError
        When the result no longer holds the rows of its fit, or has no leverages.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.leverage()
    >>> plot.data["leverage"].round(3).to_list()
    [0.268, 0.274, 0.247, 0.205, 0.256, 0.75]
    """
    return draw_leverage(Diagnosed(result, "a plot of leverage"), ax)


def draw_leverage(rows: Diagnosed, ax: Any) -> Plot:
    """`leverage` of rows at hand."""
    influence = rows.influence
    h = influence.hat_matrix_diag.to_numpy()
    residual = influence.standardised("pearson")
    cloud = rows.cloud(h, residual, "standardised Pearson residual")
    ax = axes(ax)
    ink = inks(ax)
    reference(ax, y=0.0)
    marks, shown = draw_rows(ax, ink, cloud)
    most = 1.12 * float(cloud.x.max())
    low, high = 1.12 * min(float(cloud.y.min()), -1.0), 1.12 * max(float(cloud.y.max()), 1.0)
    ax.set(xlim=(0.0, most), ylim=(low, high))
    ax.locator_params(axis="x", nbins=6)
    rank = int(np.sum(~rows.result.fit.aliased))
    curve = _contours(ax, ink.second, rank, most, (low, high))
    distance = influence.cooks_distance.to_numpy()[cloud.at]
    largest = np.argsort(-distance)[:_NAMED]
    for i, name in zip(largest, short_names(cloud.labels(largest)), strict=True):
        _name(ax, cloud.x[i], cloud.y[i], name, most)
    finish(ax, Labels("Leverage", "Leverage", "Std. Pearson residual", shown))
    data = marks.rename(columns={"x": "leverage", "y": "residual"})
    return Plot(ax, data, curve, shown)


def _contours(
    ax: Any, ink: str, rank: int, most: float, limits: tuple[float, float]
) -> pd.DataFrame:
    """Draw the contours, each named where it leaves the plot."""
    h = np.linspace(0.0, min(most, 1.0), 201)[1:]
    parts = []
    for distance in _CONTOURS:
        residual = np.sqrt(distance * rank * (1 - h) / h)
        named = False
        for side, limit in zip((1.0, -1.0), limits[::-1], strict=True):
            parts.append(_contour(h, side * residual, distance))
            if residual[-1] > abs(limit):
                continue
            ax.plot(h, side * residual, color=ink, lw=0.9, ls=(0, (5, 2)), zorder=1)
            if named:
                continue
            named = True
            ax.annotate(
                f"Cook's distance {distance:g}",
                (h[-1], side * residual[-1]),
                # Between the contours, which fall towards the right.
                xytext=(-2, -3 * side),
                textcoords="offset points",
                ha="right",
                va="top" if side > 0 else "bottom",
                annotation_clip=True,
                fontsize="xx-small",
                color=ink,
            )
    return pd.concat(parts, ignore_index=True)


def _contour(h: FloatArray, residual: FloatArray, distance: float) -> pd.DataFrame:
    return pd.DataFrame({"leverage": h, "residual": residual, "cooks_distance": distance})


def _name(ax: Any, x: float, y: float, name: str, most: float) -> None:
    """The label of a row beside its point, on the side that has room."""
    right = x < 0.7 * most
    ax.annotate(
        name,
        (x, y),
        xytext=(4 if right else -4, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize="x-small",
    )
