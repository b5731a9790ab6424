"""What a fit answers."""

from jaxglm.results._one import Results
from jaxglm.results._responses import ResponseResults
from jaxglm.results._segments import GroupResults

__all__ = ["GroupResults", "ResponseResults", "Results"]
