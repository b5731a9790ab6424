"""Owns the passes that make covariances of many fits: what each lane adds up at its estimate."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.lanes._lanes import masked
from jaxglm.sources import Block
from jaxglm.sums import (
    Meat,
    Objective,
    Rooted,
    cluster_meat,
    dispersion_slopes,
    meat,
    observed_gram,
    serial_meat,
)


class LaneEstimate(NamedTuple):
    """The estimate of a lane, design order.

    Attributes
    ----------
    beta : [p]
    root : [p, p]
        Of its inverse information; rows of columns that take no part are zero.
    keep : [p] bool
        Columns that take part.
    lags : int
        Of a serial covariance.
    """

    beta: Any
    root: Any
    keep: Any
    lags: Any


def lane_meat(block: Block, objective: Objective, own: LaneEstimate, power: jax.Array) -> Meat:
    """`meat` of a lane, in root coordinates: [p, p]."""
    return meat(masked(block, own.keep), objective.family, _rooted(own), power)


def lane_clusters(block: Block, objective: Objective, own: LaneEstimate, shared: Any) -> Meat:
    """`cluster_meat` of a lane."""
    rows = masked(block, own.keep)
    return _sound(cluster_meat(rows, objective.family, _rooted(own)))


def lane_serial(block: Block, objective: Objective, own: LaneEstimate, shared: Any) -> Meat:
    """`serial_meat` of a lane."""
    rows = masked(block, own.keep)
    return _sound(serial_meat(rows, objective.family, _rooted(own), own.lags))


def lane_observed(block: Block, objective: Objective, own: LaneEstimate, shared: Any) -> Meat:
    """`observed_gram` of a lane."""
    return _sound(observed_gram(masked(block, own.keep), objective.family, _rooted(own)))


class LaneDispersion(NamedTuple):
    """The estimate of a lane with the logarithm of a dispersion."""

    beta: Any
    keep: Any
    log: Any


def lane_slopes(
    block: Block, objective: Objective, own: LaneDispersion, shared: Any
) -> tuple[jax.Array, jax.Array]:
    """`dispersion_slopes` of a lane."""
    return dispersion_slopes(masked(block, own.keep), objective.family, own.beta, own.log)


def _rooted(own: LaneEstimate) -> Rooted:
    return Rooted(own.beta, own.root)


def _sound(matrix: Any) -> Meat:
    return Meat(matrix, jnp.zeros((), matrix.dtype))
