"""One optimum and its record."""

from jaxglm.search._basis import condition
from jaxglm.search._estimate import Estimate
from jaxglm.search._fit import PROXIMAL, Coefficients, Fit
from jaxglm.search._fit_of import fit_of
from jaxglm.search._notes import Note, outcome_notes, rank_refusal
from jaxglm.search._path import Path, PathPoint
from jaxglm.search._range import RangeError, largest_size
from jaxglm.search._reduced import REDUCED, can_reduce
from jaxglm.search._settings import Options, smallest_pivot
from jaxglm.search._shape import estimate_all, has_unknown_shape
from jaxglm.search._strengths import Strengths, estimate_strengths

__all__ = [
    "PROXIMAL",
    "REDUCED",
    "Coefficients",
    "Estimate",
    "Fit",
    "Note",
    "Options",
    "Path",
    "PathPoint",
    "RangeError",
    "Strengths",
    "can_reduce",
    "condition",
    "estimate_all",
    "estimate_strengths",
    "fit_of",
    "has_unknown_shape",
    "largest_size",
    "outcome_notes",
    "rank_refusal",
    "smallest_pivot",
]
