"""Owns the link functions, the map between a mean and a linear predictor. Imports `_special` only.

Conventions: mu is a mean, eta = g(mu) a linear predictor. Every method is elementwise, follows the
dtype of its argument and can be differentiated twice by jax.
"""

# Methods are documented once, on the base class.
# ruff: noqa: D102

import functools
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from jaxglm import _special
from jaxglm._pytree import Record, static


class Link(Record):
    """A link function eta = g(mu); subclass it, with `link` and `inverse`, to make your own.

    A subclass becomes a frozen dataclass: annotated attributes are its parameters. Links are
    hashable and compare by value.

    Examples
    --------
    The folded fourth root, a link of one's own:

    >>> class FourthRoot(Link):
    ...     name = "fourth_root"
    ...     def link(self, mu):
    ...         return jnp.sqrt(jnp.sqrt(mu))
    ...     def inverse(self, eta):
    ...         return eta**4
    >>> float(FourthRoot().inverse(2.0))
    16.0
    >>> FourthRoot().domain((0.0, float("inf")))
    (0.0, inf)
    """

    _all_static: ClassVar[bool] = True

    #: Plain name, as in ``family("binomial", link="logit")``.
    name: ClassVar[str] = "link"
    #: The means that the link can give, where they are not all real numbers.
    mean_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    #: The linear predictors of those means, where known: it saves a compiled call of `link`.
    eta_range: ClassVar[tuple[float, float] | None] = None
    #: An inner point of eta at which the mean is infinite.
    pole: ClassVar[float | None] = None

    def link(self, mu: Array) -> Array:
        """The linear predictor eta = g(mu)."""
        raise NotImplementedError(f"{type(self).__name__} needs a method link(mu)")

    def inverse(self, eta: Array) -> Array:
        """The mean mu = g^-1(eta)."""
        raise NotImplementedError(f"{type(self).__name__} needs a method inverse(eta)")

    def log_inverse(self, eta: Array) -> Array:
        """Log of mu, to full relative precision where the mean underflows or rounds to 1."""
        return jnp.log(self.inverse(eta))

    def log_complement(self, eta: Array) -> Array:
        """Log of 1 - mu, to full relative precision where the mean is tiny or rounds to 1."""
        return jnp.log1p(-self.inverse(eta))

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        """The power mu ** exponent, without forming mu where the link makes that possible."""
        return self.inverse(eta) ** _whole(exponent)

    def domain(self, mean_domain: tuple[float, float]) -> tuple[float, float]:
        """The open interval of eta that gives means inside `mean_domain`.

        Parameters
        ----------
        mean_domain : tuple of float
            Open interval of means, for instance (0, inf) for counts.

        Returns
        -------
        tuple of float
            (-inf, inf) where the ends of `mean_domain` have no image under the link.

        Examples
        --------
        >>> Log().domain((0.0, 1.0))
        (-inf, 0.0)
        """
        return _domain(self, tuple(mean_domain))


@functools.cache
def _domain(link: Link, mean_domain: tuple[float, float]) -> tuple[float, float]:
    ends = (
        max(mean_domain[0], link.mean_range[0]),
        min(mean_domain[1], link.mean_range[1]),
    )
    if ends == link.mean_range and link.eta_range is not None:
        return link.eta_range
    # Asked inside compiled functions too, where an operation on constants would be traced.
    with jax.ensure_compile_time_eval():
        lower, upper = sorted(float(link.link(jnp.asarray(float(end)))) for end in ends)
    if math.isnan(lower) or math.isnan(upper) or not lower < upper:
        return -math.inf, math.inf
    return lower, upper


def _whole(exponent: Any) -> Any:
    """The exponent as an int where it is a whole number: jax multiplies then, exactly."""
    if isinstance(exponent, float) and exponent.is_integer():
        return int(exponent)
    return exponent


class Identity(Link):
    """eta = mu.

    Examples
    --------
    >>> float(Identity().inverse(0.25))
    0.25
    """

    name = "identity"

    def link(self, mu: Array) -> Array:
        return jnp.asarray(mu)

    def inverse(self, eta: Array) -> Array:
        return jnp.asarray(eta)


class Log(Link):
    """eta = log(mu); coefficients are logarithms of ratios of means.

    Examples
    --------
    >>> float(Log().inverse(0.0))
    1.0
    """

    name = "log"
    mean_range = (0.0, math.inf)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.log(mu)

    def inverse(self, eta: Array) -> Array:
        return jnp.exp(eta)

    def log_inverse(self, eta: Array) -> Array:
        return jnp.asarray(eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log1mexp(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.exp(_whole(exponent) * eta)


class Logit(Link):
    """eta = log(mu / (1 - mu)); coefficients are logarithms of odds ratios.

    Examples
    --------
    >>> float(Logit().inverse(0.0))
    0.5
    >>> float(Logit().log_inverse(-1000.0))
    -1000.0
    """

    name = "logit"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.log(mu) - jnp.log1p(-mu)

    def inverse(self, eta: Array) -> Array:
        return _special.sigmoid(eta)

    def log_inverse(self, eta: Array) -> Array:
        return _special.log_sigmoid(eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log_sigmoid(-eta)


class Probit(Link):
    """eta = Phi^-1(mu), Phi the standard normal distribution function.

    Examples
    --------
    >>> round(float(Probit().inverse(1.959964)), 4)
    0.975
    """

    name = "probit"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jax.scipy.special.ndtri(mu)

    def inverse(self, eta: Array) -> Array:
        return _special.normal_cdf(eta)

    def log_inverse(self, eta: Array) -> Array:
        return _special.log_normal_cdf(eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log_normal_cdf(-eta)


class CLogLog(Link):
    """eta = log(-log(1 - mu)), complementary log-log; coefficients are log hazard ratios.

    Examples
    --------
    >>> round(float(CLogLog().inverse(0.0)), 4)
    0.6321
    """

    name = "cloglog"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.log(-jnp.log1p(-mu))

    def inverse(self, eta: Array) -> Array:
        return -jnp.expm1(-_special.bounded_exp(eta))

    def log_inverse(self, eta: Array) -> Array:
        return _special.log_gumbel(eta)

    def log_complement(self, eta: Array) -> Array:
        return -jnp.exp(eta)


class LogLog(Link):
    """eta = -log(-log(mu)), the mirror image of the complementary log-log.

    Examples
    --------
    >>> round(float(LogLog().inverse(0.0)), 4)
    0.3679
    """

    name = "loglog"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        return -jnp.log(-jnp.log(mu))

    def inverse(self, eta: Array) -> Array:
        return jnp.exp(-_special.bounded_exp(-eta))

    def log_inverse(self, eta: Array) -> Array:
        return -jnp.exp(-eta)

    def log_complement(self, eta: Array) -> Array:
        return _special.log_gumbel(-eta)


class Cauchit(Link):
    """eta = tan(pi (mu - 1/2)), the quantile function of the Cauchy distribution.

    Examples
    --------
    >>> round(float(Cauchit().inverse(1.0)), 4)
    0.75
    """

    name = "cauchit"
    mean_range = (0.0, 1.0)
    eta_range = (-math.inf, math.inf)

    def link(self, mu: Array) -> Array:
        # Through the nearer end, so that a tail probability keeps its digits.
        near = jnp.minimum(mu, 1.0 - mu)
        return jnp.where(mu < 0.5, -1.0, 1.0) / jnp.tan(math.pi * near)

    def inverse(self, eta: Array) -> Array:
        tail = self._tail(eta)
        return jnp.where(eta < 0, tail, 1.0 - tail)

    def log_inverse(self, eta: Array) -> Array:
        tail = self._tail(eta)
        return jnp.where(eta < 0, jnp.log(tail), jnp.log1p(-tail))

    def log_complement(self, eta: Array) -> Array:
        return self.log_inverse(-eta)

    def _tail(self, eta: Array) -> Array:
        """The smaller of mu and 1 - mu."""
        # Not abs(eta), whose derivative at 0 is 0.
        size = jnp.where(eta < 0, -eta, eta)
        beyond = size > 1.0
        angle = jnp.arctan(jnp.where(beyond, 1.0 / jnp.where(beyond, size, 1.0), size)) / math.pi
        return jnp.where(beyond, angle, 0.5 - angle)


class Power(Link):
    """eta = mu ** exponent, for positive means.

    Parameters
    ----------
    exponent : float
        Any number but 0; its limit there is `Log`.

    Raises
    ------
    ValueError
        If `exponent` is 0 or not finite.

    Examples
    --------
    >>> round(float(Power(0.25).inverse(2.0)), 6)
    16.0
    """

    exponent: float = static()

    name = "power"
    mean_range = (0.0, math.inf)

    def __post_init__(self) -> None:
        if self.exponent == 0 or not math.isfinite(self.exponent):
            raise ValueError(
                f"Power(exponent={self.exponent}): the exponent must be a finite number other "
                "than 0; the link of exponent 0 is Log()"
            )

    def link(self, mu: Array) -> Array:
        return jnp.asarray(mu) ** _whole(self.exponent)

    def inverse(self, eta: Array) -> Array:
        return self.inverse_power(eta, 1)

    def log_inverse(self, eta: Array) -> Array:
        return jnp.log(eta) / self.exponent

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.asarray(eta) ** _whole(exponent / self.exponent)


class Inverse(Link):
    """eta = 1/mu, canonical for the gamma family.

    Examples
    --------
    >>> float(Inverse().inverse(4.0))
    0.25
    """

    name = "inverse"
    pole = 0.0

    def link(self, mu: Array) -> Array:
        return 1.0 / jnp.asarray(mu)

    def inverse(self, eta: Array) -> Array:
        return 1.0 / jnp.asarray(eta)

    def log_inverse(self, eta: Array) -> Array:
        return -jnp.log(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.asarray(eta) ** _whole(-exponent)


class InverseSquared(Link):
    """eta = 1/mu^2, canonical for the inverse Gaussian family (R's ``"1/mu^2"``).

    Examples
    --------
    >>> float(InverseSquared().inverse(4.0))
    0.5
    """

    name = "inverse_squared"
    mean_range = (0.0, math.inf)

    def link(self, mu: Array) -> Array:
        return 1.0 / jnp.square(mu)

    def inverse(self, eta: Array) -> Array:
        return 1.0 / jnp.sqrt(eta)

    def log_inverse(self, eta: Array) -> Array:
        return -0.5 * jnp.log(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.sqrt(eta) ** _whole(-exponent)


class Sqrt(Link):
    """eta = sqrt(mu), which makes the variance of a count nearly constant.

    Examples
    --------
    >>> float(Sqrt().inverse(3.0))
    9.0
    """

    name = "sqrt"
    mean_range = (0.0, math.inf)

    def link(self, mu: Array) -> Array:
        return jnp.sqrt(mu)

    def inverse(self, eta: Array) -> Array:
        return jnp.square(eta)

    def log_inverse(self, eta: Array) -> Array:
        return 2.0 * jnp.log(eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        return jnp.asarray(eta) ** _whole(2 * exponent)
