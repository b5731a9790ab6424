"""p-sized matrices: factors, and the inverse of an information matrix kept as a root."""

from jaxglm.algebra._factor import (
    Bordered,
    Factor,
    Information,
    all_finite,
    diagonal_of,
    factorise,
    full_matrix,
    inverse_root,
    solve,
    zero_information,
)
from jaxglm.algebra._root import Root, root_of_inverse, trace_with

__all__ = [
    "Bordered",
    "Factor",
    "Information",
    "Root",
    "all_finite",
    "diagonal_of",
    "factorise",
    "full_matrix",
    "inverse_root",
    "root_of_inverse",
    "solve",
    "trace_with",
    "zero_information",
]
