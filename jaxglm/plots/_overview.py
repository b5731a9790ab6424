"""Owns the four plots that say first whether a model is right, R's `plot(fit)`."""

from typing import Any

from jaxglm._status import DataError
from jaxglm.plots._asked import Fitted
from jaxglm.plots._diagnosed import Diagnosed
from jaxglm.plots._figure import HEIGHT, WIDTH, pyplot, say_instead
from jaxglm.plots._leverage import draw_leverage
from jaxglm.plots._plot import Plot
from jaxglm.plots._quantiles import draw_qq
from jaxglm.plots._residuals import draw_residuals, draw_scale_location
from jaxglm.words import understands_habits


@understands_habits
def overview(result: Fitted, *, seed: int = 0, axes: Any = None) -> dict[str, Plot]:
    """Four plots at once: `residuals`, `qq`, `scale_location` and `leverage`, as R's ``plot``.

    Parameters
    ----------
    result : Results
    seed : int
        For the envelope of `qq`.
    axes : array of four matplotlib Axes, optional
        Where to draw; those of a new figure unless given.

    Returns
    -------
    dict of Plot
        By their names; without those that the fit has no numbers for: a lasso has no leverages.

    Raises
    ------
    DataError
        When the result no longer holds the rows of its fit.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> list(jg.glm("y ~ x", table, family="poisson").plot())
    ['residuals', 'qq', 'scale_location', 'leverage']
    """
    plt = pyplot()
    rows = Diagnosed(result, "plot()")
    if axes is None:
        size = (2 * WIDTH, 2 * HEIGHT)
        axes = plt.subplots(2, 2, figsize=size, layout="constrained")[1].ravel()
    first, second, third, fourth = axes
    draw = {
        "residuals": lambda: draw_residuals(rows, "pearson", "linear", first),
        "qq": lambda: draw_qq(rows, "deviance", half=False, alpha=0.05, seed=seed, ax=second),
        "scale_location": lambda: draw_scale_location(rows, third),
        "leverage": lambda: draw_leverage(rows, fourth),
    }
    plots = {}
    for (name, one), ax in zip(draw.items(), (first, second, third, fourth), strict=True):
        try:
            plots[name] = one()
        except DataError as error:
            say_instead(ax, str(error))
    return plots
