"""One optimum and its record."""

from jaxglm.search._estimate import Estimate, estimate
from jaxglm.search._fit import Coefficients, Fit
from jaxglm.search._fit_of import fit_of
from jaxglm.search._notes import outcome_notes, rank_refusal
from jaxglm.search._range import RangeError, largest_size
from jaxglm.search._settings import Options
from jaxglm.search._shape import estimate_all, has_unknown_shape

__all__ = [
    "Coefficients",
    "Estimate",
    "Fit",
    "Options",
    "RangeError",
    "estimate",
    "estimate_all",
    "fit_of",
    "has_unknown_shape",
    "largest_size",
    "outcome_notes",
    "rank_refusal",
]
