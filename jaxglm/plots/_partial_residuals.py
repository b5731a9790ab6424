"""Owns the plot of partial residuals: the rows about what a variable does on the link scale."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.diagnostics._by_row import by_row
from jaxglm.plots._asked import Fitted, called
from jaxglm.plots._diagnosed import Cloud, Diagnosed
from jaxglm.plots._figure import Labels, axes, finish, inks, legend
from jaxglm.plots._intervals import axes_for, draw_intervals
from jaxglm.plots._marks import draw_rows, sample
from jaxglm.plots._partial_effect import draw_line, predictions
from jaxglm.plots._plot import Plot
from jaxglm.plots._smooth import draw_smooth, smooth
from jaxglm.plots._typical import neutral, vary
from jaxglm.words import FloatArray, understands_habits

_LINEAR = ("linear", "linear_ci_lower", "linear_ci_upper")
# The frame has all but these tails of the rows, and on each side as much room as a share of that.
_TAIL, _ROOM = 0.005, 0.5


@understands_habits
def partial_residuals(
    result: Fitted,
    variable: str,
    data: Any = None,
    *,
    at: Mapping[str, Any] | None = None,
    alpha: float = 0.05,
    ax: Any = None,
) -> Plot:
    """The effect of a variable on the link scale, with the rows about it.

    A point is the linear predictor at the row's own value of the variable and typical values of the
    others, plus the row's working residual (Landwehr, Pregibon and Shoemaker 1984, Journal of the
    American Statistical Association 79, 61-71). The second line has means of the points in bins,
    each weighted with the information that its row has: where it leaves the band of the first, the
    variable is missing a curve.

    Parameters
    ----------
    result, variable, at, alpha, ax
        As for `partial_effect`.
    data : table, optional
        As for `partial_effect`: the table of the fit.

    Returns
    -------
    Plot
        `data` has `value` (of a factor the height at which the row is drawn), `partial_residual`
        and `rows`, as for `residuals`; `curve` the predictions of `partial_effect`.

    Raises
    ------
    DataError
        As `partial_effect`; when `data` are not the rows of the fit in their order, or the result
        no longer holds those.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.partial_residuals("x", table)
    >>> plot.data.round(2).head(2)
       value  partial_residual  rows
    0    0.0              0.20   1.0
    1    1.0             -1.04   1.0
    """
    rows = Diagnosed(result, "a plot of residuals")
    varied = vary(result.model, variable, data, at or {}, "partial_residuals()")
    if not varied.of_the_fit:
        raise DataError(
            "partial_residuals() puts the residuals of the fit beside the rows of data, and data "
            "are not the rows that were given to the fit, in their order"
        )
    table = predictions(result, varied, "linear", alpha)
    effect = (
        table["linear"].to_numpy()[varied.seen.astype(int)]
        if varied.labelled
        else result.predict(
            varied.rows(varied.seen), "linear", unseen=varied.unseen, **neutral(result.model)
        ).to_numpy()
    )
    x, y = np.full((2, len(rows.rows)), np.nan)
    live = rows.rows.live
    x[live], y[live] = varied.seen, effect
    cloud = rows.cloud(x, y + result.resid("working").to_numpy(), "partial residual")
    label = f"Partial residual of {called(result)} ({result.family.link.name} link)"
    labels = Labels("Partial residuals", variable, label)
    if varied.labelled:
        return _draw_levels(ax, cloud, table, labels)
    return _draw_numbers(ax, rows, cloud, table, labels)


def _draw_numbers(
    ax: Any, rows: Diagnosed, cloud: Cloud, table: pd.DataFrame, labels: Labels
) -> Plot:
    ax = axes(ax)
    ink = inks(ax)
    marks, shown = draw_rows(ax, ink, cloud)
    held = rows.rows
    information = by_row(_information, rows.result.family, held.y[cloud.at], rows.eta[cloud.at])
    weight = information * held.unit_weight[cloud.at]
    draw_line(ax, ink.text, table, _LINEAR, label="model")
    frame = _frame(cloud.y)
    margin = 0.05 * (frame[1] - frame[0]) or 1.0
    ax.set_ylim(frame[0] - margin, frame[1] + margin)
    draw_smooth(ax, ink, smooth(cloud.x, cloud.y, cloud.freq, weight), label="mean of rows")
    legend(ax)
    shown += _beyond(cloud.y, frame)
    return _finished(ax, marks, table, dataclasses.replace(labels, shown=shown))


def _draw_levels(ax: Any, cloud: Cloud, table: pd.DataFrame, labels: Labels) -> Plot:
    levels, ends = list(table["value"]), [table[name].to_numpy() for name in _LINEAR]
    ax = axes_for(ax, levels)
    ink = inks(ax)
    # Beside the interval, which is at the height of the level, so that it can be seen.
    height = len(table) - cloud.x
    height += np.random.default_rng(0).uniform(-0.35, -0.1, height.size)
    frame = _frame(cloud.y)
    draw_intervals(ax, levels, *ends, zero=False, within=frame)
    limits = ax.get_xlim()
    marks, shown = draw_rows(ax, ink, dataclasses.replace(cloud, x=cloud.y, y=height))
    marks = marks.rename(columns={"x": "y", "y": "x"})[["x", "y", "rows"]]
    ax.set_xlim(limits)
    shown += _beyond(cloud.y, frame)
    return _finished(ax, marks, table, Labels(labels.title, labels.y, labels.x, shown))


def _finished(ax: Any, marks: pd.DataFrame, table: pd.DataFrame, labels: Labels) -> Plot:
    finish(ax, labels)
    data = marks.rename(columns={"x": "value", "y": "partial_residual"})
    return Plot(ax, data, table, labels.shown)


def _frame(values: FloatArray) -> tuple[float, float]:
    """What of some numbers is shown: working residuals of small means may be huge."""
    low, high = np.quantile(sample(values), [_TAIL, 1 - _TAIL])
    room = _ROOM * (high - low)
    return max(values.min(), low - room), min(values.max(), high + room)


def _beyond(values: FloatArray, frame: tuple[float, float]) -> str:
    """How many numbers are not shown, in words."""
    count = int(np.sum((values < frame[0]) | (values > frame[1])))
    return f"\n{count:,} of them beyond the frame" if count else ""


def _information(family: Any, y: jax.Array, eta: jax.Array) -> jax.Array:
    return family.fisher_weight(y, eta)
