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
)
from jaxglm.algebra._root import Root, root_of_inverse

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
]
