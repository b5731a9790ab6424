"""Owns the search for estimates without the first-order bias of maximum likelihood.

The score is made zero without the part that the bias takes of it (`sums.bias_score`), which is
proportional to the dispersion. Where that is estimated, coefficients given the dispersion and the
dispersion given the coefficients are solved in turn: the two are information-orthogonal, so that
the alternation converges fast. The dispersion is without its bias too (Kosmidis, Kenne Pagui and
Sartori 2020, Statistics and Computing 30, 43-59), as in R's brglm2 with `type = "AS_mean"`, which
is not its default where the dispersion is estimated. It takes a likelihood: by a quasi family,
separated rows would have no dispersion, and so no bias either.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import DataError, Status
from jaxglm._tuning import tuning
from jaxglm.families import Family
from jaxglm.rows import Problem
from jaxglm.search._attempts import Attempt, Search
from jaxglm.search._basis import Basis
from jaxglm.search._estimate import Estimate, estimate_of, of_full_rank
from jaxglm.search._settings import AT_BETA, AT_COMMON_MEAN, AT_INITIAL_MEANS, Options
from jaxglm.solvers import Newton
from jaxglm.sources import Block, Source
from jaxglm.sums import Point, final_sums_diagonal

REDUCED = "firth"
_MOST_ROUNDS = 60
_MOST_STEPS = 40
# Scoring steps that nothing corrects converge linearly, in so many times more turns.
_LINEAR = 5


def estimate_reduced(problem: Problem, family: Family, options: Options) -> Estimate:
    """Find the coefficients that solve the score without its bias.

    Parameters
    ----------
    problem : Problem
        Validated rows.
    family : Family
        With all parameters known; one that `can_reduce`.
    options : Options
        Start, tolerance, turns.

    Returns
    -------
    Estimate
        With `reduced_at`, the dispersion.

    Raises
    ------
    DataError
        For so many columns that there is no information matrix.
    RangeError
        As `estimate` does.
    """
    if problem.source.design.gram_cells > tuning().most_cells:
        raise DataError(
            f"bias='firth' needs the information matrix, and {problem.n_columns} columns are too "
            "many for one: fit fewer, or without bias=."
        )
    if family.dispersion_fixed:
        return _given_dispersion(problem, family, options, 1.0)
    # From the maximum of the likelihood, or as if the null model had left all that is not known.
    found = _given_dispersion(problem, family, options, 0.0)
    usable, turns = found.status.usable, found.turns
    phi = _dispersion(problem, family, found) if usable else _first_dispersion(problem, family)
    for _ in range(_MOST_ROUNDS):
        like = found if found.status.usable else None
        found = _given_dispersion(problem, family, options, phi, like)
        turns += found.turns
        if not found.status.usable:
            break
        before, phi = phi, _dispersion(problem, family, found)
        if not abs(phi - before) > 8 * float(np.finfo(problem.dtype).eps) ** 0.75 * before:
            break
    else:
        found = dataclasses.replace(found, status=Status.MAX_TURNS)
    return found.with_turns(turns)


def can_reduce(family: Family) -> bool:
    """Whether the dispersion is known, or has a likelihood of which the bias can be reduced."""
    return family.dispersion_fixed or type(family).log_normaliser is not Family.log_normaliser


def _given_dispersion(
    problem: Problem,
    family: Family,
    options: Options,
    phi: float,
    like: Estimate | None = None,
) -> Estimate:
    """The estimate at a dispersion, from an earlier one at another where there is one."""
    search = Search(problem, family, options, None if like is None else like.totals, phi)

    def first(search: Search, basis: Basis, source: Source) -> Attempt:
        return _from_starts(search, basis, source, None if like is None else like.gamma)

    found, basis, source = of_full_rank(search, first, like)
    if found.status is Status.SINGULAR:
        found = search.damped(found, basis, source)
    return estimate_of(search, found, basis, source, found.status)


def _from_starts(search: Search, basis: Basis, source: Source, gamma: np.ndarray | None) -> Attempt:
    """The first loop that converges, or the one that comes nearest."""
    zeros = np.zeros(int(basis.keep.sum()))
    starts = [(zeros, AT_INITIAL_MEANS), (zeros, AT_COMMON_MEAN)]
    if gamma is None and search.options.start is not None:
        gamma = search.given(basis)
    if gamma is not None:
        starts.insert(0, (gamma, AT_BETA))
    best: Attempt | None = None
    for values, start in starts:
        at = search.settings.point(values, start)
        found = _loop(search, basis, source, at)
        if found.status in (Status.CONVERGED, Status.SINGULAR):
            return found
        if best is None or found.outcome.decrement < best.outcome.decrement:
            best = found
    assert best is not None
    return best


def _loop(search: Search, basis: Basis, source: Source, at: Point) -> Attempt:
    """One loop; where that comes to rest at no solution, one that need not get nearer each turn."""
    newton, controls = search.newton, search.controls()
    found = search.run(basis, source, newton, REDUCED, at, controls)
    if newton.by_loss or found.status in (Status.CONVERGED, Status.SINGULAR):
        return found
    longer = controls._replace(max_turns=_LINEAR * controls.max_turns)
    other = search.run(basis, source, Newton(by_loss=False), REDUCED, at, longer)
    return other if other.status is Status.CONVERGED else found


def _first_dispersion(problem: Problem, family: Family) -> float:
    """That of the null model, which is too large."""
    search = Search(problem, family, Options())
    zeros = np.zeros(problem.n_columns, problem.dtype)
    sums = problem.source.reduce(final_sums_diagonal, family, zeros, search.settings.null_model)
    return float(sums.null_deviance) / max(float(search.totals.nobs) - 1.0, 1.0)


def _dispersion(problem: Problem, family: Family, found: Estimate) -> float:
    """The dispersion at the means of an estimate; 0 where nothing is left of the response.

    It is the root of its score less its bias, by Newton's method in log phi. With A1, A2 and A3 the
    derivatives in log phi of the sum of the family's normalisers, that is the root of ``deviance /
    phi - A1 + p + (A2 + A3) / (A1 + A2)``: deviance / (n - p) where the sum is n log phi.
    """
    deviance, p = float(found.sums.deviance), int(found.basis.keep.sum())
    df = float(found.totals.nobs) - p
    if not (df > 0 and deviance > 0):
        return 0.0
    dtype, reduce = problem.dtype, problem.source.reduce
    tiny = 4 * float(np.finfo(dtype).eps) ** 0.75
    level = math.log(deviance / df)
    for _ in range(_MOST_STEPS):
        slopes = jax.device_get(reduce(_normaliser_slopes, family, dtype.type(level)))
        first, second, third = map(float, slopes)
        relative = deviance * math.exp(-level)
        score = relative - first + p + (second + third) / (first + second)
        # Less what the last term has in the derivative, of the order of one of the n rows.
        step = float(np.clip(score / (relative + second), -2.0, 2.0))
        level += step
        if not abs(step) > tiny:
            break
    return math.exp(level)


def _normaliser_slopes(block: Block, family: Family, level: jax.Array) -> Any:
    """Three derivatives in log phi of the sum over the observations of `log_normaliser`."""
    live = block.rows.weight > 0
    one = jnp.ones_like(block.rows.weight)
    freq = one if block.rows.freq is None else block.rows.freq
    prior = jnp.where(live, block.rows.weight / jnp.where(live, freq, one), one)

    def total(u: jax.Array) -> jax.Array:
        values: Any = family.log_normaliser(jnp.exp(u) / prior)
        return jnp.sum(jnp.where(live, freq * values, jnp.zeros_like(prior)))

    slopes, function = [], total
    for _ in range(3):
        function = _slope_of(function)
        slopes.append(function(level))
    return tuple(slopes)


def _slope_of(function: Any) -> Any:
    return lambda u: jax.jvp(function, (u,), (jnp.ones_like(u),))[1]
