"""Formulas: read, evaluated over a table, and kept as a recipe of plain JSON for new data."""

from jaxglm.io.formula._frame import ModelFrame, model_frame
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._response import Response
from jaxglm.io.formula._spec import TermsSpec
from jaxglm.io.formula._variables import Levels, Variables

__all__ = [
    "Labels",
    "Levels",
    "ModelFrame",
    "Response",
    "TermsSpec",
    "Variables",
    "model_frame",
]
