"""Owns the plots of one variable of a model: the means at its values, and the rows about them."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import jax
import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.diagnostics._by_row import by_row
from jaxglm.inference import check_scale
from jaxglm.plots._asked import Fitted, called, linear_text, mean_text
from jaxglm.plots._diagnosed import Cloud, Diagnosed
from jaxglm.plots._figure import Inks, Labels, axes, finish, inks, legend, level_text
from jaxglm.plots._intervals import axes_for, draw_intervals
from jaxglm.plots._marks import draw_rows, sample
from jaxglm.plots._plot import Plot
from jaxglm.plots._smooth import draw_smooth, smooth
from jaxglm.plots._typical import Varied, neutral, vary
from jaxglm.words import FloatArray, understands_habits

_RUG = 101
_LINEAR = ("linear", "linear_ci_lower", "linear_ci_upper")


@understands_habits
def partial_effect(
    result: Fitted,
    variable: str,
    data: Any = None,
    *,
    at: Mapping[str, Any] | None = None,
    which: Literal["mean", "linear"] = "mean",
    alpha: float = 0.05,
    ax: Any = None,
) -> Plot:
    """Predictions at the values of one variable, the others at their mean or most frequent level.

    Of a number it is a line with a band, of a factor a point with an interval for each level. All
    terms of the variable take part: transformations, polynomials, splines and interactions, these
    at the values of the others. Ticks at the lower edge are percentiles of the variable in `data`.

    Parameters
    ----------
    result : Results
    variable : str
        A column of the table, or of the matrix of a fit of arrays.
    data : table
        Of fits of a formula: the rows that say which values the variables have, such as those of
        the fit (with its frequency weights then).
    at : dict, optional
        Values at which to hold other variables.
    which : {"mean", "linear"}
        Response scale, or link scale.
    alpha : float
        One minus the level of the intervals.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has a row for each `value` of the variable, with the columns of `summary_frame` of
        `Results.get_prediction`. Where the fit has an ``offset=`` this is 0, an ``exposure=`` 1.

    Raises
    ------
    DataError
        For a variable that there is not, and a formula without `data`.
    ValueError
        For another `which`, or an `alpha` outside (0, 1).

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5], "g": [*"aababa"]}
    >>> fit = jg.glm("y ~ x + g", table, family="poisson")
    >>> fit.plot.partial_effect("g", table).data.round(2)
      value  mean  mean_se  mean_ci_lower  mean_ci_upper
    0     a  2.03     0.80           0.93           4.41
    1     b  2.31     0.96           1.02           5.23
    """
    check_scale(which)
    varied = vary(result.model, variable, data, at or {}, "partial_effect()")
    table = _predictions(result, varied, which, alpha)
    label = mean_text(result) if which == "mean" else linear_text(result)
    title = f"Effect of {variable}"
    columns = (which, f"{which}_ci_lower", f"{which}_ci_upper")
    if varied.labelled:
        ax = axes_for(ax, list(varied.values))
        draw_intervals(
            ax, list(varied.values), *(table[name].to_numpy() for name in columns), zero=False
        )
        finish(ax, Labels(title, f"{label}, {level_text(alpha)} interval", ""))
        return Plot(ax, table)
    ax = axes(ax)
    ink = inks(ax)
    _draw_line(ax, ink.first, table, columns)
    _draw_rug(ax, ink, varied.seen)
    shown = f"{level_text(alpha)} band"
    finish(ax, Labels(title, variable, label, shown))
    return Plot(ax, table, shown=shown)


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
    data : table
        Of fits of a formula: the rows of the fit, as they were given to it.

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
    seen = varied.seen if data is None else _of_the_fit(rows, data, varied.seen)
    table = _predictions(result, varied, "linear", alpha)
    effect = (
        table["linear"].to_numpy()[seen.astype(int)]
        if varied.labelled
        else result.predict(varied.rows(seen), "linear", **neutral(result.model)).to_numpy()
    )
    cloud = rows.cloud(seen, effect + result.resid("working").to_numpy(), "partial residual")
    label = f"Partial residual of {called(result)} ({result.family.link.name} link)"
    labels = Labels(f"Partial residuals of {variable}", variable, label)
    draw = _draw_levels if varied.labelled else _draw_numbers
    return draw(ax, rows, cloud, table, varied, labels)


def _draw_numbers(
    ax: Any, rows: Diagnosed, cloud: Cloud, table: pd.DataFrame, varied: Varied, labels: Labels
) -> Plot:
    ax = axes(ax)
    ink = inks(ax)
    marks, shown = draw_rows(ax, ink, cloud)
    held = rows.rows
    information = by_row(_information, rows.result.family, held.y[cloud.at], rows.eta[cloud.at])
    weight = information * held.unit_weight[cloud.at]
    _draw_line(ax, ink.text, table, _LINEAR, label="model")
    draw_smooth(ax, ink, smooth(cloud.x, cloud.y, cloud.freq, weight), label="mean of rows")
    legend(ax)
    return _finished(ax, marks, table, dataclasses.replace(labels, shown=shown))


def _draw_levels(
    ax: Any, rows: Diagnosed, cloud: Cloud, table: pd.DataFrame, varied: Varied, labels: Labels
) -> Plot:
    levels, ends = list(varied.values), [table[name].to_numpy() for name in _LINEAR]
    ax = axes_for(ax, levels)
    ink = inks(ax)
    # Beside the interval, which is at the height of the level, so that it can be seen.
    height = len(table) - cloud.x
    height += np.random.default_rng(0).uniform(-0.35, -0.1, height.size)
    ends = [table[name].to_numpy() for name in _LINEAR]
    draw_intervals(
        ax, list(varied.values), *ends, zero=False, within=(cloud.y.min(), cloud.y.max())
    )
    marks, shown = draw_rows(ax, ink, dataclasses.replace(cloud, x=cloud.y, y=height))
    marks = marks.rename(columns={"x": "y", "y": "x"})[["x", "y", "rows"]]
    return _finished(ax, marks, table, Labels(labels.title, labels.y, "", shown))


def _finished(ax: Any, marks: pd.DataFrame, table: pd.DataFrame, labels: Labels) -> Plot:
    finish(ax, labels)
    data = marks.rename(columns={"x": "value", "y": "partial_residual"})
    return Plot(ax, data, table, labels.shown)


def _information(family: Any, y: jax.Array, eta: jax.Array) -> jax.Array:
    return family.fisher_weight(y, eta)


def _predictions(result: Fitted, varied: Varied, which: str, alpha: float) -> pd.DataFrame:
    """Predictions with intervals at the values of a variable."""
    prediction = result.get_prediction(varied.rows(varied.values), **neutral(result.model))
    table = prediction.summary_frame(alpha, which)
    table.insert(0, "value", varied.values)
    return table


def _of_the_fit(rows: Diagnosed, data: Any, seen: FloatArray) -> FloatArray:
    """The values in the rows of the fit, of those in the rows that were given to it.

    Raises
    ------
    DataError
        Where `data` are others.
    """
    held, result = rows.held, rows.result
    wrong = DataError(
        "partial_residuals() puts the residuals of the fit beside the rows of data, and data are "
        "not the rows that were given to the fit, in their order"
    )
    if seen.size != held.n_given:
        raise wrong
    kept = slice(None) if held.kept is None else held.kept
    columns, _, missing, _ = result.model.new_columns(data, "nan")
    effective = np.where(result.fit.aliased, 0.0, result.fit.coef)
    theirs, ours = columns.matvec(effective)[kept], held.columns.matvec(effective)
    gone = missing is not None and missing[kept].any()
    if gone or not np.allclose(theirs, ours, rtol=1e-8, atol=1e-8 * np.abs(ours).max(initial=1.0)):
        raise wrong
    return seen[kept]


def _draw_line(
    ax: Any, color: Any, table: pd.DataFrame, columns: tuple[str, str, str], label: str = ""
) -> None:
    """The line of predictions and their band."""
    x = table["value"].to_numpy(float)
    line, low, high = (table[name].to_numpy() for name in columns)
    ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0, zorder=2.1)
    ax.plot(x, line, color=color, lw=1.6, zorder=2.2, label=label)


def _draw_rug(ax: Any, ink: Inks, seen: FloatArray) -> None:
    """Percentiles as ticks at the lower edge."""
    at = np.nanquantile(sample(seen), np.linspace(0, 1, _RUG))
    where = ax.get_xaxis_transform()
    ax.vlines(at, 0.0, 0.025, transform=where, color=ink.text, lw=0.5, alpha=0.6)
