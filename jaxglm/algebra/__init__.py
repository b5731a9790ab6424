"""p-sized matrices: factors, roots of inverses, and the covariance made of them."""

from jaxglm.algebra._covariance import Covariance
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
    "Covariance",
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
