"""Owns the slope of a likelihood in a negative binomial's shape, for whole counts in a table."""

import jax
import jax.numpy as jnp

from jaxglm.families import NegativeBinomial
from jaxglm.sources import Block


def counted_shape_slopes(
    block: Block, family: NegativeBinomial, beta: jax.Array, table: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """First and second derivative of the log-likelihood in log alpha at fixed means.

    Of whole counts y. With t = alpha mu, a row of weight 1 has the log-likelihood
    ``sum(log(1 + alpha j), j < y) - (y + 1 / alpha) log(1 + t)``, less terms without alpha.

    Parameters
    ----------
    table : [2, K]
        Both derivatives of the sum over j, by count.
    """
    rows, alpha = block.rows, family.alpha
    live = rows.weight > 0
    t = alpha * family.link.inverse(block.linear_predictor(beta))
    t = jnp.where(live, t, jnp.ones_like(t))
    share, left = t / (1.0 + t), 1.0 / (1.0 + t)
    gap = _gap(t)
    count = rows.y.astype(jnp.int32)
    slope = table[0][count] + gap / alpha - rows.y * share
    curvature = table[1][count] + (share * share - gap) / alpha - rows.y * share * left

    def total(values: jax.Array) -> jax.Array:
        return block.total(jnp.where(live, rows.weight * values, jnp.zeros_like(values)))

    return total(slope), total(curvature)


# Below this t a series has all digits of log(1 + t) - t / (1 + t), in so many terms.
_SMALL, _TERMS = 0.5, 12


def _gap(t: jax.Array) -> jax.Array:
    """log(1 + t) - t / (1 + t), which is of the size of t^2 where t is small; infinite t apart."""
    small = jnp.minimum(t, _SMALL)
    # log(1 + t) = 2 (s + s^3 / 3 + s^5 / 5 + ...) with s = t / (2 + t).
    s = small / (2.0 + small)
    series = jnp.zeros_like(t)
    for k in reversed(range(1, _TERMS)):
        series = (series + 1.0 / (2 * k + 1)) * (s * s)
    series = small * small / ((2.0 + small) * (1.0 + small)) + 2.0 * s * series
    return jnp.where(t < _SMALL, series, jnp.log1p(t) - t / (1.0 + t))
