"""Rows into additive sums: what solvers, statistics and tests see of the rows."""

from jaxglm.sums._bias import Bias, bias_score, inverted
from jaxglm.sums._fastest import fastest_kernel
from jaxglm.sums._final import (
    FinalSums,
    NullModel,
    far_sides,
    final_sums,
    final_sums_diagonal,
    log_likelihood,
    rows_at_limit,
)
from jaxglm.sums._moments import (
    Moments,
    diagonal_moments,
    full_moments,
    light_moments,
    quick_moments,
    unit_gram,
)
from jaxglm.sums._objective import Objective, penalised
from jaxglm.sums._rowwise import Point, Value
from jaxglm.sums._totals import Totals, null_model, totals, totals_of

__all__ = [
    "Bias",
    "FinalSums",
    "Moments",
    "NullModel",
    "Objective",
    "Point",
    "Totals",
    "Value",
    "bias_score",
    "diagonal_moments",
    "far_sides",
    "fastest_kernel",
    "final_sums",
    "final_sums_diagonal",
    "full_moments",
    "inverted",
    "light_moments",
    "log_likelihood",
    "null_model",
    "penalised",
    "quick_moments",
    "rows_at_limit",
    "totals",
    "totals_of",
    "unit_gram",
]
