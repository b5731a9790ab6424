"""Owns the two visits of a large fit whose loss is quadratic: a least-squares fit.

One Newton step leads to the optimum from anywhere. So the first visit makes the information and the
score at 0, and the second the score where that step ends, with what the statistics want: it tells
exactly what is left, and one more step removes it.
"""

from typing import Any

import jax
import numpy as np

from jaxglm._jax import fetched
from jaxglm._programs import program
from jaxglm._status import Status
from jaxglm.algebra import diagonal_of, root_of_inverse
from jaxglm.families import Family
from jaxglm.search._attempts import Attempt, Search
from jaxglm.search._basis import Basis
from jaxglm.search._settings import AT_BETA
from jaxglm.solvers import Outcome, Stop, rounding_floor
from jaxglm.sources import Block, Source
from jaxglm.sums import (
    Deviances,
    FinalSums,
    Moments,
    NullModel,
    Point,
    deviances,
    full_moments,
    light_moments,
    penalised,
)

_penalised = program(quick=True)(penalised)


def least_squares(search: Search, basis: Basis, source: Source) -> Attempt | None:
    """The optimum of a quadratic loss; None where columns are collinear, or sums are no numbers."""
    penalty = basis.penalty(search.penalty)
    start = search.settings.point(np.zeros(int(basis.keep.sum())), AT_BETA)
    search.turns += 1
    first = fetched(
        _penalised(source.reduce(full_moments, search.family, start), penalty, start.beta)
    )
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(first)):
        return None
    root, diagonal = root_of_inverse(first.info), diagonal_of(first.info, np)
    # The share of each column that the others do not explain.
    shares = 1 / (diagonal * ((root.dense**2).sum(axis=1) + root.diagonal**2))
    if not shares.min(initial=1.0) > search.settings.smallest_pivot:
        return None
    at = start._replace(beta=-root.times(first.score))
    sums, compared = source.reduce(_described, search.family, at, search.settings.null_model)
    last = fetched(_penalised(sums, penalty, at.beta))
    deviation = np.sqrt(search.dispersion(last))
    outcome = Outcome(
        beta=at.beta,
        correction=np.zeros_like(at.beta),
        loss=last.loss,
        decrement=0.0,
        floor=2 * rounding_floor(last, diagonal, at.beta, np) / (deviation if deviation > 0 else 1),
        turns=_whole(1),
        status=_whole(Status.CONVERGED),
        stop=_whole(Stop.DECREMENT),
        observed=_whole(0),
        invalid=_whole(0),
    )
    found = Attempt(
        outcome=outcome,
        last=_final(first, last, fetched(compared)),
        method="irls",
        status=Status.CONVERGED,
        turns=search.turns,
        root=root,
    )
    settled = search.settled(found)
    return settled if search.is_near(settled) else None


def _described(
    block: Block, family: Family, at: Point, null: NullModel
) -> tuple[Moments, Deviances]:
    return light_moments(block, family, at), deviances(block, family, at.beta, null)


def _final(first: Moments, last: Moments, compared: Deviances) -> FinalSums:
    """The final sums, of two visits; no mean has a limit where the loss is quadratic."""
    no_rows = _whole(0)
    return FinalSums(
        pearson=last.pearson,
        score=last.score,
        info=first.info,
        far=no_rows,
        lost=no_rows,
        edge=no_rows,
        **compared._asdict(),
    )


def _whole(number: int) -> Any:
    """A whole number as the programs return it."""
    return np.int32(number)
