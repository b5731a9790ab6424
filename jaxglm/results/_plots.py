"""Owns the way from results to the plots of them."""

from jaxglm.plots import FitPlots, ManyPlots
from jaxglm.plots._asked import Fitted, ManyFitted


class Plotted:
    """What is drawn of one fit; a base of `Results`."""

    @property
    def plot(self: Fitted) -> FitPlots:
        """Plots: ``result.plot()`` draws four, ``result.plot.coefficients()`` one; and so on.

        Each is a function of `jaxglm.plots`, with its arguments.
        """
        return FitPlots(self)


class PlottedMany:
    """What is drawn of many fits of one model; a base of `ManyResults`."""

    @property
    def plot(self: ManyFitted) -> ManyPlots:
        """Plots of one coefficient in all fits: ``fits.plot.segments(term)``, and others."""
        return ManyPlots(self)
