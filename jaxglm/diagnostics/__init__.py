"""One answer per row of a fit."""

from jaxglm.diagnostics._by_row import mean_slope, means
from jaxglm.diagnostics._facts import RowFacts, row_facts
from jaxglm.diagnostics._residuals import ResidualKind, residuals

__all__ = ["ResidualKind", "RowFacts", "mean_slope", "means", "residuals", "row_facts"]
