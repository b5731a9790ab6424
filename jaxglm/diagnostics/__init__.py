"""One answer per row of a fit."""

from jaxglm.diagnostics._by_row import mean_slope, means
from jaxglm.diagnostics._facts import RowFacts, row_facts
from jaxglm.diagnostics._residuals import ResidualKind, residuals
from jaxglm.diagnostics._scales import LINEAR, LOG_MEAN, MEAN, Scale

__all__ = [
    "LINEAR",
    "LOG_MEAN",
    "MEAN",
    "ResidualKind",
    "RowFacts",
    "Scale",
    "mean_slope",
    "means",
    "residuals",
    "row_facts",
]
