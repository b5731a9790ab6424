"""Owns the plot of what one variable does to the mean: predictions at its values."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._status import DataError, JaxglmWarning
from jaxglm.inference import check_scale
from jaxglm.plots._asked import Fitted, linear_text, mean_text
from jaxglm.plots._figure import Inks, Labels, axes, finish, inks, level_text
from jaxglm.plots._intervals import axes_for, draw_intervals
from jaxglm.plots._marks import sample
from jaxglm.plots._plot import Plot
from jaxglm.plots._typical import Varied, neutral, vary
from jaxglm.words import FloatArray, understands_habits

_RUG = 101


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
    at the values of the others; random effects are 0. Ticks at the lower edge are percentiles of
    the variable in `data`.

    Parameters
    ----------
    result : Results
    variable : str
        A column of the table, or of the matrix of a fit of arrays.
    data : table, optional
        The rows that say which values the variables have; those of the fit unless given. A variable
        that a result does not hold as it was, such as x of ``log(x)``, is looked up in the table of
        the fit while that is there unchanged; else give the table here. Its rows count as in the
        fit.
    at : dict, optional
        Values at which to hold other variables; what is held so is not looked up.
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
        For a variable that there is not, or that only the table has; when the result no longer
        holds the rows of its fit and no `data` are given.
    ValueError
        For another `which`, or an `alpha` outside (0, 1).

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5], "g": [*"aababa"]}
    >>> fit = jg.glm("y ~ x + g", table, family="poisson")
    >>> fit.plot.partial_effect("g").data.round(2)
      value  mean  mean_se  mean_ci_lower  mean_ci_upper
    0     a  2.03     0.80           0.93           4.41
    1     b  2.31     0.96           1.02           5.23
    """
    check_scale(which)
    varied = vary(result.model, variable, data, at or {}, "partial_effect()")
    table = predictions(result, varied, which, alpha)
    label = mean_text(result) if which == "mean" else linear_text(result)
    title = f"Effect of {variable}"
    columns = (which, f"{which}_ci_lower", f"{which}_ci_upper")
    if varied.labelled:
        ax = axes_for(ax, list(varied.values))
        draw_intervals(
            ax, list(varied.values), *(table[name].to_numpy() for name in columns), zero=False
        )
        finish(ax, Labels(title, f"{label}, {level_text(alpha)} interval", variable))
        return Plot(ax, table)
    ax = axes(ax)
    ink = inks(ax)
    draw_line(ax, ink.first, table, columns)
    _draw_rug(ax, ink, varied.seen)
    shown = f"{level_text(alpha)} band"
    finish(ax, Labels(title, variable, label, shown))
    return Plot(ax, table, shown=shown)


def predictions(result: Fitted, varied: Varied, which: str, alpha: float) -> pd.DataFrame:
    """Predictions with intervals at the values of a variable."""
    with warnings.catch_warnings():
        # The rows that it would name are values of the plot, which shows what is not there.
        warnings.simplefilter("ignore", JaxglmWarning)
        prediction = result.get_prediction(
            varied.rows(varied.values), unseen=varied.unseen, **neutral(result.model)
        )
    table = prediction.summary_frame(alpha, which)
    if not np.isfinite(prediction.linear).any():
        unknown = prediction.linear.isna().all()
        why = "are not determined" if unknown else "run to infinity (separation)"
        beside = ", ".join(f"{name} = {_short(value)}" for name, value in varied.held.items())
        raise DataError(
            f"there is no effect of {varied.name!r} to draw: beside {beside} all its predictions "
            f"{why}. Hold other variables elsewhere, with at={{name: value}}."
        )
    table.insert(0, "value", varied.values)
    return table


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


def draw_line(
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
