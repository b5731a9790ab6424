"""Owns the contract of a link: the map between a mean and a linear predictor.

Conventions: mu is a mean, eta = g(mu) a linear predictor. Every method is elementwise, follows the
dtype of its argument and can be differentiated twice by jax.
"""

import functools
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from jaxglm._record import Record


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
    #: Whether the linear predictor is in a unit of the response, as a power of it is.
    has_unit: ClassVar[bool] = False
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

    def log_rates(self, eta: Array) -> tuple[Array, Array]:
        """Derivatives of log mu and of log(1 - mu) in eta."""
        return slope(self.log_inverse, eta), slope(self.log_complement, eta)

    def inverse_power(self, eta: Array, exponent: Any) -> Array:
        """The power mu ** exponent, without forming mu where the link makes that possible."""
        return self.inverse(eta) ** whole(exponent)

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
        >>> import jaxglm as jg
        >>> jg.Log().domain((0.0, 1.0))
        (-inf, 0.0)
        """
        return _domain(self, tuple(mean_domain))


def slope(function: Any, eta: Array) -> Array:
    """Derivative of an elementwise function at `eta`."""
    eta = jnp.asarray(eta)
    return jax.jvp(function, (eta,), (jnp.ones_like(eta),))[1]


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


def whole(exponent: Any) -> Any:
    """The exponent as an int where it is a whole number: jax multiplies then, exactly."""
    if isinstance(exponent, float) and exponent.is_integer():
        return int(exponent)
    return exponent
