"""Many optima in one program: a lane for each segment, response or replicate."""

from jaxglm.lanes._fits import SCALARS, Fits, Words
from jaxglm.lanes._rounds import fit_segments

__all__ = ["SCALARS", "Fits", "Words", "fit_segments"]
