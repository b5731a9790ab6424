"""Owns the scales on which effects are measured, as functions of the linear predictor."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.diagnostics._by_row import _mean, _slope, by_row
from jaxglm.words import FloatArray

Function = Callable[[Any, jax.Array], jax.Array]


class Scale(NamedTuple):
    """A function g of the linear predictor with two derivatives; NumPy [n] in, [n] out.

    Attributes
    ----------
    functions : three of (family, eta)
        g, g' and g''.
    """

    functions: tuple[Function, Function, Function]

    def value(self, family: Any, eta: FloatArray) -> FloatArray:
        """g(eta)."""
        return by_row(self.functions[0], family, eta)

    def slope(self, family: Any, eta: FloatArray) -> FloatArray:
        """g'(eta)."""
        return by_row(self.functions[1], family, eta)

    def curvature(self, family: Any, eta: FloatArray) -> FloatArray:
        """g''(eta)."""
        return by_row(self.functions[2], family, eta)


def _rate(function: Function) -> Function:
    """The derivative of an elementwise function."""

    def rate(family: Any, eta: jax.Array) -> jax.Array:
        return jax.jvp(lambda e: function(family, e), (eta,), (jnp.ones_like(eta),))[1]

    return rate


def _log_mean(family: Any, eta: jax.Array) -> jax.Array:
    return family.link.log_inverse(eta)


def _linear(family: Any, eta: jax.Array) -> jax.Array:
    return eta


_mean_curvature = _rate(_slope)
# The logarithm of a negative mean is nan, and its derivative mu'/mu all the same.
_log_slope = _rate(_log_mean)
_log_curvature = _rate(_log_slope)
_linear_slope = _rate(_linear)
_linear_curvature = _rate(_linear_slope)

MEAN = Scale((_mean, _slope, _mean_curvature))
LOG_MEAN = Scale((_log_mean, _log_slope, _log_curvature))
LINEAR = Scale((_linear, _linear_slope, _linear_curvature))
