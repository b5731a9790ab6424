"""Many optima in one program: a lane for each segment, response or replicate."""

from jaxglm.lanes._covariances import (
    LaneDispersion,
    LaneEstimate,
    lane_clusters,
    lane_meat,
    lane_observed,
    lane_serial,
    lane_slopes,
)
from jaxglm.lanes._fits import SCALARS, Fits, Words
from jaxglm.lanes._held import HeldModels
from jaxglm.lanes._lanes import Lanes
from jaxglm.lanes._pooling import Prior, pooled
from jaxglm.lanes._rounds import fit_segments

__all__ = [
    "SCALARS",
    "Fits",
    "HeldModels",
    "LaneDispersion",
    "LaneEstimate",
    "Lanes",
    "Prior",
    "Words",
    "fit_segments",
    "lane_clusters",
    "lane_meat",
    "lane_observed",
    "lane_serial",
    "lane_slopes",
    "pooled",
]
