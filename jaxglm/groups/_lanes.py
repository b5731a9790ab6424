"""Owns the compiled programs that work on many segments at once, a lane each.

Imports `_drive`, `_final`, `_linalg`, `_moments`, `_programs`, `_rowwise`, `groups._buckets`,
`groups._segments`, solvers, sources, designs and families. The loop in a lane is that of a single
fit.

Segments of similar length share a program: rows are padded to a common size with weight 0. A
program works through blocks of lanes, each of which stops by itself, so that a lane that needs many
turns keeps no more than its block waiting.
"""

import dataclasses
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._drive import run_loop
from jaxglm._final import FinalSums, Middle, final_sums, log_likelihood
from jaxglm._linalg import Factor, factorise, inverse_root, solve
from jaxglm._moments import full_moments
from jaxglm._programs import program
from jaxglm._rowwise import Point
from jaxglm.designs import Masked
from jaxglm.families import Family
from jaxglm.groups._buckets import call_shape, padded_sizes
from jaxglm.groups._segments import Segments
from jaxglm.solvers import Controls, Newton, Outcome
from jaxglm.sources import Block, Resident


class LaneInput(NamedTuple):
    """What a fit in a lane starts from.

    Attributes
    ----------
    at : Point
    controls : Controls
        `residual_df` counts the observations; the program takes off the columns that it finds.
    middle : Middle
    keep : [p] bool
        Columns that take part.
    """

    at: Point
    controls: Controls
    middle: Middle
    keep: Any


class LaneSums(NamedTuple):
    """What a lane leaves.

    Attributes
    ----------
    outcome : Outcome
        How the loop ended.
    sums : FinalSums
        Where it ended; the log-likelihoods are at the family's dispersion.
    decrement : float
        What is left of the distance to the optimum, in standard errors, by the exact sums.
    root : [p, p]
        A root of the inverse information there; nan where that is not positive definite.
    keep : [p] bool
        Columns that took part: those asked for that are not zero in all rows that count.
    """

    outcome: Outcome
    sums: FinalSums
    decrement: Any
    root: Any
    keep: Any


def fit_lane(block: Block, family: Family, given: LaneInput) -> LaneSums:
    """The loop of one segment."""
    live = block.weight > 0
    seen = (block.design.dense(block.y.dtype) != 0) & live[:, None]
    keep = given.keep & jnp.any(seen, axis=0)
    rows = masked(block, keep)
    source = Resident(jax.tree.map(lambda leaf: leaf[None], rows))
    observations = given.controls.residual_df
    df = observations - jnp.sum(keep)
    left = jnp.where(observations > 0, jnp.maximum(df, 1.0), 0.0)
    outcome, sums = run_loop(
        source,
        family,
        given.at._replace(beta=given.at.beta * keep),
        given.controls._replace(residual_df=left),
        given.middle,
        solver=Newton(),
        kernel=full_moments,
        final=final_sums,
    )
    sums = _with_likelihoods(rows, family, outcome.settled, given.middle, sums, df)
    factor = factorise(sums.info, jnp.zeros_like(sums.deviance))
    return LaneSums(
        outcome, sums, _distance(sums, factor, left), inverse_root(factor) * keep[:, None], keep
    )


def masked(block: Block, keep: Any) -> Block:
    """The block with dense columns, of which those take part where `keep` ([p]) holds."""
    values = block.design.dense(block.y.dtype)
    return dataclasses.replace(block, design=Masked.of(values, keep))


def _with_likelihoods(
    rows: Block, family: Family, beta: Any, middle: Middle, sums: FinalSums, df: Any
) -> FinalSums:
    """The sums with the log-likelihoods at an estimated dispersion, where they can be had here."""
    if family.dispersion_fixed or not family.has_likelihood or family.likelihood_on_host:
        return sums
    live = rows.weight > 0
    nobs = jnp.sum(live if rows.freq is None else jnp.where(live, rows.freq, 0.0))
    scale = jnp.where(df > 0, sums.pearson / df, jnp.nan)

    def at(mean: Any, deviance: Any) -> Any:
        own = family.likelihood_scale(deviance, jnp.sum(rows.weight), nobs, scale)
        value = log_likelihood(rows, family, mean, own)
        return jnp.where(jnp.isfinite(own), value, jnp.nan)

    fitted = at(family.link.inverse(rows.linear_predictor(beta)), sums.deviance)
    null = at(middle.null_means(rows, family), sums.null_deviance)
    return sums._replace(
        log_likelihood=fitted, null_log_likelihood=jnp.where(jnp.isnan(fitted), fitted, null)
    )


def _distance(sums: FinalSums, factor: Factor, df: Any) -> Any:
    """The Newton decrement of the exact sums."""
    squared = jnp.dot(sums.score, solve(factor, sums.score))
    scale = jnp.where(df > 0, sums.pearson / jnp.where(df > 0, df, 1.0), 1.0)
    return jnp.sqrt(jnp.maximum(squared, 0.0) / jnp.where(scale > 0, scale, 1.0))


@program(static_argnames=("function",))
def _on_lanes(
    blocks: Block, common: Block | None, family: Family, args: Any, *, function: Callable
) -> Any:
    """A function of every lane; leaves of what goes in and out lead with axes [blocks, lanes].

    What the blocks leave out is `common` to all lanes.
    """
    lanes = jax.vmap(lambda block, own: function(block.beside(common), family, own))
    return jax.lax.map(lambda block: lanes(*block), (blocks, args))


def over_lanes(
    function: Callable,
    segments: Segments,
    family: Family,
    which: np.ndarray,
    args: Any,
    *,
    max_memory: float,
) -> Iterator[tuple[np.ndarray, Any]]:
    """`function(block, family, own)` of some segments, those of similar size in one program.

    Parameters
    ----------
    function : callable
        Of a traced block, the family, and what differs from lane to lane; the same object at each
        call, for it names the program.
    segments : Segments
    family : Family
        With all parameters known.
    which : [k] int
        The segments, none of them empty.
    args : pytree
        Leaves have a leading axis of k.
    max_memory : float
        Bytes that the rows in work may take.

    Yields
    ------
    some : [m] int
        Positions in `which`, in any order; each comes once.
    found : pytree
        What the function returned, on the host, with a leading axis of m.
    """
    if which.size == 0:
        return
    sizes = padded_sizes(segments.sizes[which])
    for size in np.unique(sizes):
        some = np.flatnonzero(sizes == size)
        yield from _of_size(function, segments, family, which, some, args, int(size), max_memory)


def _of_size(
    function: Callable,
    segments: Segments,
    family: Family,
    which: np.ndarray,
    places: np.ndarray,
    args: Any,
    size: int,
    max_memory: float,
) -> Iterator[tuple[np.ndarray, Any]]:
    """The segments of one size, in calls of one shape, on all cores or all devices."""
    problem, devices = segments.problem, jax.local_devices()
    workers = (os.cpu_count() or 1) if devices[0].platform == "cpu" else len(devices)
    numbers = max_memory / problem.dtype.itemsize
    shape = call_shape(size, problem.n_columns, places.size, workers, numbers)
    lanes = shape[0] * shape[1]
    common = segments.common(size)

    def run(call: int) -> tuple[np.ndarray, Any]:
        some = places[call * lanes : (call + 1) * lanes]
        padded = np.append(some, np.full(lanes - some.size, some[0]))
        # What is set by a context manager holds in its own thread only.
        with (
            jax.enable_x64(problem.dtype == np.float64),
            jax.default_device(devices[call % len(devices)]),
        ):
            block = segments.cut(which[padded], some.size, size, shape)
            own = jax.tree.map(lambda leaf: leaf[padded].reshape(*shape, *leaf.shape[1:]), args)
            found = jax.device_get(_on_lanes(block, common, family, own, function=function))
        return some, jax.tree.map(
            lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[: some.size], found
        )

    yield run(0)  # compiles
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(run, range(1, -(-places.size // lanes)))
