"""Arrays: a matrix, a response and vectors that belong together, and new rows for their model."""

from jaxglm.io.arrays._frame import ArrayFrame, read_arrays, read_new_matrix, read_row_values
from jaxglm.io.arrays._matrix import missing_rows, read_matrix
from jaxglm.io.arrays._response import read_response, width_of

__all__ = [
    "ArrayFrame",
    "missing_rows",
    "read_arrays",
    "read_matrix",
    "read_new_matrix",
    "read_response",
    "read_row_values",
    "width_of",
]
