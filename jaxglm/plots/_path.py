"""Owns the plots of a path of penalties: its coefficients, and the loss of rows not seen."""

from typing import Any, Protocol

import numpy as np
import pandas as pd

from jaxglm.inference import is_intercept
from jaxglm.plots._figure import Labels, axes, finish, inks, reference
from jaxglm.plots._plot import Plot
from jaxglm.words import understands_habits

# So many names fit beside the ends of their lines.
_MOST_NAMES = 12


class PathLike(Protocol):
    """What has a path: `PathResults`."""

    lambdas: Any
    model: Any

    @property
    def params(self) -> pd.DataFrame: ...

    @property
    def df(self) -> pd.Series: ...


class ValidatedLike(Protocol):
    """What was validated: `CrossValidation`."""

    folds: pd.DataFrame
    measure: str

    @property
    def mean(self) -> pd.Series: ...

    @property
    def se(self) -> pd.Series: ...

    @property
    def lambda_min(self) -> float: ...

    @property
    def lambda_1se(self) -> float: ...


@understands_habits
def path(result: PathLike, *, ax: Any = None) -> Plot:
    """Coefficients along a path, link scale, from the strongest penalty to the weakest.

    Parameters
    ----------
    result : PathResults
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` are the coefficients but the intercept, a row for each strength. The largest ones are
        named where their lines end.

    Examples
    --------
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = {name: rng.normal(size=100) for name in "abc"}
    >>> table["y"] = rng.poisson(np.exp(table["a"]))
    >>> plot = jg.fit_path("y ~ a + b + c", table, "poisson", n_lambdas=20).plot()
    >>> plot.ax.get_xlabel()
    'Lambda (log scale)'
    """
    shown = [name for name in result.params if not is_intercept(name)]
    data = result.params[shown]
    ax = axes(ax)
    ink = inks(ax)
    positive = result.lambdas > 0  # a strength of 0 has no place on a logarithmic scale
    last = data.iloc[-1].abs().sort_values(ascending=False)
    named = list(last[last > 0].index[:_MOST_NAMES])
    reference(ax, y=0.0)
    for name in shown:
        stands_out = name in named
        ax.plot(
            result.lambdas[positive],
            data[name].to_numpy()[positive],
            color=ink.first if stands_out else ink.text,
            alpha=1.0 if stands_out else 0.35,
            lw=1.2 if stands_out else 0.8,
        )
    ax.set_xscale("log")
    ax.invert_xaxis()
    _name_ends(ax, data.iloc[-1][named], float(result.lambdas[positive][-1]))
    counted = f"{int(result.df.iloc[0])} to {int(result.df.max())} coefficients"
    title = f"Path of {result.model.y_name}"
    words = f"Coefficient ({result.model.family.link.name} link)"
    finish(ax, Labels(title, "Lambda (log scale)", words, counted))
    return Plot(ax, data, None, counted)


def _name_ends(ax: Any, ends: pd.Series, x: float) -> None:
    """Names beside the ends of their lines, moved apart where they would overlap."""
    from scipy.optimize import isotonic_regression

    low, high = ax.get_ylim()
    ends = ends.sort_values()
    # Moved by as little as can be, in the sum of squares: places less their steps must not fall.
    steps = 0.045 * (high - low) * np.arange(ends.size)
    places = isotonic_regression(ends - steps).x + steps if ends.size else ends
    for name, place in zip(ends.index, places, strict=True):
        ax.annotate(
            str(name),
            (x, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize="x-small",
        )


@understands_habits
def validation(result: ValidatedLike, *, ax: Any = None) -> Plot:
    """The loss of rows not seen at each strength, with its standard error.

    The two thin lines are `lambda_min`, with the least loss, and `lambda_1se`, the largest within a
    standard error of it.

    Parameters
    ----------
    result : CrossValidation
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has `mean` and `se`, a row for each strength.

    Examples
    --------
    >>> import jaxglm as jg
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> table = {name: rng.normal(size=100) for name in "abc"}
    >>> table["y"] = rng.poisson(np.exp(table["a"]))
    >>> cv = jg.cross_validate("y ~ a + b + c", table, "poisson", folds=5, n_lambdas=20)
    >>> cv.plot().ax.get_ylabel()
    'Mean deviance'
    """
    data = pd.concat([result.mean, result.se], axis=1)
    ax = axes(ax)
    ink = inks(ax)
    ax.errorbar(
        data.index,
        data["mean"],
        yerr=data["se"],
        fmt="o",
        ms=2.5,
        lw=0.8,
        color=ink.first,
    )
    ax.set_xscale("log")
    ax.invert_xaxis()
    for strength in (result.lambda_min, result.lambda_1se):
        reference(ax, x=strength)
    shown = f"{result.folds.shape[1]} folds"
    measure = result.measure[:1].upper() + result.measure[1:]
    finish(ax, Labels("Cross-validation", "Lambda (log scale)", measure, shown))
    return Plot(ax, data, None, shown)
