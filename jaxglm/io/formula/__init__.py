"""Formulas: read, evaluated over a table, and kept as a recipe of plain JSON for new data."""

from jaxglm.io.formula._frame import ModelFrame, model_frame
from jaxglm.io.formula._labels import Labels
from jaxglm.io.formula._response import Response, new_response
from jaxglm.io.formula._spec import TermsSpec

__all__ = ["Labels", "ModelFrame", "Response", "TermsSpec", "model_frame", "new_response"]
