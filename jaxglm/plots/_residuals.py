"""Owns the plots of residuals, and of their size, against fitted values."""

from typing import Any, Literal

import numpy as np

from jaxglm.diagnostics import ResidualKind
from jaxglm.inference import check_scale
from jaxglm.plots._asked import Fitted, linear_text, mean_text
from jaxglm.plots._diagnosed import Cloud, Diagnosed
from jaxglm.plots._figure import Labels, axes, finish, inks, reference
from jaxglm.plots._marks import draw_rows
from jaxglm.plots._plot import Plot
from jaxglm.plots._smooth import draw_smooth, smooth
from jaxglm.words import understands_habits


@understands_habits
def residuals(
    result: Fitted,
    kind: ResidualKind | Literal["quantile"] = "pearson",
    *,
    which: Literal["linear", "mean"] = "linear",
    ax: Any = None,
) -> Plot:
    """Residuals against fitted values, with their mean in bins of the fitted value.

    The line has the mean residual of bins of equally many observations, and the band two standard
    errors of it on each side. Where the model is right the band covers zero: so it is for response,
    Pearson, working and quantile residuals. Deviance residuals have a mean of zero nearly only.

    Parameters
    ----------
    result : Results
    kind : {"pearson", "deviance", "response", "working", "anscombe", "quantile"}
        As for `Results.resid`.
    which : {"linear", "mean"}
        Fitted values on the link scale, as R has them, or on the response scale.
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        `data` has `fitted`, `residual` and `rows`, with the labels of the rows; above 100,000 rows
        those are cells of rows, and single rows where these lie apart. `curve` is the line. Rows of
        weight 0, and those whose fitted value is infinite (separation), are left out.

    Raises
    ------
    ValueError
        For another `kind` or `which`.
    DataError
        When the result no longer holds the rows of its fit.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.residuals()
    >>> plot
    <jaxglm.Plot 'Residuals': 6 rows>
    >>> plot.data.round(2).head(2)
       fitted  residual  rows
    0   -0.58      0.59   1.0
    1   -0.04     -0.98   1.0
    """
    return draw_residuals(Diagnosed(result, "a plot of residuals"), kind, which, ax)


def draw_residuals(rows: Diagnosed, kind: str, which: str, ax: Any) -> Plot:
    """`residuals` of rows at hand."""
    check_scale(which)
    result = rows.result
    residual = result.resid(kind).to_numpy()
    fitted = rows.eta if which == "linear" else result.predict().to_numpy()
    x = linear_text(result) if which == "linear" else mean_text(result, "Fitted mean")
    scale = {"working": " (link scale)", "response": " (response scale)"}.get(kind, "")
    cloud = rows.cloud(fitted, residual, f"{kind} residual")
    labels = Labels("Residuals", x, f"{kind.capitalize()} residual{scale}")
    return _draw(axes(ax), cloud, labels, "residual", zero=True)


@understands_habits
def scale_location(result: Fitted, *, ax: Any = None) -> Plot:
    """The root of the size of standardised deviance residuals against the linear predictor.

    The line is level where the variance follows the mean as the family has it (R's third panel). It
    rises with the mean where responses vary more than that.

    Parameters
    ----------
    result : Results
    ax : matplotlib Axes, optional
        Where to draw; new ones unless given.

    Returns
    -------
    Plot
        As `residuals`, with `root_size` in place of `residual`.

    Raises
    ------
    DataError
        When the result no longer holds the rows of its fit, or has no leverages.

    Examples
    --------
    >>> import jaxglm as jg
    >>> table = {"y": [1, 0, 2, 3, 5, 8], "x": [0.0, 1, 2, 3, 4, 5]}
    >>> plot = jg.glm("y ~ x", table, family="poisson").plot.scale_location()
    >>> plot.data["root_size"].round(2).to_list()
    [0.78, 1.28, 0.56, 0.36, 0.32, 0.39]
    """
    return draw_scale_location(Diagnosed(result, "a plot of residuals"), ax)


def draw_scale_location(rows: Diagnosed, ax: Any) -> Plot:
    """`scale_location` of rows at hand."""
    size = np.sqrt(np.abs(rows.influence.standardised("deviance")))
    cloud = rows.cloud(rows.eta, size, "standardised deviance residual")
    labels = Labels("Scale and location", linear_text(rows.result), "√|std. deviance residual|")
    return _draw(axes(ax), cloud, labels, "root_size")


def _draw(ax: Any, cloud: Cloud, labels: Labels, called: str, *, zero: bool = False) -> Plot:
    """Rows with the line of their means."""
    ink = inks(ax)
    if zero:
        reference(ax, y=0.0)
    marks, shown = draw_rows(ax, ink, cloud)
    curve = smooth(cloud.x, cloud.y, cloud.freq)
    draw_smooth(ax, ink, curve)
    finish(ax, Labels(labels.title, labels.x, labels.y, shown))
    data = marks.rename(columns={"x": "fitted", "y": called})
    return Plot(ax, data, curve.rename(columns={"x": "fitted"}), shown)
