"""Owns the deviance of rows from means that need not be those of a fit to them."""

from typing import Any

import jax
import numpy as np

from jaxglm.diagnostics._by_row import by_row
from jaxglm.words import FloatArray


def deviance(family: Any, y: FloatArray, mean: FloatArray, weight: FloatArray) -> float:
    """The sum of weight times unit deviance."""
    return float(np.sum(weight * by_row(_unit, family, y, mean)))


def _unit(family: Any, y: jax.Array, mean: jax.Array) -> jax.Array:
    return family.unit_deviance(y, mean)
