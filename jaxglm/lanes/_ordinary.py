"""Owns the judgement of where a lane ended: whether a single fit would look at it again."""

from typing import Any, NamedTuple

import numpy as np

from jaxglm._status import Status
from jaxglm.search._notes import RESOLUTION
from jaxglm.search._range import strained_columns, strained_response
from jaxglm.search._statistics import worse_than_null
from jaxglm.solvers import Outcome, Stop
from jaxglm.sums import FinalSums, NullModel, Objective

# Rounding of less than this many standard errors is nothing, even a thousand times as large.
_NOTHING_HIDDEN = 1e-3 * RESOLUTION


class End(NamedTuple):
    """Where loops ended; leaves have a leading axis of lanes.

    Attributes
    ----------
    outcome : Outcome
    sums : FinalSums
        Their information may be its diagonal.
    null : NullModel
    weight : float
        The sum of the weights.
    """

    outcome: Outcome
    sums: FinalSums
    null: NullModel
    weight: Any


def ordinary(end: End, objective: Objective, dtype: np.dtype, *, has_offset: bool) -> np.ndarray:
    """Ends that a single fit would not look at again, but for rows that have gone far; [k] bool."""
    outcome, sums, null, weight = end
    family = objective.family
    good = (outcome.status == int(Status.CONVERGED)) & (sums.lost == 0)  # what is lost, it tells
    good &= ~strained_columns(sums, dtype).any(axis=1)
    good &= ~strained_response(family, null.average, weight, dtype)
    if objective.penalty is None and objective.reduced_at is None:
        good &= ~worse_than_null(family, sums, weight, null, has_offset=has_offset)
    if np.isfinite(family.link.domain(family.mean_domain)).any():
        good &= sums.edge == 0
    by_rounding = outcome.stop != int(Stop.DECREMENT)
    hidden = np.maximum(outcome.floor, np.where(by_rounding, outcome.decrement, 0.0))
    # What rounding does where the likelihood is flatter than expected, a single fit tells; in
    # float32 it would be asked too often.
    flatter = not family.canonical and dtype == np.float64
    return good & (hidden <= (_NOTHING_HIDDEN if flatter else RESOLUTION))
