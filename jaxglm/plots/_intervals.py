"""Owns the drawing of estimates with intervals below each other: with names, or as many as come."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxglm.plots._figure import HEIGHT, WIDTH, axes, inks, short_names
from jaxglm.words import FloatArray

# More of them have no room for their names, and then the axis spans this share of their ends.
MOST_NAMED = 60
_CENTRAL = 0.98
_INCHES_EACH, _INCHES_A_LETTER = 0.2, 0.07


def axes_for(ax: Any, names: Sequence[object]) -> Any:
    """The axes that were given, or new ones with room for these names."""
    count = len(names)
    if count > MOST_NAMED:
        return axes(ax, 2 * HEIGHT)
    longest = max((len(name) for name in short_names(names)), default=0)
    height = max(1.3 + 0.25 * min(count, 4), 1.0 + _INCHES_EACH * count)
    return axes(ax, height, max(WIDTH, 2.8 + _INCHES_A_LETTER * longest))


def draw_intervals(
    ax: Any,
    names: Sequence[object],
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
            estimate, low, high = np.log(estimate), np.log(low), np.log(high)
    place = np.arange(len(names), 0, -1.0)
    named = len(names) <= MOST_NAMED
    ends = np.concatenate([estimate, low, high])
    ends = ends[np.isfinite(ends)]
    if not named and ends.size:
        ends = np.quantile(ends, [(1 - _CENTRAL) / 2, (1 + _CENTRAL) / 2])
    left, right = _limit(ax, np.concatenate([ends, (0.0,) if zero else (), within]), ratios)
    shown = (estimate >= left) & (estimate <= right)
    back = np.exp if ratios else np.asarray
    ax.hlines(
        place[shown],
        back(np.clip(low[shown], left, right)),
        back(np.clip(high[shown], left, right)),
        color=ink.first,
        lw=1.6 if named else 0.6,
        alpha=1.0 if named else 0.35,
        rasterized=shown.size > 2_000,
    )
    ax.plot(back(estimate[shown]), place[shown], "o", color=ink.first, ms=4.5 if named else 1.2)
    for end, marker, beyond in ((0.985, ">", estimate > right), (0.015, "<", estimate < left)):
        at = place[beyond]
        style = {"color": ink.second, "transform": ax.get_yaxis_transform(), "ls": "none"}
        ax.plot(np.full(at.size, end), at, marker=marker, ms=5 if named else 3, **style)
    if not named:
        ax.set_yticks([])
        ax.margins(y=0.02)
        return
    for at in place[np.isnan(estimate)]:
        ax.text(
            *(0.98, at, "not determined"),
            transform=ax.get_yaxis_transform(),
            **{"ha": "right", "va": "center", "fontsize": "x-small", "fontstyle": "italic"},
            alpha=0.75,
        )
    ax.set_yticks(place, short_names(names))
    ax.set_ylim(0.4, len(names) + 0.6)
    ax.tick_params(axis="y", length=0)


def _limit(ax: Any, ends: FloatArray, ratios: bool) -> tuple[float, float]:
    """Set the limits of the axis about some numbers, of ratios their logs; return them as these."""
    least, most = (ends.min(), ends.max()) if ends.size else (0.0, 0.0)
    room = 0.05 * (most - least) or 1.0
    limits = float(least - room), float(most + room)
    if not ratios:
        ax.set_xlim(*limits)
        return limits
    ax.set_xlim(*np.exp(limits))
    ticks = _ratio_ticks(*np.exp(limits))
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    return limits


def _ratio_ticks(low: float, high: float) -> FloatArray:
    """Round numbers between two positive ones, few enough to read on a log axis."""
    from matplotlib.ticker import MaxNLocator

    decades = np.log10(high / low)
    if decades < 0.7:
        # Multiples of these reach 1.
        ticks = np.asarray(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    else:
        powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        steps = [1.0, 2.0, 5.0] if decades < 2.5 else [1.0]
        ticks = np.sort(np.multiply.outer(10.0**powers, steps).ravel())
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    one = int(np.argmin(np.abs(ticks - 1.0)))
    step = max(1, -(-ticks.size // 8))
    return ticks[one % step :: step]
