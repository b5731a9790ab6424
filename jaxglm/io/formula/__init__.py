"""Formulas: read, evaluated over a table, and kept as a recipe of plain JSON for new data."""

from jaxglm.io.formula._columns import ColumnsRead, columns_read
from jaxglm.io.formula._frame import ModelFrame, model_frame
from jaxglm.io.formula._grid import LevelGrid, level_grid, term_of_column
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._response import Response, new_response
from jaxglm.io.formula._spec import TermsSpec
from jaxglm.io.formula._terms import reduced_codings
from jaxglm.io.formula._variables import Levels, Variables

__all__ = [
    "ColumnsRead",
    "Labels",
    "LevelGrid",
    "Levels",
    "ModelFrame",
    "Response",
    "TermsSpec",
    "Variables",
    "columns_read",
    "level_grid",
    "model_frame",
    "new_response",
    "reduced_codings",
    "term_of_column",
]
