"""Many optima in one program: a lane for each segment, response or replicate."""

from jaxglm.lanes._fits import Fits, Words
from jaxglm.lanes._rounds import fit_segments

__all__ = ["Fits", "Words", "fit_segments"]
