"""Owns the plots of one coefficient in many fits: their estimates in order, and a funnel."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.inference import critical_value
from jaxglm.plots._asked import ManyFitted
from jaxglm.plots._figure import (
    Inks,
    Labels,
    axes,
    finish,
    inks,
    legend,
    level_text,
    number,
    reference,
    short_names,
)
from jaxglm.plots._intervals import axes_for, draw_intervals
from jaxglm.plots._plot import Plot
from jaxglm.words import FloatArray, near_text, understands_habits

# Of more estimates so many are drawn, evenly spaced in their order.
_MOST = 10_000
# One minus the level of the outer limits of a funnel.
_OUTER = 0.002
# This share of the estimates, the least precise, may lie beyond the frame.
_IMPRECISE = 0.1
_NAMED = 5


@understands_habits
def segments(results: ManyFitted, term: str, *, alpha: float = 0.05, ax: Any = None) -> Plot:
    """The estimates of one coefficient in all fits, from the largest, with Wald intervals.

    Up to 60 have their names. The largest of many estimates are large by chance as well: `funnel`
    shows how large is usual for the precision that each has.

    Parameters
    ----------
    results : GroupResults or ResponseResults
    term : str
        Name of the coefficient.
    alpha : float
        One minus the level of the intervals.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has a row for each fit that was drawn: `estimate`, `std_error`, `conf_low`,
        `conf_high`. Infinite estimates are at the ends; fits that have none are left out.

    Raises
    ------
    ValueError
        For a coefficient that there is not, or an `alpha` outside (0, 1).
    DataError
        Where no fit has an estimate.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {
    ...     "shop": ["a"] * 4 + ["b"] * 4,
    ...     "week": [0, 1, 2, 3] * 2,
    ...     "sold": [1, 2, 4, 7, 9, 3, 1, 0],
    ... }
    >>> fits = jg.fit_groups("sold ~ week", table, by="shop", family="poisson")
    >>> fits.plot.segments("week").data.round(2)
          estimate  std_error  conf_low  conf_high
    shop
    a         0.63       0.28      0.09       1.18
    b        -1.23       0.41     -2.02      -0.43
    """
    table = _estimates(results, term, alpha).sort_values("estimate", ascending=False, kind="stable")
    total = len(table)
    if total > _MOST:
        table = table.iloc[np.linspace(0, total - 1, _MOST).astype(int)]
    names = [_key_text(key) for key in table.index]
    ax = axes_for(ax, names)
    reference(ax, x=0.0)
    draw_intervals(ax, names, *(table[c].to_numpy() for c in ("estimate", "conf_low", "conf_high")))
    shown = _shown(results, total, len(table))
    finish(ax, Labels(_title(results, term), _axis(results, term, alpha), "", shown))
    return Plot(ax, table, shown=shown)


@understands_habits
def funnel(results: ManyFitted, term: str, *, alpha: float = 0.05, ax: Any = None) -> Plot:
    """The estimates of one coefficient in all fits against their precision, 1 / standard error.

    If all fits had one true coefficient, a share of ``1 - alpha`` of the estimates would lie inside
    of the inner limits, and 99.8 % inside of the outer ones: the average weighted with the squared
    precision, and normal quantiles over the precision on each side (Spiegelhalter 2005, Statistics
    in Medicine 24, 1185-1202).

    Parameters
    ----------
    results, term, alpha, ax
        As for `segments`.

    Returns
    -------
    Plot
        `data` has a row for each fit with a finite estimate: `estimate`, `std_error`, `precision`,
        and `z`, its distance from the average in standard errors. `curve` has `precision`,
        `centre`, and the limits `lower`, `upper`, `outer_lower`, `outer_upper`.

    Raises
    ------
    ValueError, DataError
        As `segments`.
    """
    reach, outer = float(critical_value(alpha, None)), float(critical_value(_OUTER, None))
    table = _estimates(results, term, alpha)[["estimate", "std_error"]]
    table = table[np.isfinite(table["estimate"]) & (table["std_error"] > 0)]
    if table.empty:
        raise DataError(f"no {results.unit} has a finite estimate of {term!r} with an error")
    estimate, precision = table["estimate"].to_numpy(), 1 / table["std_error"].to_numpy()
    centre = float(np.average(estimate, weights=precision**2))
    z = (estimate - centre) * precision
    table = table.assign(precision=precision, z=z)
    grid = np.geomspace(precision.min(), precision.max() * 1.05, 200)
    curve = pd.DataFrame({"precision": grid, "centre": centre})
    for name, distance in (("", reach), ("outer_", outer)):
        curve[f"{name}lower"] = centre - distance / grid
        curve[f"{name}upper"] = centre + distance / grid
    ax = axes(ax)
    ink = inks(ax)
    reference(ax, y=centre)
    for name, style, level in (("", (0, (4, 2)), alpha), ("outer_", "-", _OUTER)):
        line = {"color": ink.text, "lw": 0.8, "ls": style}
        ax.plot(grid, curve[f"{name}upper"], label=f"{level_text(level)} limits", **line)
        ax.plot(grid, curve[f"{name}lower"], **line)
    far = np.abs(z) > outer
    reach = _half_height(estimate - centre, precision, far, outer)
    ax.set(xlim=(0.0, grid[-1]), ylim=(centre - reach, centre + reach))
    _draw_estimates(ax, ink, precision, estimate - centre, far, reach, centre)
    named = [i for i in np.argsort(-np.abs(z))[:_NAMED] if far[i]]
    for i, name in zip(named, short_names(_key_text(table.index[i]) for i in named), strict=True):
        ax.annotate(
            name,
            (precision[i], estimate[i]),
            xytext=(0, 4 * np.sign(z[i])),
            textcoords="offset points",
            ha="center",
            va="bottom" if z[i] > 0 else "top",
            fontsize="x-small",
        )
    legend(ax)
    shown = f"{_shown(results, len(table), len(table))}, {int(far.sum()):,} beyond 99.8 %"
    y = f"Coefficient of {term} ({results.model.family.link.name} link)"
    finish(ax, Labels(_title(results, term), "Precision, 1 / standard error", y, shown))
    return Plot(ax, table, curve, shown)


def _half_height(away: FloatArray, precision: FloatArray, far: np.ndarray, outer: float) -> float:
    """How far the plot reaches from the average: to what is far, not to what is imprecise."""
    limits = outer / np.quantile(precision, _IMPRECISE)
    return 1.15 * min(np.abs(away).max() or limits, max(limits, *np.abs(away[far]), 0.0))


def _draw_estimates(
    ax: Any,
    ink: Inks,
    precision: FloatArray,
    away: FloatArray,
    far: np.ndarray,
    reach: float,
    centre: float,
) -> None:
    """Draw the estimates, those beyond the frame as arrows at its edge."""
    size = float(np.clip(240 / np.sqrt(away.size), 3, 16))
    style = {"s": size, "alpha": 0.7, "linewidths": 0, "rasterized": away.size > 2_000}
    inside = np.abs(away) <= reach
    for rows, color in ((inside & ~far, ink.first), (inside & far, ink.second)):
        ax.scatter(precision[rows], centre + away[rows], color=color, **style)
    for marker, side in (("^", 1.0), ("v", -1.0)):
        rows = ~inside & (away * side > 0)
        at = np.full(rows.sum(), centre + 0.98 * side * reach)
        ax.scatter(precision[rows], at, marker=marker, color=ink.first, **style)


def _estimates(results: ManyFitted, term: str, alpha: float) -> pd.DataFrame:
    """The estimates that there are, with their intervals."""
    names = list(results.model.names)
    if term not in names:
        raise ValueError(f"no coefficient {term!r}; {near_text(str(term), names)}")
    ends = results.conf_int(alpha).to_numpy().reshape(len(results.keys), len(names), 2)
    table = pd.DataFrame(
        {
            "estimate": results.params[term],
            "std_error": results.bse[term],
            "conf_low": ends[:, names.index(term), 0],
            "conf_high": ends[:, names.index(term), 1],
        },
        index=results.keys,
    )
    table = table[table["estimate"].notna()]
    if table.empty:
        raise DataError(f"no {results.unit} has an estimate of {term!r}; counts() says why")
    return table


def _key_text(key: Any) -> str:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _title(results: ManyFitted, term: str) -> str:
    return f"{term} by {', '.join(str(name or results.unit) for name in results.keys.names)}"


def _axis(results: ManyFitted, term: str, alpha: float) -> str:
    link, level = results.model.family.link.name, level_text(alpha)
    return f"Coefficient of {term} ({link} link), {level} interval"


def _shown(results: ManyFitted, total: int, drawn: int) -> str:
    every = number(len(results.keys), results.unit)
    every = every if total == len(results.keys) else f"{total:,} of {every}"
    return every + (f", {drawn:,} of them drawn" if drawn < total else "")
