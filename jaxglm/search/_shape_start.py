"""Owns where a large fit with an unknown shape starts: near the optimum over both.

A sample tells coefficients and shape to within some of its standard errors; turns over all rows,
each with one step of the coefficients and of the shape, end where the next step would be nothing.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.families import NegativeBinomial
from jaxglm.rows import Problem
from jaxglm.search._attempts import Attempt, Search
from jaxglm.search._basis import plain_basis
from jaxglm.search._settings import AT_BETA, AT_INITIAL_MEANS, Options
from jaxglm.search._shape_profile import ShapeProfile, first_log_alpha, in_range
from jaxglm.search._short_way import factor_of_sample, of_sample, sample_stride
from jaxglm.solvers import Newton
from jaxglm.sources import Source
from jaxglm.sums import totals_of

_MOST_TURNS = 8
# Steps of log alpha, of the sample and of all rows, after which the next one is far shorter.
_OF_SAMPLE, _OF_ALL = 1e-2, 1e-6
# To so many standard errors the coefficients follow the shape.
_NEAR = 1e-3


class NearShape(NamedTuple):
    """Coefficients in public order, the logarithm of alpha, and the passes that it took."""

    beta: np.ndarray
    log_alpha: float
    turns: int


def near_shape(
    problem: Problem, family: NegativeBinomial, options: Options, profile: ShapeProfile
) -> NearShape | None:
    """Where to start; None where a sample does not pay, or does not lead to a shape."""
    basis, source = plain_basis(problem), problem.source
    totals, counted = totals_of(source), 0

    def search_at(log_alpha: float) -> Search:
        alpha = problem.dtype.type(math.exp(log_alpha))
        return Search(problem, dataclasses.replace(family, alpha=alpha), options, totals)

    def counting(search: Search, found: Attempt) -> Attempt:
        nonlocal counted
        counted += search.turns
        return found

    def of_some(log_alpha: float, before: Attempt | None) -> Attempt:
        search = search_at(log_alpha)
        at = search.settings.point(zeros, AT_INITIAL_MEANS)
        if before is not None:
            at = search.settings.point(before.gamma, AT_BETA)
        return counting(search, of_sample(search, basis, source, stride, at))

    def of_all(log_alpha: float, before: Attempt) -> Attempt:
        search = search_at(log_alpha)
        at = search.settings.point(before.gamma, AT_BETA)
        controls = search.controls(tol=_NEAR, final=False)
        kept = before.outcome.kept._replace(use=np.bool_(True))
        run = search.run(basis, source, Newton(), "irls", at, controls, search.kernel, kept)
        return counting(search, run)

    without = search_at(-math.inf)
    few = source.design.gram_cells <= tuning().most_cells
    if not (without.large and few and options.method == "irls" and options.start is None):
        return None
    zeros = np.zeros(int(basis.keep.sum()))
    stride = sample_stride(without, basis, source)
    if stride < 2:
        return None
    some = source.sample(stride)
    found = of_some(-math.inf, None)
    if found.status is not Status.CONVERGED:
        return None
    poisson = dataclasses.replace(family, alpha=problem.dtype.type(0.0))
    log_alpha = first_log_alpha(some, poisson, found.gamma.astype(problem.dtype))
    near = log_alpha and _in_turns(profile, some, family, found, log_alpha, _OF_SAMPLE, of_some)
    if not near:
        return None
    found, log_alpha = near
    kept = factor_of_sample(found, basis, source, stride)
    if kept is None:
        return None
    found = dataclasses.replace(found, outcome=found.outcome._replace(kept=kept))
    near = _in_turns(profile, source, family, found, log_alpha, _OF_ALL, of_all)
    if near is None:
        return None
    found, log_alpha = near
    return NearShape(problem.public(basis.coefficients(found.gamma)), log_alpha, counted)


def _in_turns(
    profile: ShapeProfile,
    rows: Source,
    family: NegativeBinomial,
    found: Attempt,
    log_alpha: float,
    least: float,
    again: Callable[[float, Attempt], Attempt],
) -> tuple[Attempt, float] | None:
    """Steps of the shape and of the coefficients in turn, until one of the shape is short."""
    for _ in range(_MOST_TURNS):
        gamma = found.gamma.astype(rows.dtype)
        step, curvature = profile.step(rows, family, gamma, log_alpha)
        log_alpha += step
        if not in_range(log_alpha):
            return None
        found = again(log_alpha, found)
        if found.status is not Status.CONVERGED:
            return None
        if curvature < 0 and abs(step) < least:
            return found, log_alpha
    return None
