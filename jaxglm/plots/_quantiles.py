"""Owns the plot of ordered residuals against normal quantiles, with what the model expects."""

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from jaxglm import diagnostics
from jaxglm._status import DataError
from jaxglm.inference import check_sizes, critical_value, law
from jaxglm.plots._asked import Fitted
from jaxglm.plots._diagnosed import Cloud, Diagnosed
from jaxglm.plots._figure import Inks, Labels, axes, diagonal, finish, inks, level_text
from jaxglm.plots._marks import FEW
from jaxglm.plots._plot import Plot
from jaxglm.words import FloatArray, check_choice, understands_habits

# Simulated residuals: so many for each row, between these bounds.
_EACH, _FEWEST, _MOST = 100, 2**16, 2**20
# A quantile is known where so many of them lie beyond it.
_BEYOND = 5
# Points of many rows, and of the envelope.
_POINTS = 1_000


Kind = Literal["deviance", "quantile"]


@understands_habits
def qq(
    result: Fitted,
    kind: Kind = "deviance",
    *,
    half: bool = False,
    alpha: float = 0.05,
    seed: int = 0,
    ax: Any = None,
) -> Plot:
    """Ordered residuals against normal quantiles, with the envelope that the model expects.

    Deviance residuals of counts and of 0/1 outcomes are not normal under the right model, so the
    straight line says little there: hold the points against the envelope (Atkinson 1985), which
    covers each of them with probability ``1 - alpha`` if the model is right. It is made of
    residuals of responses that are drawn at the fitted means: their quantiles at the quantiles of
    ``Beta(i, n + 1 - i)``, which is how the i-th of n is distributed. Means that are estimated from
    few rows for each coefficient follow these rows, and then the envelope is a little too wide.
    Randomised quantile residuals are normal under the right model whatever the family, and their
    envelope is a straight one, without draws of responses.

    Parameters
    ----------
    result : Results
    kind : {"deviance", "quantile"}
        As for `Results.resid`.
    half : bool
        Half-normal: sizes of residuals, for which outliers are easier to see.
    alpha : float
        One minus the level of the envelope, at each point by itself.
    seed : int
        Responses are drawn from ``numpy.random.default_rng(seed)``; and that of quantile residuals.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has `quantile`, `residual` (a deviance one over the root of the dispersion) and
        `rows`; above 100,000 rows some 1,000 of them, the most extreme on each side included.
        `curve` is the envelope: `quantile`, `lower`, `median`, `upper`; nan in the tails that were
        not simulated, and None where responses have no distribution, as in the quasi families
        and in counts with ``scale=``.

    Raises
    ------
    DataError
        When the result no longer holds the rows of its fit.
    ValueError
        When `alpha` is outside (0, 1).

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.qq(seed=1)
    >>> plot.data.round(2).head(3)
       quantile  residual  rows
    1     -1.38     -1.39   1.0
    5     -0.67     -0.08   1.0
    4     -0.21      0.09   1.0
    """
    return draw_qq(Diagnosed(result, "a plot of residuals"), kind, half, alpha, seed, ax)


def draw_qq(rows: Diagnosed, kind: Kind, half: bool, alpha: float, seed: int, ax: Any) -> Plot:
    """`qq` of rows at hand."""
    check_choice("kind", kind, get_args(Kind))
    check_choice("half", half, (True, False))
    critical_value(alpha, None)  # refuses what is no level
    scale = rows.result.scale if kind == "deviance" else 1.0
    residual = rows.result.resid(kind, seed=seed).to_numpy() / np.sqrt(scale)
    cloud = rows.cloud(rows.eta, np.abs(residual) if half else residual, f"{kind} residual")
    data = _ordered(cloud, half)
    expected = _simulated(rows, cloud, half, seed) if kind == "deviance" else _Normal(half)
    curve = None if expected is None else _envelope(expected, float(cloud.freq.sum()), alpha, half)
    ax = axes(ax)
    ink = inks(ax)
    shown = cloud.shown
    if len(data) < cloud.x.size:
        shown += f", {len(data):,} of them drawn"
    if curve is None:
        diagonal(ax, float(data["quantile"].min()), float(data["quantile"].max()))
    else:
        _draw_envelope(ax, ink, curve)
        samples = "simulated" if kind == "deviance" else "normal"
        shown += f"\nband: {level_text(alpha)} of {samples} samples"
    size = float(np.clip(240 / np.sqrt(len(data)), 4, 16))
    ax.scatter(data["quantile"], data["residual"], s=size, color=ink.first, linewidths=0)
    over = "" if scale == 1.0 else " / √scale"
    x = "Half-normal quantile" if half else "Normal quantile"
    y = f"{kind.capitalize()} residual"
    y = (f"|{y}|" if half else y) + over
    finish(ax, Labels("Quantiles of residuals", x, y, shown))
    return Plot(ax, data, curve, shown)


def _ordered(cloud: Cloud, half: bool) -> pd.DataFrame:
    """Residuals in their order, beside the quantiles that a normal sample would have."""
    order = np.argsort(cloud.y, kind="stable")
    upto = np.cumsum(cloud.freq[order])
    if order.size > FEW:
        ranks = _spread(order.size)
        order, upto = order[ranks], upto[ranks]
    freq = cloud.freq[order]
    return pd.DataFrame(
        # A row of frequency f stands for f observations of one residual: it is at their middle.
        {
            "quantile": _Normal(half).at((upto - freq / 2) / cloud.freq.sum()),
            "residual": cloud.y[order],
            "rows": freq,
        },
        index=cloud.labels(order),
    )


def _spread(n: int) -> np.ndarray:
    """Some of n ranks: all at both ends, and fewer the nearer to the middle."""
    tail = np.unique(np.geomspace(1, n / 2, _POINTS // 2).astype(int)) - 1
    return np.unique(np.concatenate([tail, n - 1 - tail]))


class _Normal:
    """The normal distribution, or that of its sizes."""

    def __init__(self, half: bool):
        self._half = half

    def at(self, u: FloatArray) -> FloatArray:
        """Quantiles."""
        from scipy import special

        return special.ndtri((1 + u) / 2 if self._half else u)


class _Sample:
    """The distribution of a sample."""

    def __init__(self, values: FloatArray):
        self._ordered = np.sort(values)

    def at(self, u: FloatArray) -> FloatArray:
        """Quantiles; nan in the tails, of which the sample says nothing."""
        size = self._ordered.size
        place = u * size
        known = (place >= _BEYOND) & (place <= size - _BEYOND)
        return np.where(known, self._ordered[np.clip(place.astype(int), 0, size - 1)], np.nan)


def _envelope(expected: _Normal | _Sample, total: float, alpha: float, half: bool) -> pd.DataFrame:
    """Where each of `total` ordered residuals lies that have the expected distribution."""
    from scipy import special

    count = int(total)
    rank = np.asarray(_spread(count) if count > _POINTS else np.arange(count), float) + 1.0
    middle: FloatArray = (rank - 0.5) / total
    levels = {"lower": alpha / 2, "median": 0.5, "upper": 1 - alpha / 2}
    ends = {
        name: expected.at(special.betaincinv(rank, total + 1 - rank, level))
        for name, level in levels.items()
    }
    return pd.DataFrame({"quantile": _Normal(half).at(middle)} | ends)


def _simulated(rows: Diagnosed, cloud: Cloud, half: bool, seed: int) -> _Sample | None:
    """Residuals of responses drawn at the fitted means, each observation as often.

    None where nothing can be drawn.
    """
    result = rows.result
    upto = np.cumsum(cloud.freq)
    count = int(np.clip(2 ** np.ceil(np.log2(_EACH * upto[-1])), _FEWEST, _MOST))
    at = np.searchsorted(upto, (np.arange(count) + 0.5) / count * upto[-1])
    eta = cloud.x[at]
    weight = rows.rows.unit_weight[cloud.at[at]]
    mean = diagnostics.means(result.family, eta)
    try:
        check_sizes(result.family, weight)
        y = law(result.family, mean, result.scale, weight).draw(np.random.default_rng(seed))
    except DataError:
        # A quasi family is no distribution, nor a count with scale=, nor a share of no whole
        # number of trials.
        return None
    found = diagnostics.residuals("deviance", result.family, y, eta, weight)
    found /= np.sqrt(result.scale)
    return _Sample(np.abs(found) if half else found)


def _draw_envelope(ax: Any, ink: Inks, curve: pd.DataFrame) -> None:
    x = curve["quantile"].to_numpy()
    low, high = curve["lower"].to_numpy(), curve["upper"].to_numpy()
    ax.fill_between(x, low, high, color=ink.second, alpha=0.22, linewidth=0, zorder=0.5)
    ax.plot(x, curve["median"].to_numpy(), color=ink.second, lw=1.0, zorder=0.6)
