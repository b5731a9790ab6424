"""Owns the likelihood as a function of the dispersion, for its estimate by maximum likelihood."""

import jax
import jax.numpy as jnp

from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums._final import log_likelihood


def dispersion_slopes(
    block: Block, family: Family, beta: jax.Array, log_scale: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """First and second derivative of the log-likelihood in the log of the dispersion."""
    mean = family.link.inverse(block.linear_predictor(beta))

    def likelihood(log: jax.Array) -> jax.Array:
        return log_likelihood(block, family, mean, jnp.exp(log))

    def slope(log: jax.Array) -> jax.Array:
        return jax.jvp(likelihood, (log,), (jnp.ones_like(log),))[1]

    return jax.jvp(slope, (log_scale,), (jnp.ones_like(log_scale),))
