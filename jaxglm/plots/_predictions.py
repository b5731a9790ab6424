"""Owns the plots of what predictions are worth: calibration, ROC curve, lift, Lorenz curve."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm.plots._asked import Scored
from jaxglm.plots._figure import (
    Labels,
    axes,
    diagonal,
    finish,
    inks,
    legend,
    level_text,
    number,
    reference,
)
from jaxglm.plots._plot import Plot
from jaxglm.words import FloatArray, understands_habits

_SQUARE = 4.0
# Points of a curve: more cannot be told apart.
_POINTS = 2_000


@understands_habits
def calibration(
    scores: Scored, bins: int = 10, data: Any = None, *, alpha: float = 0.05, ax: Any = None
) -> Plot:
    """Observed against predicted means in bins of the prediction, response scale.

    The model is calibrated where the intervals reach the diagonal.

    Parameters
    ----------
    scores : Results or Evaluation
        What ``result.evaluate(data, ...)`` returns serves rows that need weights or trials.
    bins : int
        As for `Results.calibration`.
    data : table, optional
        New rows, response included; those of the fit unless given.
    alpha : float
        One minus the level of the intervals.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` is the table of `Results.calibration`.

    Raises
    ------
    DataError, ValueError
        As `Results.calibration`.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [0, 0, 1, 0, 1, 1], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="binomial").plot.calibration(bins=2)
    >>> plot.data["observed"].round(3).to_list()
    [0.333, 0.667]
    """
    table = scores.calibration(bins, *_given(data), alpha=alpha)
    ax = axes(ax)
    ink = inks(ax)
    x, y, low, high = (
        table[name].to_numpy() for name in ("predicted", "observed", "lower", "upper")
    )
    diagonal(ax, x.min(), x.max())
    ax.vlines(x, low, high, color=ink.first, lw=1.6)
    ax.plot(x, y, "o", color=ink.first, ms=4.5)
    of = _response(scores)
    observed = f"Observed mean{of}, {level_text(alpha)} interval"
    shown = _in_bins(table)
    finish(ax, Labels(f"Calibration{of}", f"Predicted mean{of} (response scale)", observed, shown))
    return Plot(ax, table, shown=shown)


@understands_habits
def roc(scores: Scored, data: Any = None, *, ax: Any = None) -> Plot:
    """The ROC curve, with the area under it.

    Parameters
    ----------
    scores, data, ax
        As for `calibration`.

    Returns
    -------
    Plot
        `data` is the table of `Results.roc_curve`; of a longer one 2,000 points.

    Raises
    ------
    DataError
        As `Results.roc_curve`.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [0, 0, 1, 0, 1, 1], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> jg.glm("y ~ x", table, family="binomial").plot.roc().shown
    'area 0.889'
    """
    table = scores.roc_curve(*_given(data))
    false, true = "false_positive_rate", "true_positive_rate"
    table = _thinned(table, table[false].to_numpy() + table[true].to_numpy())
    shown = f"area {scores.roc_auc(*_given(data)):.3f}"
    title = f"ROC curve{_response(scores)}"
    labels = Labels(title, "False positive rate", "True positive rate", shown)
    return _in_a_square(ax, table, false, true, labels)


@understands_habits
def lorenz(scores: Scored, data: Any = None, *, ax: Any = None) -> Plot:
    """The Lorenz curve of the response by the prediction, with the Gini coefficient.

    Parameters
    ----------
    scores, data, ax
        As for `calibration`.

    Returns
    -------
    Plot
        `data` is the table of `Results.lorenz_curve`; of a longer one 2,000 points.

    Raises
    ------
    DataError
        As `Results.lorenz_curve`.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> jg.glm("y ~ x", table, family="poisson").plot.lorenz().shown
    'Gini 0.447'
    """
    table = scores.lorenz_curve(*_given(data))
    share, of_y = "share_of_weight", "share_of_response"
    table = _thinned(table, table[share].to_numpy() + table[of_y].to_numpy())
    shown = f"Gini {scores.gini(*_given(data)):.3f}"
    of = _response(scores) or " of the response"
    labels = Labels(
        f"Lorenz curve{_response(scores)}",
        "Share of weight, lowest predictions first",
        f"Share{of}",
        shown,
    )
    return _in_a_square(ax, table, share, of_y, labels)


@understands_habits
def lift(scores: Scored, bins: int = 10, data: Any = None, *, ax: Any = None) -> Plot:
    """How many times the average response the highest predictions have.

    Bars are the bins, the line is what holds for a bin and all those before it.

    Parameters
    ----------
    scores, bins, data, ax
        As for `calibration`.

    Returns
    -------
    Plot
        `data` is the table of `Results.lift_table`.

    Raises
    ------
    DataError, ValueError
        As `Results.lift_table`.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.lift(bins=3)
    >>> plot.data["lift"].round(2).to_list()
    [2.05, 0.79, 0.16]
    """
    table = scores.lift_table(bins, *_given(data))
    ax = axes(ax)
    ink = inks(ax)
    share = (table["weight"] / table["weight"].sum()).to_numpy()
    upto = np.cumsum(share)
    reference(ax, y=1.0)
    bars = {"width": 0.92 * share, "color": ink.first, "label": "in the bin", "zorder": 1}
    ax.bar(upto - share / 2, table["lift"], **bars)
    cumulative = table["cumulative_lift"]
    ax.plot(upto, cumulative, "o-", color=ink.second, ms=3.5, lw=1.4, label="up to the bin")
    ax.set_xlim(0, 1)
    legend(ax)
    of = _response(scores)
    shown = _in_bins(table)
    x = "Share of weight, highest predictions first"
    finish(ax, Labels(f"Lift{of}", x, "Observed mean over average", shown))
    return Plot(ax, table, shown=shown)


def _in_a_square(ax: Any, table: pd.DataFrame, x: str, y: str, labels: Labels) -> Plot:
    ax = axes(ax, _SQUARE)
    diagonal(ax)
    ax.plot(table[x], table[y], color=inks(ax).first, lw=1.8)
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), box_aspect=1)
    finish(ax, labels)
    return Plot(ax, table, shown=labels.shown)


def _thinned(table: pd.DataFrame, along: FloatArray) -> pd.DataFrame:
    """Rows at even distances along a curve, of more than can be told apart."""
    if len(table) <= _POINTS:
        return table
    at = np.searchsorted(along, np.linspace(along[0], along[-1], _POINTS))
    return table.iloc[np.unique(np.append(0, np.minimum(at, len(table) - 1)))]


def _given(data: Any) -> tuple[Any, ...]:
    """New rows as an argument, or none: an `Evaluation` has its own."""
    return () if data is None else (data,)


def _in_bins(table: pd.DataFrame) -> str:
    return f"{number(table['n'].sum(), 'observation')} in {number(len(table), 'bin')}"


def _response(scores: Scored) -> str:
    model = getattr(scores, "model", None)
    return "" if model is None else f" of {model.y_name}"
