"""Owns the four plots that say first whether a model is right, R's `plot(fit)`."""

from typing import Any

from jaxglm.plots._asked import Fitted
from jaxglm.plots._diagnosed import Diagnosed
from jaxglm.plots._figure import HEIGHT, WIDTH, pyplot
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
        By their names.

    Raises
    ------
    DataError
        When the result no longer holds the rows of its fit, or has no leverages.

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
    return {
        "residuals": draw_residuals(rows, "pearson", "linear", first),
        "qq": draw_qq(rows, "deviance", half=False, alpha=0.05, seed=seed, ax=second),
        "scale_location": draw_scale_location(rows, third),
        "leverage": draw_leverage(rows, fourth),
    }
