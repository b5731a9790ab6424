"""One answer per row of a fit, and what the rows say of the fit as a whole."""

from jaxglm.diagnostics._brier import BrierParts, brier
from jaxglm.diagnostics._by_row import is_probability, mean_slope, means
from jaxglm.diagnostics._calibration import calibration, hosmer_lemeshow, wilson
from jaxglm.diagnostics._concentration import gini, lift, lorenz
from jaxglm.diagnostics._deviance import deviance
from jaxglm.diagnostics._discrimination import roc, roc_area, tjur
from jaxglm.diagnostics._facts import RowFacts, row_facts
from jaxglm.diagnostics._residuals import ResidualKind, pull_and_weight, residuals
from jaxglm.diagnostics._response_facts import ResponseFacts, response_facts
from jaxglm.diagnostics._scales import LINEAR, LOG_MEAN, MEAN, Scale
from jaxglm.diagnostics._zeros import Zeros, zero_difference, zero_probability, zero_score

__all__ = [
    "LINEAR",
    "LOG_MEAN",
    "MEAN",
    "BrierParts",
    "ResidualKind",
    "ResponseFacts",
    "RowFacts",
    "Scale",
    "Zeros",
    "brier",
    "calibration",
    "deviance",
    "gini",
    "hosmer_lemeshow",
    "is_probability",
    "lift",
    "lorenz",
    "mean_slope",
    "means",
    "pull_and_weight",
    "residuals",
    "response_facts",
    "roc",
    "roc_area",
    "row_facts",
    "tjur",
    "wilson",
    "zero_difference",
    "zero_probability",
    "zero_score",
]
