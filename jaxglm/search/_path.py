"""Owns a path of optima along a falling penalty: each starts where the one before it ended."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxglm._jax import fetched
from jaxglm._status import Status
from jaxglm.families import Family
from jaxglm.penalties import Thresholded
from jaxglm.rows import Problem
from jaxglm.search._attempts import Search
from jaxglm.search._basis import plain_basis
from jaxglm.search._choosing import Choosing
from jaxglm.search._estimate import apart
from jaxglm.search._settings import Options
from jaxglm.search._statistics import likelihoods_of_rows, rounding_is_left
from jaxglm.sums import FinalSums

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
        self._choosing = Choosing(search, self._source, search.level(plain_basis(problem)))

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
        problem, found = self._problem, self._choosing.optimum(penalty)
        score = np.asarray(found.sums.score, float)
        violation = np.asarray(penalty.bend.violation(found.gamma, score)).max(initial=0.0)
        point = PathPoint(
            coef=problem.public(found.gamma),
            deviance=float(found.sums.deviance),
            log_likelihood=self._log_likelihood(found.gamma, found.sums),
            df=int(np.count_nonzero(found.gamma)),
            violation=float(violation) / float(self._search.totals.weight),
            turns=found.turns,
            status=found.status,
        )
        return point, found.sums

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
