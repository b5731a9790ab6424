"""Owns the meat of rows that depend on each other, where one block holds all of them: a lane's.

Which rows do is what `Rows.cluster` says: the cluster of each, or its moment.
"""

import jax
import jax.numpy as jnp

from jaxglm.families import Family
from jaxglm.sources import Block
from jaxglm.sums._scores import Rooted, scores_of_rows


def cluster_meat(block: Block, family: Family, at: Rooted) -> jax.Array:
    """Sum over clusters of their scores times themselves, in root coordinates: [q, q]."""
    sums = _sums(block, family, at)
    return sums.T @ sums


def serial_meat(block: Block, family: Family, at: Rooted, lags: jax.Array) -> jax.Array:
    """The sum of Newey and West over so many lags, in root coordinates: [q, q].

    Moments are numbered by time.
    """
    sums = _sums(block, family, at)
    moment = jnp.arange(len(sums))

    def with_lag(lag: jax.Array, total: jax.Array) -> jax.Array:
        earlier = jnp.where(moment[:, None] >= lag, jnp.roll(sums, lag, axis=0), 0.0)
        product = sums.T @ earlier
        return total + (1.0 - lag / (lags + 1.0)) * (product + product.T)

    last = jnp.minimum(lags, len(sums) - 1).astype(jnp.int32)
    return jax.lax.fori_loop(1, last + 1, with_lag, sums.T @ sums)


def _sums(block: Block, family: Family, at: Rooted) -> jax.Array:
    """Scores added up by cluster, [n, q]: there are no more clusters than rows."""
    codes = block.rows.cluster.astype(jnp.int32)
    return jax.ops.segment_sum(scores_of_rows(block, family, at), codes, len(codes))
