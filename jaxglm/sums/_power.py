"""Owns the likelihood as a function of the power of a Tweedie variance."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxglm.families import Tweedie
from jaxglm.sources import Block
from jaxglm.sums._final import log_likelihood


def power_slope(
    block: Block, family: Tweedie, beta: jax.Array, scale: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The log-likelihood, and its derivative in the power at fixed means and dispersion."""
    mean = family.link.inverse(block.linear_predictor(beta))

    def likelihood(power: jax.Array) -> jax.Array:
        return log_likelihood(block, dataclasses.replace(family, power=power), mean, scale)

    power = jnp.asarray(family.power, mean.dtype)
    return jax.jvp(likelihood, (power,), (jnp.ones_like(power),))
