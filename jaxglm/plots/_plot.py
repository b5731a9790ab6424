"""Owns what every plot returns: the axes that it was drawn on, with the numbers that were drawn."""

import dataclasses
from typing import Any

import pandas as pd


@dataclasses.dataclass(frozen=True, eq=False)
class Plot:
    """A plot and its numbers.

    Attributes
    ----------
    ax : matplotlib.axes.Axes
        What was drawn on, to change or to save: ``plot.ax.figure.savefig("plot.pdf")``.
    data : DataFrame
        A row for each mark: a point, a bar, an interval, or a cell that stands for several rows.
    curve : DataFrame or None
        The line through or beside the marks, with its band where it has one.
    shown : str
        How many rows the marks stand for, in the words of the plot's right upper corner.
    """

    ax: Any
    data: pd.DataFrame
    curve: pd.DataFrame | None = None
    shown: str = ""

    def __repr__(self) -> str:
        said = f": {self.shown}".replace("\n", "; ") if self.shown else ""
        return f"<jaxglm.Plot '{self.ax.get_title('left')}'{said}>"
