"""One answer per row of a fit."""

from jaxglm.diagnostics._residuals import (
    ResidualKind,
    RowFacts,
    evaluate,
    mean_slope,
    residuals,
    row_facts,
)

__all__ = ["ResidualKind", "RowFacts", "evaluate", "mean_slope", "residuals", "row_facts"]
