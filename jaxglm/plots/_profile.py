"""Owns the plot of a profile likelihood: how straight it is, and the interval that it gives."""

from typing import Any, Protocol

import numpy as np
import pandas as pd

from jaxglm._status import DataError
from jaxglm.inference import critical_value
from jaxglm.plots._figure import Labels, axes, finish, inks, legend, level_text, reference
from jaxglm.plots._plot import Plot
from jaxglm.words import FloatArray, understands_habits


class Profiled(Protocol):
    """What has profiles: `Results`."""

    fit: Any

    @property
    def family(self) -> Any: ...

    def profile(self, name: Any, n: int = 21) -> pd.DataFrame: ...


@understands_habits
def profile(
    result: Profiled | pd.DataFrame, name: str, *, alpha: float = 0.05, ax: Any = None
) -> Plot:
    """The signed root of the rise of the deviance, against the value of a coefficient.

    The profile interval is where the curve lies within the quantiles, two thin lines: normal ones,
    or Student's t where a result estimates its dispersion. The Wald interval is where the straight
    line does that touches the curve at the estimate.

    Parameters
    ----------
    result : Results or DataFrame
        A frame of `Results.profile` saves fitting again.
    name : str
        Of the coefficient.
    alpha : float
        One minus the level of the interval.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has one row, `lower` and `upper`, the ends of the profile interval; nan where the
        values do not reach them. `curve` is the frame of `Results.profile`.

    Raises
    ------
    DataError
        As `Results.profile`; where the columns of a frame are not there, or its `zeta` does not
        rise with its `value`.
    ValueError
        When `alpha` is outside (0, 1).

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> fit = jg.glm("y ~ x", table, family="poisson")
    >>> fit.plot.profile("x").data.round(2)
       lower  upper
    0   0.23    0.9
    """
    if isinstance(result, pd.DataFrame):
        curve, df = result, None
    else:
        curve = result.profile(name)
        df = result.fit.covariance.expected.df
    reach = float(critical_value(alpha, df))
    if not {"value", "zeta"} <= set(curve):
        raise DataError("a profile has the columns 'value' and 'zeta'")
    value, zeta = curve["value"].to_numpy(float), curve["zeta"].to_numpy(float)
    if len(curve) < 2 or not (np.all(np.diff(value) > 0) and np.all(np.diff(zeta) > 0)):
        raise DataError("the 'zeta' of a profile rises with its 'value', row by row")
    low, high = _where(value, zeta, -reach), _where(value, zeta, reach)
    ax = axes(ax)
    ink = inks(ax)
    for side in (-reach, 0.0, reach):
        reference(ax, y=side)
    ax.plot(value, zeta, color=ink.first, lw=1.8, label="profile")
    if zeta[0] < 0 < zeta[-1]:  # else the estimate is infinite
        ax.plot(value, _tangent(value, zeta), color=ink.second, lw=1.0, label="Wald")
    ends = np.array([low, high])
    ax.vlines(ends, [-reach, 0.0], [0.0, reach], color=ink.first, lw=0.8, ls=":")
    ax.plot(ends, [-reach, reach], "o", color=ink.first, ms=4)
    ax.set_ylim(1.08 * min(zeta[0], -reach), 1.08 * max(zeta[-1], reach))
    legend(ax, "upper left")
    # What the curve does not reach may be infinite, or a frame of few values.
    low_text, high_text = ("…" if np.isnan(end) else f"{end:.4g}" for end in (low, high))
    shown = f"{level_text(alpha)} interval {low_text} to {high_text}"
    x = f"Coefficient of {name} (link scale)"
    of = "penalized likelihood ratio" if "penalized_llf" in curve else "deviance"
    finish(ax, Labels("Profile likelihood", x, f"Signed root of {of}", shown))
    return Plot(ax, pd.DataFrame({"lower": [low], "upper": [high]}), curve, shown)


def _where(value: FloatArray, zeta: FloatArray, height: float) -> float:
    """Where the curve has a height, between its points smoothly; nan beyond them."""
    from scipy import interpolate

    return float(interpolate.PchipInterpolator(zeta, value, extrapolate=False)(height))


def _tangent(value: FloatArray, zeta: FloatArray) -> FloatArray:
    """The straight line that touches the curve where it is zero."""
    slope = np.interp(0.0, zeta, np.gradient(zeta, value))
    return slope * (value - np.interp(0.0, zeta, value))
