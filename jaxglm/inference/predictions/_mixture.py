"""Owns quantiles of responses whose linear predictor is itself uncertain.

The distribution of a new response is that of the family, mixed over a normal linear predictor:
``F(y) = sum_k w_k F(y | mean(eta + se x_k))``, with equidistant nodes x_k and weights w_k in
proportion to the normal density there. For what is smooth and falls off at both ends no rule does
better than this (Trefethen and Weideman 2014, SIAM Review 56, 385-458), and its nodes may be as
close as responses are spread narrowly, which those of Gauss-Hermite quadrature are not.
"""

import dataclasses
from typing import Any

import numpy as np

from jaxglm.diagnostics import mean_slope, means
from jaxglm.inference.predictions._distribution import Compound, Law, law
from jaxglm.words import FloatArray

# Nodes go so many standard errors to both sides; beyond lies a probability of 1e-10.
_REACH = 6.5
# With nodes as far apart as the narrower of two bells is wide, probabilities are right to 1e-6.
# Where that needs more than the most nodes, a quantile is off by hundredths of a standard error.
_FEWEST, _MOST = 16, 2048
# Numbers at work at a time, rows times nodes: 32 MiB.
_MOST_NUMBERS = 1 << 22
_MOST_DOUBLINGS = 60


@dataclasses.dataclass(frozen=True)
class Mixture:
    """New responses of n rows.

    Attributes
    ----------
    family : Family
    dispersion : float
    weight : [n]
        Prior weights, trials included.
    eta, se : [n]
        Linear predictors and their standard errors, finite.
    """

    family: Any
    dispersion: float
    weight: FloatArray
    eta: FloatArray
    se: FloatArray

    def take(self, rows: Any) -> "Mixture":
        """Some of the rows."""
        vectors = (vector[rows] for vector in (self.weight, self.eta, self.se))
        return Mixture(self.family, self.dispersion, *vectors)

    def means(self, shifts: np.ndarray) -> FloatArray:
        """Means [n, k] at linear predictors moved by so many standard errors, [k] or [n, k]."""
        eta = self.eta[:, None] + self.se[:, None] * shifts
        # What the link cannot invert stands for the edge of the range of the mean.
        eta = np.clip(eta, *self.family.link.domain(self.family.mean_domain))
        return means(self.family, eta.ravel()).reshape(eta.shape)

    def law(self, mean: FloatArray) -> Law | Compound:
        """The distribution of responses with means [n, k]."""
        return law(self.family, mean, self.dispersion, self.weight[:, None])

    def quantiles(self, probabilities: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
        """Quantiles of the mixture: the smallest response with at least that probability below."""
        low, high = np.zeros(self.eta.size), np.zeros(self.eta.size)
        count = self._nodes_needed()
        for k in np.unique(count).tolist():
            some = np.flatnonzero(count == k)
            for part in _parts(some.size, k):
                rows = some[part]
                rule = _Rule(self.take(rows), np.linspace(-_REACH, _REACH, k))
                low[rows], high[rows] = map(rule.quantile, probabilities)
        return low, high

    def _nodes_needed(self) -> np.ndarray:
        """How many nodes each row needs, as one of few numbers."""
        centre = self.law(self.means(np.zeros(1)))
        own = (centre.spread / centre.size)[:, 0]
        with np.errstate(all="ignore"):
            ratio = np.abs(mean_slope(self.family, self.eta)) * self.se / own
        # The bells of the predictor, of width 1, and of the response as one moves it, of 1 / ratio.
        needed = 2 * _REACH * np.sqrt(1 + np.nan_to_num(ratio, posinf=_MOST) ** 2)
        return np.clip(2.0 ** np.ceil(np.log2(needed)), _FEWEST, _MOST).astype(int)


def _parts(n: int, width: int) -> list[slice]:
    step = max(1, _MOST_NUMBERS // width)
    return [slice(first, first + step) for first in range(0, n, step)]


class _Rule:
    """The distribution function of a mixture at its nodes, and where it reaches a probability.

    It is searched along u: counts, the logarithm of a positive response, or the response.
    """

    def __init__(self, rows: Mixture, nodes: FloatArray):
        density = np.exp(-0.5 * nodes**2)
        self._rows, self._mean, self._weights = rows, rows.means(nodes), density / density.sum()
        centre = rows.means(np.zeros(1))
        law_there = rows.law(centre)
        self._whole = law_there.whole
        self._log = not self._whole and rows.family.mean_domain[0] == 0.0
        n = len(centre)
        self._size = np.broadcast_to(law_there.size, (n, 1))[:, 0] if self._whole else np.ones(n)
        self._start = self._along(centre[:, 0] * self._size)
        self._step = np.ones(n) if self._log else law_there.spread[:, 0] + self._whole

    def quantile(self, probability: float) -> FloatArray:
        """The smallest response at which the distribution function is that large, [n]."""
        low, high = self._bracket(probability)
        found = (
            self._whole_between(low, high, probability)
            if self._whole
            else (self._root_between(low, high, probability))
        )
        return (np.exp(found) if self._log else found) / self._size

    def _along(self, response: FloatArray) -> FloatArray:
        if self._whole:
            return np.floor(response)
        return np.log(response) if self._log else response

    def _below(self, u: FloatArray, rows: np.ndarray) -> FloatArray:
        """The probability of a response up to u, of some rows."""
        mean = self._mean[rows]
        with np.errstate(all="ignore"):
            response = np.exp(u) if self._log else u
            at_nodes = self._rows.take(rows).law(mean).below(response[:, None])
        # At the ends of the range of means all responses are there.
        at_nodes = np.where(np.isinf(mean), 0.0, at_nodes)
        if self._log:
            at_nodes = np.where(mean == 0, 1.0, at_nodes)
        return at_nodes @ self._weights

    def _bracket(self, probability: float) -> tuple[FloatArray, FloatArray]:
        """Below and above the quantile; infinite where none is."""
        ends = []
        for sign in (-1.0, 1.0):
            u, step = self._start + sign * self._step, self._step
            rows = np.arange(u.size)
            for _ in range(_MOST_DOUBLINGS):
                reached = self._below(u[rows], rows) >= probability
                rows = rows[reached == (sign < 0)]
                if not rows.size:
                    break
                step = 2 * step
                u[rows] += sign * step[rows]
            u[rows] = sign * np.inf
            ends.append(np.floor(u) if self._whole else u)
        return ends[0], ends[1]

    def _whole_between(self, low: FloatArray, high: FloatArray, probability: float) -> FloatArray:
        rows = np.flatnonzero(np.isfinite(high))
        while (rows := rows[high[rows] - low[rows] > 1]).size:
            middle = np.floor((low[rows] + high[rows]) / 2)
            reached = self._below(middle, rows) >= probability
            high[rows[reached]] = middle[reached]
            low[rows[~reached]] = middle[~reached]
        return high

    def _root_between(self, low: FloatArray, high: FloatArray, probability: float) -> FloatArray:
        from scipy.optimize import elementwise

        found = np.where(np.isinf(low), low, high)
        rows = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
        root = elementwise.find_root(
            lambda u, some: self._below(u, some) - probability,
            (low[rows], high[rows]),
            args=(rows,),
            tolerances={"xatol": 1e-10, "xrtol": 1e-10},
        )
        found[rows] = root.x
        return found
