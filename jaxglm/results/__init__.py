"""What a fit answers."""

from jaxglm.results._one import Results
from jaxglm.results._path import PathResults
from jaxglm.results._responses import ResponseResults
from jaxglm.results._segments import GroupResults
from jaxglm.results._validation import CrossValidation

__all__ = ["CrossValidation", "GroupResults", "PathResults", "ResponseResults", "Results"]
