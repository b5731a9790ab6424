"""Owns optima under penalties that choose, one after the other: what each hands on to the next.

Of very many columns a fit looks at a part: those that are not zero, and those whose slopes come
near to their thresholds (Tibshirani et al. 2012, JRSS B 74, 245-266). All are visited once where
it ends, and what should have taken part is taken in.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._jax import fetched
from jaxglm._programs import program
from jaxglm._status import DataError, Status
from jaxglm._tuning import tuning
from jaxglm.penalties import Thresholded
from jaxglm.search._attempts import Search
from jaxglm.search._drive import Loop, solve
from jaxglm.search._settings import AT_BETA
from jaxglm.solvers import Bent, Outcome, Proximal, least_of_model
from jaxglm.sources import Source
from jaxglm.sums import (
    Deviances,
    FinalSums,
    Objective,
    deviances,
    light_final_sums,
    penalised,
    with_sure_deviances,
)

# A slope that is past its threshold by less than this share of it is at it.
_PAST = 1e-7
_MOST_PARTS = 50
# A threshold that was larger by more says no more of the columns that it held.
_STRONGEST = 1.5


def works_in_parts(penalty: Thresholded, p: int) -> bool:
    """Whether an optimum in p columns is sought in a part of them."""
    return penalty.bend.norms is None and p > tuning().most_whole


class Optimum(NamedTuple):
    """An optimum in all columns, design order.

    Attributes
    ----------
    gamma : [p]
    outcome : Outcome
        Of the last loop, in the columns of its part.
    sums : FinalSums
        At `gamma`, with the score of all columns and without an information matrix.
    turns : int
        Passes over the rows, those of parts included.
    """

    gamma: np.ndarray
    outcome: Outcome
    sums: FinalSums
    turns: int

    @property
    def status(self) -> Status:
        return Status(int(self.outcome.status))


@dataclasses.dataclass
class _Part:
    """The columns that loops look at, rows of these, and the solver's memory of them."""

    columns: np.ndarray
    source: Source
    kept: Bent


class Choosing:
    """Optima of one problem under penalties that choose among its columns.

    Parameters
    ----------
    search : Search
    source : Source
        Its rows, with no factor eliminated.
    gamma : [p]
        Where to begin, design order.
    """

    def __init__(self, search: Search, source: Source, gamma: np.ndarray):
        assert isinstance(search.penalty, Thresholded)
        self.search, self.source, self.gamma = search, source, gamma
        # The slope of the rows alone, and the penalty, at the last optimum.
        self._slope: np.ndarray | None = None
        self._last = Thresholded(None, search.penalty.bend)
        self._part: _Part | None = None

    def optimum(self, penalty: Thresholded) -> Optimum:
        """The optimum under a penalty, from the last one.

        Raises
        ------
        DataError
            Where it would take a matrix of too many columns.
        """
        columns = self._columns_for(penalty)
        turns = 0
        for _ in range(_MOST_PARTS):
            part = self._part_of(columns)
            outcome = self._in_part(part, penalty)
            turns += int(outcome.turns)
            gamma = np.zeros(self.gamma.size)
            gamma[part.columns] = np.asarray(outcome.settled(np), float)
            sums = self._at(penalty, gamma)
            score = np.asarray(sums.score, float)
            self.gamma, self._last = gamma, penalty
            self._slope = score - np.asarray(penalty.score(jnp.asarray(gamma)))
            past = _past(penalty, gamma, score)
            past[part.columns] = False
            if not past.any() or not Status(int(outcome.status)).usable:
                break
            columns = self._with(past | (gamma != 0), penalty)
        return Optimum(gamma, outcome, sums, turns)

    # -- which columns ---------------------------------------------------------------------------

    def _columns_for(self, penalty: Thresholded) -> np.ndarray:
        """The columns to look at first, in order."""
        p = self.gamma.size
        if not works_in_parts(penalty, p):
            return np.arange(p)
        wanted = ~penalty.bend.choosing | (self.gamma != 0)
        if self._slope is not None:
            # Slopes change by no more than thresholds do, as a rule.
            now = np.asarray(penalty.bend.threshold)
            before = np.clip(self._last.bend.threshold, now, _STRONGEST * now)
            wanted |= np.abs(self._slope) >= 2 * now - before
        if self._part is not None and not np.delete(wanted, self._part.columns).any():
            return self._part.columns
        return self._with(wanted, penalty)

    def _with(self, wanted: np.ndarray, penalty: Thresholded) -> np.ndarray:
        """Some columns, and as many of those whose slopes come nearest as fill up a part."""
        p, count = wanted.size, int(wanted.sum())
        # Each size is a program.
        size = tuning().smallest_part
        while size < count:
            size *= 2
        size = min(size, p)
        if size**2 > tuning().most_cells:
            raise DataError(
                f"{count:,} columns take part in the optimum, and a matrix of so many with each "
                "other would fill the memory: take a greater strength, or fewer columns"
            )
        near = np.zeros(p) if self._slope is None else np.abs(self._slope)
        threshold = np.asarray(penalty.bend.threshold)
        near = near / np.where(threshold > 0, threshold, 1.0)
        near[wanted] = np.inf
        return np.sort(np.argpartition(-near, size - 1)[:size])

    def _part_of(self, columns: np.ndarray) -> _Part:
        """The part of some columns, which is the last one where these are the same."""
        known = self._part
        if known is not None and np.array_equal(known.columns, columns):
            return known
        source, p = self.source, self.gamma.size
        if columns.size < p:
            keep = np.zeros(p, bool)
            keep[columns] = True
            source = source.with_design(lambda block: block.design.take_columns(keep))
        bend = self._last.bend.take(columns)
        self._part = _Part(columns, source, Bent.fresh(bend, self.search.problem.dtype))
        return self._part

    # -- in a part -------------------------------------------------------------------------------

    def _in_part(self, part: _Part, penalty: Thresholded) -> Outcome:
        """The end of a loop in some columns, the others at zero."""
        dtype, columns = self.search.problem.dtype, part.columns
        own, last = penalty.take(columns), self._last.take(columns)
        before = self.gamma[columns]
        kept = part.kept.bent(own.bend, dtype)
        kept = kept._replace(info=_exchanged(kept.info, last, own))
        start = before
        if self._slope is not None and kept.info.any():
            slope = self._slope[columns] + np.asarray(own.score(jnp.asarray(before)))
            kept = kept._replace(beta=before.astype(dtype), score=slope.astype(dtype))
            # A step from the last optimum is foreseen without a look at the rows; but not where it
            # may leave the range of the link.
            if not self.search.bounded:
                start = np.asarray(_foreseen(kept), float)
        outcome = self._run(part.source, own, kept, start)
        if not Status(int(outcome.status)).usable and start is not before:
            outcome = self._run(part.source, own, kept, before)
        part.kept = Bent(*jax.tree.map(np.asarray, outcome.kept))
        return outcome

    def _run(self, source: Source, penalty: Thresholded, kept: Bent, start: np.ndarray) -> Outcome:
        search = self.search
        loop = Loop(
            search.settings.point(start, AT_BETA),
            search.controls(final=False),
            search.settings.null_model,
            kept,
            solver=Proximal(),
            kernel=search.kernel,
            final=light_final_sums,
        )
        return solve(source, Objective(search.family, penalty), loop)[0]

    def _at(self, penalty: Thresholded, gamma: np.ndarray) -> FinalSums:
        family, beta = self.search.family, gamma.astype(self.search.problem.dtype)
        null = self.search.settings.null_model

        def again() -> Deviances:
            return fetched(self.source.reduce(deviances, family, beta, null))

        sums = self.source.reduce(light_final_sums, family, beta, null)
        return with_sure_deviances(fetched(_penalised(sums, penalty, beta)), again)


_penalised = program(quick=True)(penalised)


@program(quick=True)
def _foreseen(kept: Bent) -> jax.Array:
    """Where the model of an earlier turn is least."""
    return least_of_model(kept.info, kept.score, kept.beta, kept, jnp.zeros((), kept.beta.dtype))


def _exchanged(info: Any, before: Thresholded, after: Thresholded) -> np.ndarray:
    """An information matrix with the quadratic part of another penalty."""
    nothing = jnp.zeros(info.shape, info.dtype)
    new, old = (np.asarray(one.added_to(nothing)) for one in (after, before))
    return info + (new - old)


def _past(penalty: Thresholded, gamma: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Coefficients that miss their condition of optimality by more than rounding, [p] bool."""
    violation = np.asarray(penalty.bend.violation(gamma, score))
    return violation > _PAST * np.asarray(penalty.bend.threshold)
