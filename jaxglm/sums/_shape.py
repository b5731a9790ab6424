"""Owns what coefficients share with a negative binomial's shape, in root coordinates."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxglm.designs import in_root
from jaxglm.families import NegativeBinomial
from jaxglm.sources import Block
from jaxglm.sums._scores import Rooted


def shape_cross(block: Block, family: NegativeBinomial, at: Rooted) -> jax.Array:
    """Second derivatives of minus the log-likelihood in the coefficients and in log alpha.

    In the coordinates of a root, [q]; beside these the levels of an eliminated factor, which lack
    their entries of the root's diagonal, where it has one.
    """
    eta, rows = block.linear_predictor(at.beta), block.rows

    def pull(log_alpha: jax.Array) -> jax.Array:
        return dataclasses.replace(family, alpha=jnp.exp(log_alpha)).score(rows.y, eta)

    log_alpha = jnp.log(jnp.asarray(family.alpha, eta.dtype))
    _, change = jax.jvp(pull, (log_alpha,), (jnp.ones_like(log_alpha),))
    along = block.design.matvec(at.dense)
    columns = in_root(block.design, along, levels=at.diagonal is not None)
    return columns.rmatvec(jnp.where(rows.live, rows.weight * change, jnp.zeros_like(change)))
