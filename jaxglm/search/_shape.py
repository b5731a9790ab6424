"""Owns the estimation of the negative binomial's shape, as `MASS::glm.nb` does it.

Coefficients given the shape, and the shape given the means, are solved in turn. The two are
information-orthogonal, so that the alternation converges fast; it ends when neither moves. The
shape is sought on the log scale by Newton's method.
"""

import dataclasses
import math
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from jaxglm.families import Family, NegativeBinomial
from jaxglm.rows import Problem
from jaxglm.search._estimate import Estimate, estimate
from jaxglm.search._reduced import estimate_reduced
from jaxglm.search._settings import Options
from jaxglm.sources import Source
from jaxglm.sums import shape_excess, shape_slopes

# Under this alpha the variance exceeds the mean by less than the counts can show, and the
# likelihood is that of the Poisson to more digits than it is known to.
SMALLEST_ALPHA = 1e-9
LARGEST_ALPHA = 1e9
# Of a step in log alpha.
LARGEST_LOG_STEP = 2.0
_MOST_ROUNDS = 60
_MOST_STEPS = 40


class Shape(NamedTuple):
    """The shape that maximises the likelihood, with its standard error; or those of many fits.

    0 at the boundary; nan where there are no fitted means to estimate it from.
    """

    alpha: Any
    alpha_se: Any


def has_unknown_shape(family: Family) -> TypeGuard[NegativeBinomial]:
    """Whether a fit has a shape to estimate."""
    return isinstance(family, NegativeBinomial) and family.alpha is None


def estimate_all(
    problem: Problem, family: Family, options: Options
) -> tuple[Estimate, Family, Shape | None]:
    """The estimate, the family with all its parameters, and its shape where that was estimated."""
    if options.reduced:
        return estimate_reduced(problem, family, options), family, None
    if has_unknown_shape(family):
        return estimate_shape(problem, family, options)
    return estimate(problem, family, options), family, None


def estimate_shape(
    problem: Problem, family: NegativeBinomial, options: Options
) -> tuple[Estimate, NegativeBinomial, Shape]:
    """Maximise the likelihood over coefficients and shape.

    Parameters
    ----------
    problem : Problem
        The rows, and what their columns are.
    family : NegativeBinomial
        With alpha None.
    options : Options
        For each fit of the coefficients.

    Returns
    -------
    found : Estimate
        Coefficients at the shape.
    family : NegativeBinomial
        With the shape filled in: alpha 0 where the counts are not overdispersed.
    shape : Shape
    """
    shaped = dataclasses.replace(family, alpha=problem.dtype.type(0.0))
    found = estimate(problem, shaped, options)
    turns = found.turns
    gamma = found.gamma.astype(problem.dtype)
    score, excess, squares = map(float, found.source.reduce(shape_excess, shaped, gamma))
    if not found.has_means:
        return found, shaped, Shape(float("nan"), float("nan"))
    if score <= 0:
        return found, shaped, Shape(0.0, float("nan"))

    log_alpha = math.log(first_alpha(excess, squares))
    curvature = float("nan")
    for _ in range(_MOST_ROUNDS):
        before = log_alpha
        gamma = found.gamma.astype(problem.dtype)
        log_alpha, curvature = _best_log_alpha(found.source, shaped, gamma, log_alpha)
        if not _in_range(log_alpha):
            shaped = dataclasses.replace(family, alpha=problem.dtype.type(0.0))
            found = estimate(problem, shaped, options, like=found)
            return found.with_turns(turns + found.turns), shaped, _shape(log_alpha, curvature)
        shaped = dataclasses.replace(family, alpha=problem.dtype.type(math.exp(log_alpha)))
        warm = dataclasses.replace(options, start=np.nan_to_num(found.beta))
        found = estimate(problem, shaped, warm, like=found)
        turns += found.turns
        if abs(log_alpha - before) < 8 * float(np.finfo(problem.dtype).eps) ** 0.75:
            break
        if not found.has_means:
            break
    return found.with_turns(turns), shaped, _shape(log_alpha, curvature)


def shape_of_means(
    source: Source, family: NegativeBinomial, gamma: np.ndarray
) -> tuple[NegativeBinomial, Shape]:
    """Maximise the likelihood over the shape alone, at the means of coefficients on a source."""
    dtype = source.dtype
    shaped = dataclasses.replace(family, alpha=dtype.type(0.0))
    score, excess, squares = map(float, source.reduce(shape_excess, shaped, gamma))
    if score <= 0:
        return shaped, Shape(0.0, float("nan"))
    log_alpha, curvature = _best_log_alpha(
        source, shaped, gamma, math.log(first_alpha(excess, squares))
    )
    if not _in_range(log_alpha):
        return shaped, _shape(log_alpha, curvature)
    shaped = dataclasses.replace(family, alpha=dtype.type(math.exp(log_alpha)))
    return shaped, _shape(log_alpha, curvature)


def first_alpha(excess: Any, squares: Any, xp: Any = np) -> Any:
    """An alpha to start from: that of the moments; see `shape_excess`."""
    return xp.clip(excess / squares, 1e-3, 1e3)


def _in_range(log_alpha: float) -> bool:
    return math.log(SMALLEST_ALPHA) <= log_alpha <= math.log(LARGEST_ALPHA)


def _shape(log_alpha: float, curvature: float) -> Shape:
    if not _in_range(log_alpha):
        # Beyond the upper end no shape is known: counts that are all 0, whose likelihood is the
        # same for each, or counts whose squares overflow.
        return Shape(0.0 if log_alpha < math.log(SMALLEST_ALPHA) else float("nan"), float("nan"))
    alpha = math.exp(log_alpha)
    return Shape(alpha, alpha / math.sqrt(-curvature) if curvature < 0 else float("nan"))


def _best_log_alpha(
    source: Source, family: NegativeBinomial, gamma: np.ndarray, log_alpha: float
) -> tuple[float, float]:
    """Newton's method in log alpha at fixed means; a step is held to a factor of e^2."""
    dtype = source.dtype
    curvature = float("nan")
    for _ in range(_MOST_STEPS):
        shaped = dataclasses.replace(family, alpha=dtype.type(math.exp(log_alpha)))
        slope, curvature = map(float, source.reduce(shape_slopes, shaped, gamma))
        if curvature < 0:
            step = float(np.clip(-slope / curvature, -LARGEST_LOG_STEP, LARGEST_LOG_STEP))
        else:
            step = math.copysign(LARGEST_LOG_STEP, slope)
        log_alpha += step
        # Newton's method leaves the square of this; a pass of this kind costs as much as a fit's.
        tiny = 2 * float(np.finfo(dtype).eps) ** 0.375
        if (curvature < 0 and abs(step) < tiny) or not _in_range(log_alpha):
            break
    return log_alpha, curvature
