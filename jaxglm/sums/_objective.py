"""Owns what a fit minimises: the loss of the rows under a family, and a penalty.

Or what it makes zero: the score without its first-order bias.
"""

import dataclasses
from typing import Any, TypeVar

import jax

from jaxglm.families import Family
from jaxglm.penalties import Penalty
from jaxglm.sums._final import FinalSums
from jaxglm.sums._moments import Moments

Sums = TypeVar("Sums", Moments, FinalSums)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Objective:
    """A family, and a penalty where there is one, in the columns of the fit.

    Attributes
    ----------
    family : Family
    penalty : Penalty or None
    reduced_at : float or None
        The dispersion at which the score is taken without its bias (`bias_score`); None where it is
        taken as it is.
    """

    family: Family
    penalty: Penalty | None = None
    reduced_at: Any = None


def penalised(sums: Sums, penalty: Penalty | None, beta: jax.Array) -> Sums:
    """Sums over rows at `beta` with the penalty's part: the one place where it enters."""
    if penalty is None:
        return sums
    sums = sums._replace(score=sums.score + penalty.score(beta), info=penalty.added_to(sums.info))
    if isinstance(sums, Moments):
        return sums._replace(loss=sums.loss + penalty.loss(beta))
    return sums
