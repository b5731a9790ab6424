"""Owns the quasi-family of a user's variance function."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from jaxglm._record import static
from jaxglm.families._base import Family, infinite_outside, slope

# Relative errors near 1e-8 where y and mu differ by a factor of a million, and far smaller for a
# thousand, under variances that are powers of mu. The loss has to agree with the exact score to
# more digits than the tolerance of a fit, or the last steps would be refused.
_SPACING = 1 / 16
_N_HALF = 54


def _double_exponential(spacing: float, n_half: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes s and 1 - s in (0, 1), and weights, of the tanh-sinh rule (Takahasi & Mori 1974)."""
    step = spacing * np.arange(-n_half, n_half + 1)
    angle = 0.5 * math.pi * np.sinh(step)
    left = 1.0 / (1.0 + np.exp(-2.0 * angle))
    right = 1.0 / (1.0 + np.exp(2.0 * angle))
    return left, right, spacing * math.pi * np.cosh(step) * left * right


class VarianceFunction(Family):
    """Quasi-family with exact score and weight from a variance function.

    Loss and deviance are quadratures of the quasi-score (t - y)/V(t) from y to mu.
    """

    function: Callable[[Array], Array] = static(kw_only=True)
    mean_domain: tuple[float, float] = static(  # type: ignore[misc]
        default=(-math.inf, math.inf), kw_only=True
    )

    name = "quasi"

    def variance(self, mu: Array) -> Array:
        return self.function(jnp.asarray(mu))

    def unit_deviance(self, y: Array, mu: Array) -> Array:
        # With t = y + s (mu - y): 2 (mu - y)^2 times the integral over (0, 1) of s/V(t). The
        # rule crowds its nodes at both ends, where V is often 0 or much smaller.
        left, right, weights = (
            jnp.asarray(part, jnp.result_type(mu))
            for part in _double_exponential(_SPACING, _N_HALF)
        )
        y, mu = jnp.broadcast_arrays(y, mu)

        def add(i: Array, total: Array) -> Array:
            s, complement = left[i], right[i]
            t = jnp.where(s < 0.5, y + s * (mu - y), mu - complement * (mu - y))
            # Nodes that round to an end where V is 0 carry no weight to speak of.
            variance = self.function(t)
            zero = variance == 0
            return total + weights[i] * jnp.where(zero, 0.0, s / jnp.where(zero, 1.0, variance))

        integral = jax.lax.fori_loop(0, len(weights), add, jnp.zeros_like(mu))
        return 2.0 * jnp.square(mu - y) * integral

    def loss(self, y: Array, eta: Array) -> Array:
        inside, eta = self._guard(eta)
        return infinite_outside(0.5 * self.unit_deviance(y, self.link.inverse(eta)), inside)

    def score(self, y: Array, eta: Array) -> Array:
        _, eta = self._guard(eta)
        mu = self.link.inverse(eta)
        return (mu - y) / self.function(mu) * slope(self.link.inverse, eta)

    def valid_response(self, y: np.ndarray) -> np.ndarray:
        lower, upper = self.mean_domain
        return np.isfinite(y) & (y >= lower) & (y <= upper)

    @property
    def response_rule(self) -> str:  # type: ignore[override]
        """What `valid_response` asks."""
        return f"responses must lie between {self.mean_domain[0]:g} and {self.mean_domain[1]:g}"
