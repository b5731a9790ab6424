"""Owns per-row functions of NumPy arrays, one compiled program for each function and family."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._jax import computing
from jaxglm._programs import program
from jaxglm._tuning import tuning
from jaxglm.designs import bucket
from jaxglm.words import FloatArray


def by_row(function: Callable[..., Any], family: Any, *arrays: FloatArray) -> FloatArray:
    """`function(family, *arrays)` row by row, in float64 whatever the global setting.

    Rows are padded to a bucket by repeating the last one: neighbouring sizes compile nothing new.
    The function is one of a module, since it names the program.
    """
    n = len(arrays[0])
    if n == 0:
        return np.zeros(0)
    padding = (0, bucket(max(n, tuning().fewest_rows)) - n)
    with computing():
        padded = [np.pad(np.asarray(a, float), padding, mode="edge") for a in arrays]
        return np.asarray(_evaluated(family, *padded, function=function))[:n]


def _few(family: Any, first: np.ndarray, *_: Any) -> bool:
    return first.size <= tuning().small_cells


@program(quick=_few, static_argnames=("function",))
def _evaluated(family: Any, *arrays: jax.Array, function: Callable[..., Any]) -> jax.Array:
    return function(family, *arrays)


def means(family: Any, eta: FloatArray) -> FloatArray:
    """Means of linear predictors."""
    return by_row(_mean, family, eta)


def mean_slope(family: Any, eta: FloatArray) -> FloatArray:
    """Derivative d mu / d eta, the factor of the delta method from link scale to response scale."""
    return by_row(_slope, family, eta)


def is_probability(family: Any) -> bool:
    """Whether the mean is a probability."""
    return tuple(family.mean_domain) == (0.0, 1.0)


def _mean(family: Any, eta: jax.Array) -> jax.Array:
    return family.link.inverse(eta)


def _slope(family: Any, eta: jax.Array) -> jax.Array:
    tangent = jnp.ones_like(eta)
    if is_probability(family):
        # mu * d log mu keeps its digits where mu rounds to one.
        log_mean, d_log = jax.jvp(family.link.log_inverse, (eta,), (tangent,))
        return jnp.exp(log_mean) * d_log
    return jax.jvp(family.link.inverse, (eta,), (tangent,))[1]
