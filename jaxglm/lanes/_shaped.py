"""Owns many fits whose negative binomial shape is estimated: theirs, and their null models'.

They take the short way; what does not settle there is left for single fits.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.designs import Dense
from jaxglm.families import NegativeBinomial
from jaxglm.lanes._fits import Fits
from jaxglm.lanes._packing import Layout, Packing
from jaxglm.lanes._settled import Left, Settling
from jaxglm.lanes._short_loop import LaneGiven, ShortOptions
from jaxglm.lanes._short_way import serves, short_way
from jaxglm.lanes._workers import workers
from jaxglm.rows import Replicas, Segments
from jaxglm.search import Options
from jaxglm.search._settings import tolerance
from jaxglm.sources import Block
from jaxglm.sums import Objective

# Turns of a lane, those with alpha = 0 among them.
_MOST_TURNS = 50
# Segments whose sums are held at a time.
_AT_A_TIME = 1 << 16


def fit_shaped(
    segments: Segments | Replicas,
    family: NegativeBinomial,
    options: Options,
    fits: Fits,
    which: np.ndarray,
    max_memory: float,
    progress: Callable[[int], object],
) -> np.ndarray:
    """Fit some segments, [k] int, into `fits`; those that are left for single fits.

    Parameters
    ----------
    family : NegativeBinomial
        Without its shape.
    """
    objective = Objective(family)
    if which.size < tuning().fewest_shaped or segments.problem.constant is None:
        return which
    if not (serves(segments, objective, options) and isinstance(segments, Segments)):
        return which
    lanes = _Shaped(segments, family, options, max_memory)
    fitted = which[segments.sizes[which] <= lanes.most_rows]
    absent = np.zeros((segments.count, segments.problem.n_columns), bool)
    done = np.zeros(segments.count, bool)
    settling = Settling(segments, objective, options, fits, progress, absent, done)
    for start in range(0, fitted.size, _AT_A_TIME):
        left, sure = lanes.fits(fitted[start : start + _AT_A_TIME])
        asked = np.ones(left.found.keep.shape, bool)
        settling.settle(left.where(sure & settling.settled(left, asked)))
    return which[~done[which]]


@dataclasses.dataclass(frozen=True)
class _Shaped:
    """The calls of the short way that fit segments, and their null models."""

    segments: Segments
    family: NegativeBinomial
    options: Options
    max_memory: float

    @property
    def most_rows(self) -> int:
        """Of a segment."""
        p = self.segments.problem.n_columns
        return min(self._layout(p).most_rows, self._layout(1).most_rows)

    def _layout(self, columns: int) -> Layout:
        itemsize = self.segments.problem.dtype.itemsize
        return Layout.of(columns, self.max_memory / itemsize / workers())

    def fits(self, which: np.ndarray) -> tuple[Left, np.ndarray]:
        """The fits of some segments beside their null models, and where these are sure.

        The null deviance is that at the shape of the model, as R's. The null log-likelihood is at
        the shape that is best for it.
        """
        start = self.options.start
        beta = None if start is None else start[self.segments.problem.order]
        model = self._run(self.segments, which, beta)
        intercepts = self._intercepts()
        null = self._run(intercepts, which, None)
        sure = null.outcome.status == int(Status.CONVERGED)
        found = model.statistics._replace(null_log_likelihood=null.statistics.log_likelihood)
        of_null, sums = model.null, model.sums
        if self.segments.problem.rows.offset is not None:
            # Beside an offset an intercept depends on the shape.
            same = self._run(intercepts, which, None, alpha=model.shape.alpha)
            sure &= same.outcome.status == int(Status.CONVERGED)
            deviance = same.statistics.deviance
            found = found._replace(null_deviance=deviance)
            sums = sums._replace(null_deviance=deviance)
            shift = same.outcome.beta + same.outcome.correction
            of_null = of_null._replace(shift=shift[:, 0])
        return Left(which, model._replace(statistics=found, sums=sums, null=of_null)), sure

    def _intercepts(self) -> Segments:
        """The rows with a column of ones in place of their columns."""
        problem = self.segments.problem
        ones = Dense(np.ones((len(problem.rows), 1)))
        only = problem.with_block(Block(ones, problem.rows), order=np.zeros(1, int))
        return dataclasses.replace(self.segments, problem=only)

    def _run(
        self,
        segments: Segments,
        which: np.ndarray,
        beta: np.ndarray | None,
        alpha: np.ndarray | None = None,
    ) -> Any:
        """What the short way finds of some segments, in their order; a `LaneSums`."""
        problem, p = segments.problem, segments.problem.n_columns
        shared = ShortOptions(
            beta=(np.zeros(p) if beta is None else beta).astype(problem.dtype),
            tol=problem.dtype.type(tolerance(self.options, problem.dtype)),
            max_turns=np.int32(min(_MOST_TURNS, self.options.max_turns)),
        )
        unknown = np.full(which.size, np.nan, problem.dtype)
        own = LaneGiven(unknown, np.ones((which.size, p), bool), alpha)
        packing = Packing.of(segments, which, self._layout(p))
        rounds = short_way(packing, self.family, own, shared, from_beta=beta is not None)
        parts = [Left(places, found) for places, found in rounds]
        found = Left.joined(parts)
        return found.where(np.argsort(found.which)).found
