"""Owns the likelihood as a function of the power of a Tweedie variance."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxglm.families import Tweedie
from jaxglm.sources import Block
from jaxglm.sums._final import log_likelihood


def power_likelihood(block: Block, family: Tweedie, beta: jax.Array, scale: jax.Array) -> jax.Array:
    """The log-likelihood at a dispersion."""
    mean = family.link.inverse(block.linear_predictor(beta))
    return log_likelihood(block, family, mean, scale)


def power_slope(block: Block, family: Tweedie, beta: jax.Array, scale: jax.Array) -> jax.Array:
    """Its derivative in the power, at fixed means and dispersion."""
    power = jnp.asarray(family.power, scale.dtype)

    def likelihood(power: jax.Array) -> jax.Array:
        return power_likelihood(block, dataclasses.replace(family, power=power), beta, scale)

    return jax.jvp(likelihood, (power,), (jnp.ones_like(power),))[1]
