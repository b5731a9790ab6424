"""Plots of results, each with the numbers that it shows; matplotlib is loaded by the first one."""

from jaxglm.plots._accessors import FitPlots, ManyPlots
from jaxglm.plots._coefficients import coefficients, ratios
from jaxglm.plots._leverage import leverage
from jaxglm.plots._many import funnel, segments
from jaxglm.plots._overview import overview
from jaxglm.plots._partial_effect import partial_effect
from jaxglm.plots._partial_residuals import partial_residuals
from jaxglm.plots._path import path, validation
from jaxglm.plots._plot import Plot
from jaxglm.plots._predictions import calibration, lift, lorenz, roc
from jaxglm.plots._profile import profile
from jaxglm.plots._quantiles import qq
from jaxglm.plots._residuals import residuals, scale_location

__all__ = [
    "FitPlots",
    "ManyPlots",
    "Plot",
    "calibration",
    "coefficients",
    "funnel",
    "leverage",
    "lift",
    "lorenz",
    "overview",
    "partial_effect",
    "partial_residuals",
    "path",
    "profile",
    "qq",
    "ratios",
    "residuals",
    "roc",
    "scale_location",
    "segments",
    "validation",
]
