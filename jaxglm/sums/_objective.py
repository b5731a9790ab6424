"""Owns what a fit minimises: the loss of the rows under a family, and a penalty."""

import dataclasses
from typing import TypeVar

import jax

from jaxglm.families import Family
from jaxglm.penalties import Penalty
from jaxglm.sums._final import FinalSums
from jaxglm.sums._moments import Moments

Sums = TypeVar("Sums", Moments, FinalSums)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Objective:
    """A family, and a penalty where there is one, in the columns of the fit."""

    family: Family
    penalty: Penalty | None = None


def penalised(sums: Sums, penalty: Penalty | None, beta: jax.Array) -> Sums:
    """Sums over rows at `beta` with the penalty's part: the one place where it enters."""
    if penalty is None:
        return sums
    sums = sums._replace(score=sums.score + penalty.score(beta), info=penalty.added_to(sums.info))
    if isinstance(sums, Moments):
        return sums._replace(loss=sums.loss + penalty.loss(beta))
    return sums
