"""Owns the plot of a profile likelihood: how straight it is, and the interval that it gives."""

from typing import Any

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.inference import critical_value
from jaxglm.plots._figure import Labels, axes, finish, inks, legend, level_text, reference
from jaxglm.plots._plot import Plot
from jaxglm.words import FloatArray, understands_habits


@understands_habits
def profile(curve: pd.DataFrame, name: str = "", *, alpha: float = 0.05, ax: Any = None) -> Plot:
    """The signed root of the rise of the deviance, against the value of a coefficient.

    The profile interval is where the curve lies within the normal quantiles, two thin lines. The
    Wald interval is where the straight line does that touches the curve at the estimate.

    Parameters
    ----------
    curve : DataFrame
        Columns `value`, link scale, and `zeta`, ``sign(value - estimate) sqrt(D(value) - D)`` over
        the root of the dispersion, with the deviance D.
    name : str
        Of the coefficient, for the axis.
    alpha : float
        One minus the level of the interval.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has one row, `lower` and `upper`, the ends of the profile interval; nan where the
        values do not reach them. `curve` is what was given.

    Raises
    ------
    DataError
        Where the columns are not there, or `zeta` does not rise with `value`.
    ValueError
        When `alpha` is outside (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import jaxglm as jg
    >>> value = np.linspace(0.1, 1.1, 11)
    >>> curve = pd.DataFrame({"value": value, "zeta": 6 * np.log(value / 0.5)})
    >>> jg.plots.profile(curve, "x").data.round(3)
       lower  upper
    0  0.364  0.694
    """
    reach = float(critical_value(alpha, None))
    if not {"value", "zeta"} <= set(curve):
        raise DataError("a profile has the columns 'value' and 'zeta'")
    value, zeta = curve["value"].to_numpy(float), curve["zeta"].to_numpy(float)
    if len(curve) < 2 or not (np.all(np.diff(value) > 0) and np.all(np.diff(zeta) > 0)):
        raise DataError("the 'zeta' of a profile rises with its 'value', row by row")
    low, high = (float(x) for x in np.interp([-reach, reach], zeta, value, np.nan, np.nan))
    ax = axes(ax)
    ink = inks(ax)
    for side in (-reach, 0.0, reach):
        reference(ax, y=side)
    ax.plot(value, zeta, color=ink.first, lw=1.8, label="profile")
    straight = _tangent(value, zeta)
    ax.plot(value, straight, color=ink.second, lw=1.0, label="Wald")
    ends = np.array([low, high])
    ax.vlines(ends, [-reach, 0.0], [0.0, reach], color=ink.first, lw=0.8, ls=":")
    ax.plot(ends, [-reach, reach], "o", color=ink.first, ms=4)
    ax.set_ylim(1.08 * zeta[0], 1.08 * zeta[-1])
    legend(ax, "upper left")
    shown = f"{level_text(alpha)} interval {low:.4g} to {high:.4g}"
    x = f"Coefficient of {name} (link scale)" if name else "Coefficient (link scale)"
    finish(ax, Labels("Profile likelihood", x, "Signed root of deviance", shown))
    return Plot(ax, pd.DataFrame({"lower": [low], "upper": [high]}), curve, shown)


def _tangent(value: FloatArray, zeta: FloatArray) -> FloatArray:
    """The straight line that touches the curve where it is zero."""
    slope = np.interp(0.0, zeta, np.gradient(zeta, value))
    return slope * (value - np.interp(0.0, zeta, value))
