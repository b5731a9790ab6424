"""Owns the estimation of the negative binomial's shape, as `MASS::glm.nb` does it.

Coefficients given the shape, and the shape given the means, are solved in turn. The two are
information-orthogonal, so that the alternation converges fast; it ends where the shape is that of
the coefficients. The shape is sought on the log scale by Newton's method.
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
from jaxglm.search._shape_profile import SMALLEST_ALPHA, ShapeProfile, first_log_alpha, in_range
from jaxglm.search._shape_start import near_shape
from jaxglm.sources import Source

_MOST_ROUNDS = 60
_MOST_STEPS = 40
# Coefficients follow a step of log alpha by less standard errors than it has units, and their
# information by a smaller share: after a step as short as this they stay where they are.
_SETTLED = 1e-10


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
    profile = ShapeProfile(problem.source)
    near = near_shape(problem, family, options, profile)
    turns = 0
    if near is not None:
        log_alpha = fitted_at = near.log_alpha
        shaped = _with(family, log_alpha, problem.dtype)
        warm = dataclasses.replace(options, start=np.nan_to_num(near.beta))
        found = estimate(problem, shaped, warm)
        turns = near.turns + found.turns
    if near is None or not found.has_means:
        fitted_at = -math.inf
        shaped = _with(family, fitted_at, problem.dtype)
        found = estimate(problem, shaped, options)
        turns += found.turns
        if not found.has_means:
            return found, shaped, Shape(float("nan"), float("nan"))
        gamma = found.gamma.astype(problem.dtype)
        first = first_log_alpha(found.source, shaped, gamma)
        if first is None:
            return found, shaped, Shape(0.0, float("nan"))
        log_alpha = first

    curvature = float("nan")
    settled = max(_SETTLED, 8 * float(np.finfo(problem.dtype).eps) ** 0.75)
    for _ in range(_MOST_ROUNDS):
        gamma = found.gamma.astype(problem.dtype)
        log_alpha, curvature = _best_log_alpha(profile, found.source, shaped, gamma, log_alpha)
        if not in_range(log_alpha):
            shaped = _with(family, -math.inf, problem.dtype)
            found = estimate(problem, shaped, options, like=found)
            return found.with_turns(turns + found.turns), shaped, _shape(log_alpha, curvature)
        shaped = _with(family, log_alpha, problem.dtype)
        if abs(log_alpha - fitted_at) < settled:
            break
        fitted_at = log_alpha
        warm = dataclasses.replace(options, start=np.nan_to_num(found.beta))
        found = estimate(problem, shaped, warm, like=found)
        turns += found.turns
        if not found.has_means:
            break
    return found.with_turns(turns), shaped, _shape(log_alpha, curvature)


def shape_of_means(
    source: Source, family: NegativeBinomial, gamma: np.ndarray
) -> tuple[NegativeBinomial, Shape]:
    """Maximise the likelihood over the shape alone, at the means of coefficients on a source."""
    shaped = _with(family, -math.inf, source.dtype)
    first = first_log_alpha(source, shaped, gamma)
    if first is None:
        return shaped, Shape(0.0, float("nan"))
    log_alpha, curvature = _best_log_alpha(ShapeProfile(source), source, shaped, gamma, first)
    if not in_range(log_alpha):
        return shaped, _shape(log_alpha, curvature)
    return _with(family, log_alpha, source.dtype), _shape(log_alpha, curvature)


def _with(family: NegativeBinomial, log_alpha: float, dtype: np.dtype) -> NegativeBinomial:
    return dataclasses.replace(family, alpha=dtype.type(math.exp(log_alpha)))


def _shape(log_alpha: float, curvature: float) -> Shape:
    if not in_range(log_alpha):
        # Beyond the upper end no shape is known: counts that are all 0, whose likelihood is the
        # same for each, or counts whose squares overflow.
        return Shape(0.0 if log_alpha < math.log(SMALLEST_ALPHA) else float("nan"), float("nan"))
    alpha = math.exp(log_alpha)
    return Shape(alpha, alpha / math.sqrt(-curvature) if curvature < 0 else float("nan"))


def _best_log_alpha(
    profile: ShapeProfile,
    source: Source,
    family: NegativeBinomial,
    gamma: np.ndarray,
    log_alpha: float,
) -> tuple[float, float]:
    """Newton's method in log alpha at fixed means."""
    curvature = float("nan")
    # It leaves the square of its last step.
    tiny = 2 * float(np.finfo(source.dtype).eps) ** 0.375
    for _ in range(_MOST_STEPS):
        step, curvature = profile.step(source, family, gamma, log_alpha)
        log_alpha += step
        if (curvature < 0 and abs(step) < tiny) or not in_range(log_alpha):
            break
    return log_alpha, curvature
