"""Penalties: what is added to (information, score, loss) of the rows. They never see a row."""

from jaxglm.penalties._asked import (
    AskedPenalty,
    PenalisedColumns,
    penalty_of,
    thresholded_of,
)
from jaxglm.penalties._base import Penalty
from jaxglm.penalties._bounds import Bounds
from jaxglm.penalties._elastic_net import ElasticNet, Lasso, Ridge
from jaxglm.penalties._group_lasso import GroupLasso
from jaxglm.penalties._prior import Quadratic
from jaxglm.penalties._quadratic import QuadraticForm, rank_of
from jaxglm.penalties._smooth import OpenStrengths, Smooth, open_strengths
from jaxglm.penalties._thresholded import Thresholded

__all__ = [
    "AskedPenalty",
    "Bounds",
    "ElasticNet",
    "GroupLasso",
    "Lasso",
    "OpenStrengths",
    "PenalisedColumns",
    "Penalty",
    "Quadratic",
    "QuadraticForm",
    "Ridge",
    "Smooth",
    "Thresholded",
    "open_strengths",
    "penalty_of",
    "rank_of",
    "thresholded_of",
]
