"""Owns a path of optima along a falling penalty: each starts where the one before it ended."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._jax import fetched
from jaxglm._programs import program
from jaxglm._status import Status
from jaxglm.families import Family
from jaxglm.penalties import Thresholded
from jaxglm.rows import Problem
from jaxglm.search._attempts import Search
from jaxglm.search._basis import plain_basis
from jaxglm.search._drive import Loop, solve
from jaxglm.search._estimate import apart
from jaxglm.search._settings import AT_BETA, Options
from jaxglm.search._statistics import likelihoods_of_rows, rounding_is_left
from jaxglm.solvers import Bent, Outcome, Proximal, least_of_model
from jaxglm.sums import FinalSums, Objective, light_final_sums

# As glmnet: the path ends where the model explains all but this share of the null deviance, or
# where another step explains next to nothing more.
_MOST_EXPLAINED, _LEAST_GAIN, _LEAST_STEPS = 0.999, 1e-5, 5
# Mean deviance at dispersion 1 of a model that all but determines the response.
_NOTHING = 1e-11


class PathPoint(NamedTuple):
    """The optimum at one strength of the penalty.

    Attributes
    ----------
    coef : [p]
        In public order.
    deviance, log_likelihood : float
        The second is nan for a quasi family.
    df : int
        Coefficients that are not zero, the intercept among them.
    violation : float
        The largest by which a coefficient misses its condition of optimality, on the scale of the
        mean loss.
    turns, status : int
    """

    coef: np.ndarray
    deviance: float
    log_likelihood: float
    df: int
    violation: float
    turns: int
    status: Status


class Path:
    """Optima of one problem under multiples of one penalty.

    Parameters
    ----------
    problem : Problem
    family : Family
        With all parameters known.
    options : Options
        Tolerance and turns of each optimum.
    penalty : Thresholded
        At strength 1, in public order.
    """

    def __init__(self, problem: Problem, family: Family, options: Options, penalty: Thresholded):
        options = dataclasses.replace(options, penalty=penalty)
        self._search = search = Search(problem, family, options)
        self._problem, self._family = problem, family
        assert isinstance(search.penalty, Thresholded)
        self._penalty = search.penalty
        self._source = apart(problem, search)
        self._gamma = search.level(plain_basis(problem))
        self._kept = Bent.fresh(self._penalty.bend, problem.dtype)
        # The slope of the rows alone, and the penalty, at the last optimum.
        self._slope: np.ndarray | None = None
        self._last = Thresholded(None, self._penalty.bend)

    def null(self, held: np.ndarray) -> tuple[PathPoint, np.ndarray]:
        """The optimum with some coefficients at zero, and the slopes [p] of the mean loss there.

        `held` [p] bool and the slopes are in public order; these are 0 where the optimum leaves
        nothing but rounding of the response.
        """
        most = float(np.finfo(self._problem.dtype).max) ** 0.5
        out, bend = np.where(held[self._problem.order], most, 0.0), self._penalty.bend
        if bend.norms is not None:
            grouped = np.asarray(bend.norms.weight) > 0
            out, of_norms = np.where(grouped, 0.0, out), np.where(grouped, most, 0.0)
            bend = bend._replace(norms=bend.norms._replace(weight=of_norms))
        point, sums = self._optimum(Thresholded(None, bend._replace(threshold=out)))
        score = self._problem.public(np.asarray(sums.score, float))
        weight = float(self._search.totals.weight)
        nothing = point.deviance <= _NOTHING * weight
        if not self._family.dispersion_fixed:
            average = self._search.settings.null.average
            nothing = rounding_is_left(self._family, sums, weight, average)
        return point, np.zeros_like(score) if nothing else score / weight

    @property
    def nobs(self) -> float:
        """Observations."""
        return float(self._search.totals.nobs)

    def along(self, strengths: np.ndarray, null: PathPoint | None = None) -> Iterator[PathPoint]:
        """The optima at falling strengths; beside a null point until more would explain no more."""
        explained = 0.0
        for i, strength in enumerate(strengths):
            point, _ = self._optimum(self._penalty.times(strength))
            yield point
            if null is None:
                continue
            before = explained
            if null.deviance > 0:
                explained = 1 - point.deviance / null.deviance
            stalled = i >= _LEAST_STEPS and explained - before < _LEAST_GAIN * explained
            if stalled or explained > _MOST_EXPLAINED:
                return

    def _optimum(self, penalty: Thresholded) -> tuple[PathPoint, FinalSums]:
        problem, before = self._problem, self._gamma
        kept = self._kept.bent(penalty.bend, problem.dtype)
        kept = kept._replace(info=_exchanged(kept.info, self._last, penalty))
        start = before
        # A step from the last optimum is foreseen without a look at the rows; but not where it may
        # leave the range of the link.
        if self._slope is not None:
            slope = self._slope + np.asarray(penalty.score(jnp.asarray(before)))
            at = before.astype(problem.dtype), slope.astype(problem.dtype)
            kept = kept._replace(beta=at[0], score=at[1])
            if not self._search.bounded:
                start = np.asarray(_foreseen(kept), float)
        outcome, sums = self._run(penalty, kept, start)
        if not Status(int(outcome.status)).usable and start is not before:
            outcome, sums = self._run(penalty, kept, before)
        gamma = np.asarray(outcome.settled(np), float)
        score = np.asarray(sums.score, float)
        self._gamma, self._kept = gamma, Bent(*jax.tree.map(np.asarray, outcome.kept))
        self._slope, self._last = score - np.asarray(penalty.score(jnp.asarray(gamma))), penalty
        violation = np.asarray(penalty.bend.violation(gamma, score)).max(initial=0.0)
        point = PathPoint(
            coef=problem.public(gamma),
            deviance=float(sums.deviance),
            log_likelihood=self._log_likelihood(gamma, sums),
            df=int(np.count_nonzero(gamma)),
            violation=float(violation) / float(self._search.totals.weight),
            turns=int(outcome.turns),
            status=Status(int(outcome.status)),
        )
        return point, sums

    def _run(
        self, penalty: Thresholded, kept: Bent, start: np.ndarray
    ) -> tuple[Outcome, FinalSums]:
        search = self._search
        loop = Loop(
            search.settings.point(start, AT_BETA),
            search.controls(),
            search.settings.null_model,
            kept,
            solver=Proximal(),
            kernel=search.kernel,
            final=light_final_sums,
        )
        outcome, sums = solve(self._source, Objective(self._family, penalty), loop)
        assert sums is not None
        return outcome, sums

    def _log_likelihood(self, gamma: np.ndarray, sums: FinalSums) -> float:
        family, of = self._family, self._search.totals
        if not family.has_likelihood:
            return np.nan
        if family.dispersion_fixed:
            return float(sums.log_likelihood)
        pearson = float(sums.pearson) / max(of.nobs - np.count_nonzero(gamma), 1.0)
        scale: Any = family.likelihood_scale(float(sums.deviance), of.weight, of.nobs, pearson)
        dtype = self._problem.dtype
        null = self._search.settings.null_model
        at = (dtype.type(scale), dtype.type(scale))
        found = self._source.reduce(likelihoods_of_rows, family, gamma.astype(dtype), null, at)
        return float(fetched(found)[0])


@program(quick=True)
def _foreseen(kept: Bent) -> jax.Array:
    """Where the model of an earlier turn is least."""
    return least_of_model(kept.info, kept.score, kept.beta, kept, jnp.zeros((), kept.beta.dtype))


def _exchanged(info: np.ndarray, before: Thresholded, after: Thresholded) -> np.ndarray:
    """An information matrix with the quadratic part of another penalty."""
    nothing = jnp.zeros(info.shape, info.dtype)
    new, old = (np.asarray(one.added_to(nothing)) for one in (after, before))
    return info + (new - old)
