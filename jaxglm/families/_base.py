"""Owns `Family`, the distribution of a response given its mean.

A family holds parameters, never data. The solver sees `loss`, `score` and `fisher_weight`, which
are functions of the response and of the linear predictor eta, so that no mean is ever clipped.
"""

import math
from typing import Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import Record, static
from jaxglm.families._arguments import read_arguments
from jaxglm.links import Identity, Link, slope


class Family(Record):
    """The distribution of a response given its mean, with a link.

    Subclass it to make your own family: give `name`, `mean_domain`, a method `variance(mu)` and
    either `unit_deviance(y, mu)` or `loss(y, eta)`, the negative log-likelihood at dispersion 1.
    A subclass becomes a frozen dataclass. Annotated attributes are its parameters, which may
    change without recompiling.

    Parameters
    ----------
    link : Link or str, default Identity()
        Maps the mean to the linear predictor; by its name, its class or an object.

    Examples
    --------
    The geometric distribution, whose variance is mu + mu^2:

    >>> from jaxglm.links import Log
    >>> class Geometric(Family):
    ...     name = "geometric"
    ...     mean_domain = (0.0, float("inf"))
    ...     dispersion_fixed = True
    ...     def variance(self, mu):
    ...         return mu + mu**2
    ...     def loss(self, y, eta):
    ...         log_mu = self.link.log_inverse(eta)
    ...         return (y + 1) * jnp.logaddexp(0.0, log_mu) - y * log_mu
    >>> Geometric(link=Log())
    Geometric(link=Log())
    >>> round(float(Geometric(link=Log()).score(3.0, 0.0)), 6)
    -1.0
    """

    link: Link = static(default=Identity(), kw_only=True)

    #: Plain name, as in ``family("poisson")``.
    name: ClassVar[str] = "family"
    #: Open interval of possible means.
    mean_domain: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    #: True where the variance has no free factor, so that standard errors take dispersion 1.
    dispersion_fixed: ClassVar[bool] = False
    #: True where `log_likelihood` is given: not for quasi families, a variance without a
    #: distribution.
    has_likelihood: ClassVar[bool] = False
    #: True where, between two means, `log_likelihood` at dispersion 1 differs as `loss` does.
    likelihood_is_loss: ClassVar[bool] = False
    #: Parameters, beyond coefficients, that R's logLik counts.
    n_likelihood_params: ClassVar[int] = 0
    #: What `valid_response` asks, in words, for error messages.
    response_rule: ClassVar[str] = "responses must be finite numbers"

    _canonical_links: ClassVar[tuple[Link, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        generated = "__init__" not in vars(cls)
        super().__init_subclass__(**kwargs)
        read_arguments(cls, generated)
        if cls.unit_deviance is Family.unit_deviance and cls.loss is Family.loss:
            raise TypeError(
                f"family {cls.__name__} needs a method unit_deviance(y, mu) or loss(y, eta)"
            )

    @property
    def is_quadratic(self) -> bool:
        """Whether `loss` is a quadratic function of eta, whose second derivative is 1."""
        return False

    @property
    def canonical(self) -> bool:
        """Whether expected and observed information are the same function of the data."""
        return self.link in self._canonical_links

    def with_link(self, link: Link) -> Self:
        """The same family with another link.

        Examples
        --------
        >>> from jaxglm.families import Poisson
        >>> from jaxglm.links import Sqrt
        >>> Poisson().with_link(Sqrt())
        Poisson(link=Sqrt())
        """
        return self._with(link=link)

    # ------------------------------------------------------------------ on the mean scale
    def variance(self, mu: Array) -> Array:
        """Variance function V(mu): the variance of a response at dispersion 1 and weight 1."""
        raise NotImplementedError(f"family {type(self).__name__} needs a method variance(mu)")

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        """Unit deviance d(y, mu) = 2 integral from y to mu of (t - y)/V(t) dt, 0 at mu = y."""
        return 2.0 * (self.loss(y, self.link.link(mu)) - self.loss(y, self.link.link(y)))

    # ------------------------------------------------------- on the linear predictor scale
    def loss(self, y: Array, eta: Array) -> Array:
        """Negative log-likelihood at dispersion 1 and weight 1, less terms in y alone.

        It is +inf where `eta` lies outside the link's domain, and finite differences of it are
        exact there where the mean underflows, overflows or rounds to the end of its range.
        """
        inside, eta = self._guard(eta)
        return infinite_outside(0.5 * self.unit_deviance(y, self.link.inverse(eta)), inside)

    def score(self, y: Array, eta: Array) -> Array:
        """Derivative of `loss` with respect to eta, (mu - y)/V(mu) dmu/deta."""
        return slope(lambda e: self.loss(y, e), eta)

    def fisher_weight(self, y: Array, eta: Array) -> Array:
        """Expected second derivative of `loss` with respect to eta, (dmu/deta)^2 / V(mu).

        `y` is read for its shape only.
        """
        _, eta = self._guard(eta)
        return slope(self.link.inverse, eta) ** 2 / self.variance(self.link.inverse(eta))

    def _guard(self, eta: Array) -> tuple[Array | None, Array]:
        """Where `eta` lies in the link's domain (None: everywhere), and `eta` made safe elsewhere.

        Outside, methods work at an inner point: a loss of inf with a finite score tells a solver
        to shorten its step, where a nan would end the fit.
        """
        eta = jnp.asarray(eta)
        lower, upper = self.link.domain(self.mean_domain)
        inside = None
        if math.isfinite(lower) or math.isfinite(upper):
            inside = (eta > lower) & (eta < upper)
        if self.link.pole is not None and lower < self.link.pole < upper:
            inside = eta != self.link.pole
        if inside is None:
            return None, eta
        if math.isfinite(lower) and math.isfinite(upper):
            middle = 0.5 * (lower + upper)
        elif math.isfinite(lower):
            middle = lower + 1.0
        else:
            middle = upper - 1.0 if math.isfinite(upper) else 1.0
        return inside, jnp.where(inside, eta, middle)

    # ------------------------------------------------------------- starts and validation
    def initial_mean(self, y: Array, weight: Array) -> Array:
        """A mean to start from for each row: R's ``mustart``, made valid for the link.

        Parameters
        ----------
        y, weight : [n]
            Responses and prior weights; binomial trials are part of the weight. A last axis may be
            that of lanes.
        """
        return self._valid_start(y, y, weight, known=(-math.inf, math.inf))

    def _valid_start(
        self, mu: Array, y: Array, weight: Array, known: tuple[float, float] | None = None
    ) -> Array:
        """Starting means moved into what family and link can give.

        `known` is where all of `mu` is known to lie, by default the family's mean domain.
        """
        known = self.mean_domain if known is None else known
        lower = max(self.mean_domain[0], self.link.mean_range[0])
        upper = min(self.mean_domain[1], self.link.mean_range[1])
        if upper < known[1]:
            mu = jnp.minimum(mu, upper - 0.01)
        if lower > known[0] and math.isfinite(upper):
            return jnp.maximum(mu, lower + 0.01)
        if lower > known[0] or self.link.pole is not None:
            # R stops at a response that the link cannot give. A tenth of the typical size is a
            # start from which Fisher scoring finds the optimum where there is one.
            total = jnp.sum(weight, axis=0)
            size = jnp.sum(weight * jnp.abs(y), axis=0) / jnp.where(total > 0, total, 1.0)
            floor = jnp.where(size > 0, 0.1 * size, 0.1)
            if lower > known[0]:
                return jnp.where(mu > lower, mu, lower + floor)
            return jnp.where(mu == self.link.pole, floor, mu)
        return mu

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        """Whether each response can come from this family (NumPy in, NumPy out)."""
        return np.isfinite(y)

    def for_rows(self, y: np.ndarray, size: np.ndarray | None) -> "Family":
        """The same distribution with less to compute, where the responses are all of a simple kind.

        Parameters
        ----------
        y : [n]
            Responses of the rows that count.
        size : [n] or None
            Prior weights, trials included; None where all are 1.
        """
        return self

    # ------------------------------------------------------------------------ likelihood
    def log_likelihood(
        self, y: Array, mu: Array, weight: Array, scale: Array | float, trials: Array | None = None
    ) -> Array:
        """Log-likelihood of each row, with every constant, as R's ``logLik`` sums it.

        Parameters
        ----------
        y, mu, weight : [n]
            Responses, means and prior weights without trials (dispersion of a row: `scale` /
            weight). Rows of weight 0 get 0.
        scale : scalar
            Dispersion, from `likelihood_scale`; not read where it is fixed at 1.
        trials : [n], optional
            Binomial only: numbers of trials, by default the prior weights.

        Returns
        -------
        [n]
            nan for quasi families.
        """
        return jnp.full_like(jnp.asarray(mu), jnp.nan)

    def log_likelihood_of_deviance(
        self, deviance: float, scale: float, n: float, log_weights: float
    ) -> float | None:
        """The sum of `log_likelihood` over rows from their deviance; None where it takes more.

        Parameters
        ----------
        deviance, scale, n : float
            Deviance, dispersion and number of observations with weight > 0.
        log_weights : float
            Sum of the logarithms of the observations' prior weights.
        """
        return None

    def log_normaliser(self, relative: Array) -> Array:
        """What the likelihood has of the dispersion beside the deviance: a function of its own.

        The log-likelihood of a row is minus half of ``deviance / relative + a(relative)``, less
        terms in y alone; `relative` is the dispersion over the weight of the row. Families that
        estimate the dispersion have it where there is such an a; ``bias="firth"`` needs it.
        """
        raise NotImplementedError(f"family {type(self).__name__} has no log_normaliser(relative)")

    def likelihood_scale(self, deviance: Any, weight_sum: Any, n: Any, pearson_scale: Any) -> Any:
        """Dispersion at which R evaluates ``logLik``, given four facts of a fit.

        Parameters
        ----------
        deviance, weight_sum, n : float
            Deviance, sum of prior weights and number of observations with weight > 0 (not none);
            numbers, or arrays of one for each of many fits.
        pearson_scale : float
            Pearson chi2 over residual degrees of freedom.
        """
        return 1.0 if self.dispersion_fixed else pearson_scale


def infinite_outside(loss: Array, inside: Array | None) -> Array:
    return loss if inside is None else jnp.where(inside, loss, math.inf)


def only_weighted(log_likelihood: Array, weight: Array) -> Array:
    """Zero for rows of weight 0, which are not observations."""
    return jnp.where(weight > 0, log_likelihood, 0.0)
