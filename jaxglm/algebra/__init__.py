"""p-sized matrices: factors, roots of inverses, and the covariance made of them."""

from jaxglm.algebra._blocks import Norms
from jaxglm.algebra._covariance import MOVES, Covariance, Lines, movement, run_off
from jaxglm.algebra._descent import Bend, descend
from jaxglm.algebra._factor import (
    Bordered,
    Factor,
    Information,
    all_finite,
    diagonal_of,
    factorise,
    full_matrix,
    inverse_root,
    log_determinant,
    solve,
    zero_information,
)
from jaxglm.algebra._in_lanes import LaneFactor, LaneMatrices, Triangle, factorise_lanes
from jaxglm.algebra._relations import Relations
from jaxglm.algebra._root import Root, root_of, root_of_inverse, trace_with, without_negative
from jaxglm.algebra._span import Span, span_of
from jaxglm.algebra._spread import Spread

__all__ = [
    "MOVES",
    "Bend",
    "Bordered",
    "Covariance",
    "Factor",
    "Information",
    "LaneFactor",
    "LaneMatrices",
    "Lines",
    "Norms",
    "Relations",
    "Root",
    "Span",
    "Spread",
    "Triangle",
    "all_finite",
    "descend",
    "diagonal_of",
    "factorise",
    "factorise_lanes",
    "full_matrix",
    "inverse_root",
    "log_determinant",
    "movement",
    "root_of",
    "root_of_inverse",
    "run_off",
    "solve",
    "span_of",
    "trace_with",
    "without_negative",
    "zero_information",
]
