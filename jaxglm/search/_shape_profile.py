"""Owns the likelihood of a negative binomial's shape at fixed means: its slope and its curvature.

Of whole counts the part that has the response alone is a sum over the numbers below it, which a
table has for each count; what is left costs a row an exponential and a logarithm. Other responses
take the derivatives of gamma functions, three times as long.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from jaxglm.families import NegativeBinomial
from jaxglm.sources import Block, Source
from jaxglm.sums import counted_shape_slopes, shape_excess, shape_slopes

# Under this alpha the variance exceeds the mean by less than the counts can show, and the
# likelihood is that of the Poisson to more digits than it is known to.
SMALLEST_ALPHA, LARGEST_ALPHA = 1e-9, 1e9
# Of a step in log alpha.
LARGEST_LOG_STEP = 2.0
# Tables up to this count; few tables have others, and theirs would not stay in a core's cache.
_MOST = 1 << 16
_LEAST_LENGTH = 64


class ShapeProfile:
    """First and second derivative of the log-likelihood in log alpha, at fixed means.

    Parameters
    ----------
    source : Source
        The rows, some of which may be asked of as well.
    """

    def __init__(self, source: Source):
        largest = source.scan(_largest, 0.0)
        self._length = 0
        if largest < _MOST:
            # One of few lengths, which programs share.
            self._length = max(_LEAST_LENGTH, 1 << int(largest + 1).bit_length())

    def slopes(
        self, source: Source, family: NegativeBinomial, gamma: np.ndarray, log_alpha: float
    ) -> tuple[float, float]:
        """At the means of coefficients, and a shape."""
        dtype = source.dtype
        shaped = dataclasses.replace(family, alpha=dtype.type(np.exp(log_alpha)))
        if self._length:
            table = self._table(float(np.exp(log_alpha))).astype(dtype)
            slope, curvature = source.reduce(counted_shape_slopes, shaped, gamma, table)
        else:
            slope, curvature = source.reduce(shape_slopes, shaped, gamma)
        return float(slope), float(curvature)

    def step(
        self, source: Source, family: NegativeBinomial, gamma: np.ndarray, log_alpha: float
    ) -> tuple[float, float]:
        """Newton's step in log alpha, held to a factor of e^2, and the curvature there."""
        slope, curvature = self.slopes(source, family, gamma, log_alpha)
        if curvature < 0:
            step = np.clip(-slope / curvature, -LARGEST_LOG_STEP, LARGEST_LOG_STEP)
            return float(step), curvature
        return math.copysign(LARGEST_LOG_STEP, slope), curvature

    def _table(self, alpha: float) -> np.ndarray:
        """Derivatives in log alpha of the sum of log(1 + alpha j) over j below a count, [2, K]."""
        below = alpha * np.arange(self._length - 1)
        parts = np.stack([below / (1 + below), below / (1 + below) ** 2])
        return np.concatenate([np.zeros((2, 1)), np.cumsum(parts, axis=1)], axis=1)


def _largest(known: float, block: Block) -> float:
    """The largest count; infinite where one is no whole number."""
    y = np.asarray(block.rows.y)
    whole = bool((y == np.floor(y)).all())
    return max(known, float(y.max(initial=0.0))) if whole else np.inf


def first_log_alpha(source: Source, family: NegativeBinomial, gamma: np.ndarray) -> float | None:
    """The log alpha of the moments at the means of a Poisson fit; None where it is not above 0."""
    score, excess, squares = map(float, source.reduce(shape_excess, family, gamma))
    return None if score <= 0 else math.log(first_alpha(excess, squares))


def first_alpha(excess: Any, squares: Any, xp: Any = np) -> Any:
    """An alpha to start from: that of the moments; see `shape_excess`."""
    return xp.clip(excess / squares, 1e-3, 1e3)


def in_range(log_alpha: float) -> bool:
    """Whether a shape is one that counts can show."""
    return math.log(SMALLEST_ALPHA) <= log_alpha <= math.log(LARGEST_ALPHA)
