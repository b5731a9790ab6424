"""Owns the doors for data: tables with a formula, and arrays. A table of contents.

The only part of the library that imports pandas, polars, pyarrow, narwhals and formulaic.
"""

from jaxglm.io._array_frame import (
    ArrayFrame,
    read_arrays,
    read_new_matrix,
    read_row_values,
)
from jaxglm.io._arrays import (
    check_aligned,
    missing_rows,
    read_matrix,
    read_response,
    read_vector,
)
from jaxglm.io._column import Column
from jaxglm.io._constant import add_constant
from jaxglm.io._formula import ModelFrame, model_frame
from jaxglm.io._keys import (
    find_segments,
    key_columns,
    keys_from_arrays,
    keys_to_arrays,
    unknown_text,
)
from jaxglm.io._messages import rows_text
from jaxglm.io._native import like_native
from jaxglm.io._response import Response
from jaxglm.io._segments import group_columns, groups_of, segments_of
from jaxglm.io._spec import TermsSpec
from jaxglm.io._table import Table, native_of, read_table

__all__ = [
    "ArrayFrame",
    "Column",
    "ModelFrame",
    "Response",
    "Table",
    "TermsSpec",
    "add_constant",
    "check_aligned",
    "find_segments",
    "group_columns",
    "groups_of",
    "key_columns",
    "keys_from_arrays",
    "keys_to_arrays",
    "like_native",
    "missing_rows",
    "model_frame",
    "native_of",
    "read_arrays",
    "read_matrix",
    "read_new_matrix",
    "read_response",
    "read_row_values",
    "read_table",
    "read_vector",
    "rows_text",
    "segments_of",
    "unknown_text",
]
