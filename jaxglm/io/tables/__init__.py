"""Tables of any make: columns, keys of rows, vectors beside them, and what gaps do."""

from jaxglm.io.tables._column import Column, Level
from jaxglm.io.tables._constant import add_constant
from jaxglm.io.tables._integers import check_floats
from jaxglm.io.tables._keys import (
    find_segments,
    key_cautions,
    key_columns,
    keys_from_arrays,
    keys_to_arrays,
    unknown_text,
)
from jaxglm.io.tables._messages import rows_text, spaces_caution
from jaxglm.io.tables._native import like_native
from jaxglm.io.tables._segments import group_columns, groups_of, groups_of_some, segments_of
from jaxglm.io.tables._table import Table, is_table, native_of, numbers_of, read_table
from jaxglm.io.tables._vectors import aligned, check_aligned, check_length, one_column, read_vector

__all__ = [
    "Column",
    "Level",
    "Table",
    "add_constant",
    "aligned",
    "check_aligned",
    "check_floats",
    "check_length",
    "find_segments",
    "group_columns",
    "groups_of",
    "groups_of_some",
    "is_table",
    "key_cautions",
    "key_columns",
    "keys_from_arrays",
    "keys_to_arrays",
    "like_native",
    "native_of",
    "numbers_of",
    "one_column",
    "read_table",
    "read_vector",
    "rows_text",
    "segments_of",
    "spaces_caution",
    "unknown_text",
]
