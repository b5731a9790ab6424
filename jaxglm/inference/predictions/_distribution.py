"""Owns the distribution of responses given their means, to draw from and to take quantiles of."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.families import (
    Binomial,
    Family,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Tweedie,
)
from jaxglm.words import FloatArray

# A Poisson number is farther than 8 (1 + sqrt(rate)) from its rate once in 1e14 draws.
_NUMBERS = 8.0


@dataclasses.dataclass(frozen=True)
class Law:
    """A distribution of SciPy's for each row, of the response times `size`.

    Attributes
    ----------
    frozen : frozen distribution of scipy.stats
        Of counts: successes among the trials, or a sum over as many observations as the weight.
    size : array
        1 where the response is what is distributed so.
    whole : bool
        Whether it takes whole numbers only.
    """

    frozen: Any
    size: np.ndarray
    whole: bool = False

    def draw(self, rng: np.random.Generator) -> FloatArray:
        """A response of each row."""
        return self.frozen.rvs(random_state=rng) / self.size

    def below(self, u: FloatArray) -> FloatArray:
        """The probability of a response times `size` up to u."""
        return self.frozen.cdf(u)

    def above(self, u: FloatArray) -> FloatArray:
        """The probability of a larger one, with the digits that a difference would lose."""
        return self.frozen.sf(u)

    @property
    def spread(self) -> FloatArray:
        """The standard deviation of the response times `size`."""
        return self.frozen.std()


@dataclasses.dataclass(frozen=True)
class Compound:
    """A Poisson number of gamma amounts for each row, which is Tweedie's for 1 < p < 2.

    Jorgensen (1987, JRSS B 49, 127-162): rate ``mu^(2-p) / (phi (2-p))``, and amounts of shape
    ``(2-p) / (p-1)`` and scale ``phi (p-1) mu^(p-1)``.
    """

    rate: FloatArray
    shape: float
    amount: FloatArray
    size = np.ones(())
    whole = False

    def draw(self, rng: np.random.Generator) -> FloatArray:
        """A response of each row, exact zeros among them."""
        # The sum of k amounts is gamma with k times the shape, and 0 for k = 0.
        return rng.gamma(self.shape * rng.poisson(self.rate)) * self.amount

    def below(self, u: FloatArray) -> FloatArray:
        """The probability of a response up to u: a sum over the number of amounts."""
        from scipy import special

        around = _NUMBERS * (1 + np.sqrt(self.rate))
        first = np.maximum(np.floor(self.rate - around), 1.0)
        terms = np.max(self.rate + around - first, initial=0.0)
        total = np.where(u >= 0, np.exp(-self.rate), 0.0)
        for j in range(int(terms) + 1):
            k = first + j
            chance = np.exp(special.xlogy(k, self.rate) - self.rate - special.gammaln(k + 1))
            total += chance * special.gammainc(self.shape * k, np.maximum(u / self.amount, 0.0))
        return total

    def above(self, u: FloatArray) -> FloatArray:
        """The probability of a larger one."""
        return 1.0 - self.below(u)

    @property
    def spread(self) -> FloatArray:
        """The standard deviation of the response."""
        return np.sqrt(self.rate * self.shape * (self.shape + 1)) * self.amount


def law(family: Family, mean: Any, dispersion: Any, weight: Any) -> Law | Compound:
    """The distribution of responses.

    Parameters
    ----------
    family : Family
    mean : array
    dispersion : float
        1 where the family fixes it: with another, by ``scale=``, there is no likelihood.
    weight : array, which broadcasts
        Prior weight, trials included. The dispersion of a row is divided by it; a count is the
        average of as many.

    Raises
    ------
    DataError
        Where the family has none, or none with this dispersion.
    """
    given = _LAWS.get(type(family))
    if given is None:
        raise DataError(_no_law(family))
    if not has_law(family, dispersion):
        raise DataError(
            f"with scale= the model says how large the variance of a {family.name} response is, "
            "and no distribution follows from that: there is nothing to draw from. Fit without "
            f"scale=, or take a family that varies so{_instead(family)}"
        )
    if not family.dispersion_fixed and not np.isfinite(dispersion):
        raise DataError(
            "the dispersion is unknown, as without residual degrees of freedom, and with it how "
            "responses vary about their means"
        )
    mean, weight = np.asarray(mean, float), np.asarray(weight, float)
    return given(family, mean, dispersion, weight)


def has_law(family: Family, dispersion: float) -> bool:
    """Whether responses have a distribution known here; counts with ``scale=`` have none."""
    return type(family) in _LAWS and (not family.dispersion_fixed or dispersion == 1)


def check_sizes(family: Family, weight: np.ndarray) -> None:
    """Refuse a binomial response of rows that stand for no whole number of trials."""
    odd = (weight != np.round(weight)) & (weight > 0)
    if isinstance(family, Binomial) and odd.any():
        raise DataError(
            "a binomial response is a share of a whole number of trials, and trials times weight "
            f"are none in {io.rows_text(odd)}"
        )


def _instead(family: Family) -> str:
    return ", as family='negative_binomial'" if isinstance(family, Poisson) else ""


def _no_law(family: Family) -> str:
    if type(family).has_likelihood:
        return f"the family {family.name} is none whose distribution is known here"
    return (
        f"the family {family.name} says how the variance follows the mean, and no distribution "
        "follows from that: there is nothing to draw from. bootstrap() draws observations again"
    )


def _gaussian(family: Any, mean: np.ndarray, dispersion: float, weight: np.ndarray) -> Law:
    from scipy import stats

    return Law(stats.norm(mean, np.sqrt(dispersion / weight)), np.ones(()))


def _gamma(family: Any, mean: np.ndarray, dispersion: float, weight: np.ndarray) -> Law:
    from scipy import stats

    shape = weight / dispersion
    return Law(stats.gamma(shape, scale=mean / shape), np.ones(()))


def _inverse_gaussian(family: Any, mean: np.ndarray, dispersion: float, weight: np.ndarray) -> Law:
    from scipy import stats

    shape = weight / dispersion
    return Law(stats.invgauss(mean / shape, scale=shape), np.ones(()))


def _binomial(family: Any, mean: np.ndarray, dispersion: float, weight: np.ndarray) -> Law:
    from scipy import stats

    # Draws take whole numbers of trials only, and of these none is missing.
    trials = weight if np.isnan(weight).any() else np.round(weight).astype(int)
    return Law(stats.binom(trials, mean), weight, whole=True)


def _poisson(family: Any, mean: np.ndarray, dispersion: float, weight: np.ndarray) -> Law:
    from scipy import stats

    return Law(stats.poisson(weight * mean), weight, whole=True)


def _negative_binomial(family: Any, mean: np.ndarray, dispersion: float, weight: np.ndarray) -> Law:
    from scipy import stats

    if family.alpha == 0:
        return _poisson(family, mean, dispersion, weight)
    frozen = stats.nbinom(weight / family.alpha, 1 / (1 + family.alpha * mean))
    return Law(frozen, weight, whole=True)


def _tweedie(
    family: Any, mean: np.ndarray, dispersion: float, weight: np.ndarray
) -> Law | Compound:
    p = float(family.power)
    known = {0.0: _gaussian, 2.0: _gamma, 3.0: _inverse_gaussian}
    if p in known:
        return known[p](family, mean, dispersion, weight)
    if p == 1:
        return _poisson(family, mean, 1.0, weight / dispersion)
    if p > 2:
        raise DataError(f"responses of a Tweedie family of power {p:g} cannot be drawn")
    phi = dispersion / weight
    return Compound(
        rate=mean ** (2 - p) / (phi * (2 - p)),
        shape=(2 - p) / (p - 1),
        amount=phi * (p - 1) * mean ** (p - 1),
    )


_LAWS: dict[type[Family], Callable[[Any, np.ndarray, float, np.ndarray], Law | Compound]] = {
    Gaussian: _gaussian,
    Gamma: _gamma,
    InverseGaussian: _inverse_gaussian,
    Binomial: _binomial,
    Poisson: _poisson,
    NegativeBinomial: _negative_binomial,
    Tweedie: _tweedie,
}
