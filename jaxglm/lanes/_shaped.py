"""Owns many fits whose negative binomial shape is estimated: theirs, and their null models'.

They take the short way; what does not settle there is left for single fits.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.designs import Dense
from jaxglm.families import NegativeBinomial
from jaxglm.lanes._fits import Fits
from jaxglm.lanes._settled import Left, Settling
from jaxglm.lanes._short_loop import LaneGiven
from jaxglm.lanes._short_way import Job, ShortWay, serves, together
from jaxglm.lanes._sums import LaneSums
from jaxglm.rows import Replicas, Segments
from jaxglm.search import Options
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


class _Shaped:
    """The calls of the short way that fit segments, and their null models."""

    def __init__(
        self, segments: Segments, family: NegativeBinomial, options: Options, max_memory: float
    ):
        problem = segments.problem
        ones = Dense(np.ones((len(problem.rows), 1)))
        only = problem.with_block(Block(ones, problem.rows), order=np.zeros(1, int))
        intercepts = dataclasses.replace(segments, problem=only)
        plain = dataclasses.replace(options, start=None)
        self._model = ShortWay(segments, family, options, max_memory, _MOST_TURNS)
        self._null = ShortWay(intercepts, family, plain, max_memory, _MOST_TURNS)

    @property
    def most_rows(self) -> int:
        """Of a segment."""
        return min(self._model.most_rows, self._null.most_rows)

    def fits(self, which: np.ndarray) -> tuple[Left, np.ndarray]:
        """The fits of some segments beside their null models, and where these are sure.

        The null deviance is that at the shape of the model, as R's. The null log-likelihood is at
        the shape that is best for it.
        """
        model, null = _run(_job(self._model, which), _job(self._null, which))
        sure = np.asarray(null.outcome.status) == int(Status.CONVERGED)
        found = model.statistics._replace(null_log_likelihood=null.statistics.log_likelihood)
        of_null, sums = model.null, model.sums
        if self._null.segments.problem.rows.offset is not None:
            # Beside an offset an intercept depends on the shape.
            assert model.shape is not None
            (same,) = _run(_job(self._null, which, model.shape.alpha))
            sure &= same.outcome.status == int(Status.CONVERGED)
            deviance = same.statistics.deviance
            found = found._replace(null_deviance=deviance)
            sums = sums._replace(null_deviance=deviance)
            shift = same.outcome.beta + same.outcome.correction
            of_null = of_null._replace(shift=shift[:, 0])
        return Left(which, model._replace(statistics=found, sums=sums, null=of_null)), sure


def _job(way: ShortWay, which: np.ndarray, alpha: np.ndarray | None = None) -> Job:
    """The fits of some segments in all columns, at given shapes or to find them."""
    problem = way.segments.problem
    unknown = np.full(which.size, np.nan, problem.dtype)
    return way.job(which, LaneGiven(unknown, np.ones((which.size, problem.n_columns), bool), alpha))


def _run(*jobs: Job) -> list[LaneSums]:
    """What is found of the segments of each, in their order."""
    parts: list[list[Left]] = [[] for _ in jobs]
    for k, places, found in together(*jobs):
        parts[k].append(Left(places, found))
    joined = map(Left.joined, parts)
    return [left.where(np.argsort(left.which)).found for left in joined]
