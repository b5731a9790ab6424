"""Rows into additive sums: what solvers, statistics and tests see of the rows."""

from jaxglm.sums._bias import Bias, bias_score, inverted
from jaxglm.sums._counted_shape import counted_shape_slopes
from jaxglm.sums._dependent import cluster_meat, serial_meat
from jaxglm.sums._dispersion import dispersion_slopes
from jaxglm.sums._final import (
    Description,
    Deviances,
    FinalSums,
    NullModel,
    deviances,
    digits_are_lost,
    far_sides,
    final_sums,
    final_sums_diagonal,
    lean_description,
    lean_final_sums,
    light_final_sums,
    log_likelihood,
    rows_at_limit,
    with_sure_deviances,
)
from jaxglm.sums._lengths import squared_lengths
from jaxglm.sums._moments import (
    Moments,
    diagonal_moments,
    full_moments,
    light_moments,
    quick_moments,
    unit_gram,
)
from jaxglm.sums._objective import Objective, penalised
from jaxglm.sums._power import power_likelihood, power_slope
from jaxglm.sums._rowwise import Point, Value
from jaxglm.sums._scores import (
    ALONE,
    Meat,
    Rooted,
    RowScores,
    add_scores,
    leverages,
    meat,
    observed_gram,
    products,
    row_scores,
    scores_of_rows,
)
from jaxglm.sums._shape import ShapeSums, shape_cross, shape_excess, shape_slopes, shape_sums
from jaxglm.sums._totals import Totals, has_constant, null_model, totals, totals_of

__all__ = [
    "ALONE",
    "Bias",
    "Description",
    "Deviances",
    "FinalSums",
    "Meat",
    "Moments",
    "NullModel",
    "Objective",
    "Point",
    "Rooted",
    "RowScores",
    "ShapeSums",
    "Totals",
    "Value",
    "add_scores",
    "bias_score",
    "cluster_meat",
    "counted_shape_slopes",
    "deviances",
    "diagonal_moments",
    "digits_are_lost",
    "dispersion_slopes",
    "far_sides",
    "final_sums",
    "final_sums_diagonal",
    "full_moments",
    "has_constant",
    "inverted",
    "lean_description",
    "lean_final_sums",
    "leverages",
    "light_final_sums",
    "light_moments",
    "log_likelihood",
    "meat",
    "null_model",
    "observed_gram",
    "penalised",
    "power_likelihood",
    "power_slope",
    "products",
    "quick_moments",
    "row_scores",
    "rows_at_limit",
    "scores_of_rows",
    "serial_meat",
    "shape_cross",
    "shape_excess",
    "shape_slopes",
    "shape_sums",
    "squared_lengths",
    "totals",
    "totals_of",
    "unit_gram",
    "with_sure_deviances",
]
