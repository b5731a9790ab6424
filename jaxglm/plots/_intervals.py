"""Owns the drawing of estimates with intervals below each other: with names, or as many as come."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from jaxglm.plots._figure import HEIGHT, inks, short
from jaxglm.words import FloatArray

# More of them have no room for their names.
MOST_NAMED = 60
_INCHES_EACH = 0.2


def height_for(count: int) -> float:
    """Inches that so many estimates take, in axes of their own."""
    if count > MOST_NAMED:
        return 2 * HEIGHT
    return max(1.3 + 0.25 * min(count, 4), 1.0 + _INCHES_EACH * count)


def draw_intervals(
    ax: Any,
    names: Iterable[object],
    estimate: FloatArray,
    low: FloatArray,
    high: FloatArray,
    *,
    ratios: bool = False,
    zero: bool = True,
    within: tuple[float, ...] = (),
) -> None:
    """Draw a row for each estimate, the first on top.

    An infinite one is an arrow at its end of the axis, and one that is nan is said to be not
    determined. `ratios` are drawn on a log axis, where 0 is one of its ends. The axis reaches as
    far as the intervals, and to what is `within` it; to no effect as well if `zero`.
    """
    ink = inks(ax)
    if ratios:
        ax.set_xscale("log")
        with np.errstate(divide="ignore"):
            shown, low, high = np.log(estimate), np.log(low), np.log(high)
    else:
        shown = estimate
    place = np.arange(shown.size, 0, -1.0)
    named = shown.size <= MOST_NAMED
    finite = np.isfinite(shown)
    effect = (0.0,) if zero else ()
    _limit(ax, np.concatenate([shown, low, high, effect, within]), ratios)
    left, right = ax.get_xlim()
    back = np.exp if ratios else np.asarray
    ax.hlines(
        place[finite],
        np.maximum(back(low[finite]), left),
        np.minimum(back(high[finite]), right),
        color=ink.first,
        lw=1.6 if named else 0.6,
        alpha=1.0 if named else 0.35,
        rasterized=shown.size > 2_000,
    )
    ax.plot(back(shown[finite]), place[finite], "o", color=ink.first, ms=4.5 if named else 1.2)
    for end, marker, side in ((1.0, ">", np.inf), (0.0, "<", -np.inf)):
        at = place[shown == side]
        where = ax.get_yaxis_transform()
        style = {"color": ink.second, "transform": where, "clip_on": False, "ls": "none"}
        ax.plot(np.full(at.size, end), at, marker=marker, ms=5, **style)
    if not named:
        ax.set_yticks([])
        ax.margins(y=0.02)
        return
    for at in place[np.isnan(shown)]:
        ax.text(
            *(0.5, at, "not determined"),
            transform=ax.get_yaxis_transform(),
            **{"ha": "center", "va": "center", "fontsize": "x-small", "fontstyle": "italic"},
            alpha=0.75,
        )
    ax.set_yticks(place, [short(name) for name in names])
    ax.set_ylim(0.4, shown.size + 0.6)
    ax.tick_params(axis="y", length=0)


def _limit(ax: Any, ends: FloatArray, ratios: bool) -> None:
    """Set the limits of the axis to what is finite."""
    ends = ends[np.isfinite(ends)]
    least, most = (ends.min(), ends.max()) if ends.size else (0.0, 0.0)
    room = 0.05 * (most - least) or 1.0
    least, most = least - room, most + room
    if not ratios:
        ax.set_xlim(least, most)
        return
    ax.set_xlim(np.exp(least), np.exp(most))
    ticks = _ratio_ticks(*np.exp([least, most]))
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


def _ratio_ticks(low: float, high: float) -> FloatArray:
    """Round numbers between two positive ones, few enough to read on a log axis."""
    from matplotlib.ticker import MaxNLocator

    decades = np.log10(high / low)
    if decades < 0.7:
        ticks = np.asarray(MaxNLocator(5).tick_values(low, high))
    else:
        powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        steps = [1.0, 2.0, 5.0] if decades < 2.5 else [1.0]
        ticks = np.sort(np.multiply.outer(10.0**powers, steps).ravel())
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    one = int(np.argmin(np.abs(ticks - 1.0)))
    step = max(1, -(-ticks.size // 8))
    return ticks[one % step :: step]
