"""Owns `Quasi`, R's `quasi(link, variance)`."""

import math
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import Family
from jaxglm.families._binomial import Binomial
from jaxglm.families._gamma import Gamma
from jaxglm.families._gaussian import Gaussian
from jaxglm.families._inverse_gaussian import InverseGaussian
from jaxglm.families._poisson import Poisson
from jaxglm.families._quadrature import VarianceFunction
from jaxglm.families._wedderburn import Wedderburn
from jaxglm.links import Identity, Link

_NAMED: dict[str, type[Family]] = {
    "constant": Gaussian,
    "mu": Poisson,
    "mu^2": Gamma,
    "mu^3": InverseGaussian,
    "mu(1-mu)": Binomial,
    "mu^2(1-mu)^2": Wedderburn,
}


class Quasi(Family):
    """A variance function and a link, without a distribution; the dispersion is estimated.

    Parameters
    ----------
    variance : str or callable, default "constant"
        ``"constant"``, ``"mu"``, ``"mu^2"``, ``"mu^3"``, ``"mu(1-mu)"`` or ``"mu^2(1-mu)^2"``;
        or a jax function V(mu), elementwise. Give the same function object to models that should
        share a compilation.
    link : Link, default Identity()
        R's default for ``quasi``, whatever the variance.
    mean_domain : tuple of float, optional
        Open interval of possible means. By default (0, 1) where the variance is named so,
        (0, inf) for powers of mu, and all real numbers for "constant" and functions.

    Raises
    ------
    ValueError
        If the variance is not one of the names.

    Notes
    -----
    Score and information are exact. For a function, loss and deviance are quadratures of
    (y - t)/V(t) from y to mu, at some hundred evaluations of the function per row and pass.

    The deviance is infinite at y = 0 for "mu^2" and at y = 0 or 1 for "mu^2(1-mu)^2", where the
    quasi-likelihood has no maximum.

    Examples
    --------
    >>> from jaxglm.links import Log
    >>> family = Quasi("mu^2", link=Log())
    >>> family
    Quasi('mu^2', link=Log())
    >>> float(family.variance(3.0))
    9.0
    >>> Quasi(lambda mu: mu**1.7, link=Log(), mean_domain=(0.0, float("inf"))).mean_domain
    (0.0, inf)
    """

    variance_function: str | Callable[[Array], Array] = static(kw_only=True)
    mean_domain: tuple[float, float] = static(kw_only=True)  # type: ignore[misc]

    name = "quasi"

    def __init__(
        self,
        variance: str | Callable[[Array], Array] = "constant",
        *,
        link: Link = Identity(),  # noqa: B008 (links are immutable)
        mean_domain: tuple[float, float] | None = None,
    ) -> None:
        if isinstance(variance, str):
            variance = variance.replace(" ", "")
            if variance not in _NAMED:
                raise ValueError(
                    f"Quasi(variance={variance!r}): choose one of {', '.join(map(repr, _NAMED))}, "
                    "or give a function of the mean"
                )
        natural = _NAMED[variance].mean_domain if isinstance(variance, str) else None
        domain = mean_domain or natural or (-math.inf, math.inf)
        object.__setattr__(self, "link", link)
        object.__setattr__(self, "variance_function", variance)
        object.__setattr__(self, "mean_domain", tuple(map(float, domain)))

    def __repr__(self) -> str:
        variance, domain = self.variance_function, ""
        if not isinstance(variance, str) or _NAMED[variance].mean_domain != self.mean_domain:
            domain = f", mean_domain={self.mean_domain}"
        return f"Quasi({variance!r}, link={self.link!r}{domain})"

    @property
    def _law(self) -> Family:
        """The family whose mathematics this one borrows."""
        if isinstance(self.variance_function, str):
            return _NAMED[self.variance_function](link=self.link)
        return VarianceFunction(
            function=self.variance_function, mean_domain=self.mean_domain, link=self.link
        )

    @property
    def canonical(self) -> bool:
        """Whether the link is canonical for this variance."""
        return self._law.canonical

    def variance(self, mu: Array) -> Array:
        return self._law.variance(mu)

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        return self._law.unit_deviance(y, mu)

    def loss(self, y: Array, eta: Array) -> Array:
        return self._law.loss(y, eta)

    def score(self, y: Array, eta: Array) -> Array:
        return self._law.score(y, eta)

    def fisher_weight(self, y: Array, eta: Array) -> Array:
        return self._law.fisher_weight(y, eta)

    def initial_mean(self, y: Array, weight: Array) -> Array:
        once = jnp.ones_like(weight)  # as in `Binomial`
        # R's: a zero is moved off the boundary.
        if self.variance_function in ("mu", "mu^2"):
            return self._law.initial_mean(jnp.where(y == 0, 0.1, y), once)
        return self._law.initial_mean(y, once)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        if self.variance_function == "mu^2":
            return (y >= 0) & np.isfinite(y)
        return self._law.valid_response(y)

    @property
    def response_rule(self) -> str:  # type: ignore[override]
        """What `valid_response` asks."""
        if self.variance_function == "mu^2":
            return "responses must be 0 or more"
        return self._law.response_rule
