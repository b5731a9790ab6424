"""Owns the plots of coefficients and of what their exponentials are, with intervals."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from jaxglm.inference import is_intercept, ratio_label
from jaxglm.plots._asked import Fitted, called
from jaxglm.plots._figure import Labels, finish, level_text, reference
from jaxglm.plots._intervals import axes_for, draw_intervals
from jaxglm.plots._plot import Plot
from jaxglm.words import near_text, understands_habits


@understands_habits
def coefficients(
    result: Fitted, alpha: float = 0.05, *, terms: Sequence[str] | None = None, ax: Any = None
) -> Plot:
    """Coefficients with Wald intervals, link scale; of whatever `cov_type` the result has.

    Parameters
    ----------
    result : Results
    alpha : float
        One minus the level of the intervals.
    terms : list of str, optional
        Names of the coefficients, in the order in which to draw them; all but the intercept unless
        given, since that is a level and no difference.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` are the rows of `Results.tidy`. An infinite estimate (separation) is an arrow at the
        end of the axis, and an aliased one is said to be not determined.

    Raises
    ------
    ValueError
        For a name that there is not, or an `alpha` outside (0, 1).
    ImportError
        Where matplotlib is not installed, as for all plots.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.coefficients()
    >>> plot.data[["estimate", "conf_low", "conf_high"]].round(3)
          estimate  conf_low  conf_high
    term
    x        0.537     0.204      0.869
    >>> plot.ax.get_xlabel()
    'Coefficient (log link), 95 % interval'
    """
    table = _chosen(result.tidy(alpha).set_index("term"), terms)
    words = f"Coefficient ({result.family.link.name} link), {_interval_text(result, alpha)}"
    return _forest(ax, table, "estimate", Labels(f"Coefficients of {called(result)}", words, ""))


@understands_habits
def ratios(
    result: Fitted, alpha: float = 0.05, *, terms: Sequence[str] | None = None, ax: Any = None
) -> Plot:
    """Odds ratios, rate ratios or what else `Results.effects` has, on a log axis.

    Parameters
    ----------
    result, alpha, terms, ax
        As for `coefficients`; the intercept has no ratio.

    Returns
    -------
    Plot
        `data` are the rows of `Results.effects`.

    Raises
    ------
    ValueError
        As `Results.effects` on links where exponentiating has no meaning; as `coefficients`; and
        for a model with an intercept only.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.ratios()
    >>> plot.data.round(3)
          rate ratio  conf_low  conf_high  p_value
    term
    x          1.711     1.227      2.385    0.002
    """
    table = _chosen(result.effects(alpha), terms)
    label = str(ratio_label(result.family))
    if table.empty:
        raise ValueError("The model has an intercept only, which has no ratio.")
    words = f"{label.capitalize()} (log axis), {_interval_text(result, alpha)}"
    return _forest(ax, table, label, Labels(f"Effects on {called(result)}", words, ""), ratios=True)


def _forest(
    ax: Any, table: pd.DataFrame, estimate: str, labels: Labels, *, ratios: bool = False
) -> Plot:
    ax = axes_for(ax, list(table.index))
    reference(ax, x=1.0 if ratios else 0.0)
    values = (table[name].to_numpy() for name in (estimate, "conf_low", "conf_high"))
    draw_intervals(ax, list(table.index), *values, ratios=ratios)
    finish(ax, labels)
    return Plot(ax, table)


def _chosen(table: pd.DataFrame, terms: Sequence[str] | None) -> pd.DataFrame:
    """The rows of some terms, or all but an intercept that is not alone.

    Raises
    ------
    ValueError
    """
    if terms is None:
        slopes = [not is_intercept(name) for name in table.index]
        return table[slopes] if any(slopes) else table
    names = [terms] if isinstance(terms, str) else list(terms)
    for name in names:
        if name not in table.index:
            raise ValueError(f"no coefficient {name!r}; {near_text(str(name), table.index)}")
    return table.loc[names]


def _interval_text(result: Fitted, alpha: float) -> str:
    kind = "" if result.cov_type == "nonrobust" else f", {result.cov_type}"
    return f"{level_text(alpha)} interval{kind}"
