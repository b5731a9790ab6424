"""Owns many fits at once: segments of the same columns, a lane of one compiled program each.

Imports `_drive`, `_final`, `_moments`, `_problem`, `_programs`, `_rowwise`, `_search`, `_settings`,
solvers, sources, designs and families. Host code cuts the rows into lanes; the loop in a lane is
that of a single fit.

Segments of similar length share a program: rows are padded to a bucket with weight 0. A program
works through blocks of lanes, each of which stops by itself: a lane that needs many turns keeps no
more than its block waiting.
"""

import dataclasses
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import numpy as np

from jaxglm._drive import run_loop
from jaxglm._final import FinalSums, Middle, final_sums
from jaxglm._moments import full_moments
from jaxglm._programs import program
from jaxglm._rowwise import Point
from jaxglm._search import AT_INITIAL_MEANS
from jaxglm._settings import Options, Settings, facts_of
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.solvers import Controls, Newton, Outcome
from jaxglm.sources import Block, Resident

# Numbers of a block of lanes, columns and scratch included: they stay in a core's cache.
_BLOCK_NUMBERS = 1 << 16
_LEAST_LANES, _MOST_LANES, _SCRATCH = 8, 64, 6
# Buckets of rows: 8, 12, 16, 24, 32, 48, ...
_FEWEST_ROWS = 8
# A segment of more rows than this is a single fit.
MOST_ROWS = 1 << 14


class LaneSums(NamedTuple):
    """What a lane leaves, with a leading axis of segments."""

    outcome: Outcome
    sums: FinalSums


@program()
def _on_lanes(
    blocks: Block, family: Family, at: Point, controls: Controls, middle: Middle
) -> LaneSums:
    """Every lane's loop; the leaves have leading axes [blocks, lanes]."""

    def lane(block: Block, at: Point, controls: Controls, middle: Middle) -> LaneSums:
        rows = dataclasses.replace(block, design=Dense(block.design.dense(block.y.dtype)))
        source = Resident(jax.tree.map(lambda leaf: leaf[None], rows))
        return LaneSums(
            *run_loop(
                source,
                family,
                at,
                controls,
                middle,
                solver=Newton(),
                kernel=full_moments,
                final=final_sums,
            )
        )

    return jax.lax.map(lambda args: jax.vmap(lane)(*args), (blocks, at, controls, middle))


def bucket_of(rows: np.ndarray) -> np.ndarray:
    """The bucket of each number of rows: the smallest of 2^k and 3 2^k that holds it."""
    rows = np.maximum(rows, _FEWEST_ROWS)
    power = 1 << np.ceil(np.log2(rows)).astype(int)
    return np.where(rows <= 3 * power // 4, 3 * power // 4, power)


class _Inputs(NamedTuple):
    """What differs from lane to lane beside the rows; leaves have a leading axis of segments."""

    at: Point
    controls: Controls
    middle: Middle

    def of(self, which: np.ndarray, shape: tuple[int, int]) -> "_Inputs":
        """Those of some segments, as [blocks, lanes]."""
        return jax.tree.map(lambda leaf: leaf[which].reshape(*shape, *leaf.shape[1:]), self)


def fit_lanes(
    segments: Segments, family: Family, options: Options, *, max_memory: float
) -> Iterator[tuple[np.ndarray, LaneSums]]:
    """Run the loop of every segment that has rows that count, and no more than `MOST_ROWS`.

    Parameters
    ----------
    segments : Segments
    family : Family
        With all parameters known.
    options : Options
        Of IRLS from the initial means.
    max_memory : float
        Bytes that the lanes of one call may take.

    Yields
    ------
    which : [k] int
        Segments, in any order; each comes once.
    found : LaneSums
        What their lanes left, on the host, with a leading axis of k.
    """
    problem, rows = segments.problem, segments.sizes
    facts = facts_of(problem, family, segments.starts[:-1])
    settings = Settings(family, options, problem.dtype, problem.n_columns, facts)
    zeros = np.zeros((segments.count, problem.n_columns))
    start = settings.point(zeros, AT_INITIAL_MEANS)
    inputs = _Inputs(start, settings.controls(), settings.middle)
    counts = np.add.reduceat(problem.live.astype(int), segments.starts[:-1])
    ready = np.flatnonzero((counts > 0) & (rows <= MOST_ROWS))
    buckets = bucket_of(rows[ready])
    for size in np.unique(buckets):
        which = ready[buckets == size]
        yield from _bucket(segments, family, inputs, which, int(size), max_memory)


def _bucket(
    segments: Segments,
    family: Family,
    inputs: _Inputs,
    which: np.ndarray,
    size: int,
    max_memory: float,
) -> Iterator[tuple[np.ndarray, LaneSums]]:
    """The segments of one bucket, in calls of one shape, several at a time."""
    numbers = size * (segments.problem.n_columns + _SCRATCH)
    lanes = int(np.clip(_BLOCK_NUMBERS // numbers, _LEAST_LANES, _MOST_LANES))
    lanes = 1 << (lanes.bit_length() - 1)
    workers = os.cpu_count() or 1
    blocks = max(int(max_memory / workers / (8 * numbers * lanes)), 1)
    blocks = min(blocks, -(-which.size // (lanes * workers)))
    blocks = 1 << (blocks - 1).bit_length()  # few shapes, whatever the number of segments
    calls = [which[i : i + blocks * lanes] for i in range(0, which.size, blocks * lanes)]

    def run(some: np.ndarray) -> tuple[np.ndarray, LaneSums]:
        with jax.enable_x64(segments.problem.dtype == np.float64):  # is of a thread
            padded = np.append(some, np.zeros(blocks * lanes - some.size, int))
            block = segments.cut(padded, some.size, size, (blocks, lanes))
            found = jax.device_get(_on_lanes(block, family, *inputs.of(padded, (blocks, lanes))))
        return some, jax.tree.map(
            lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[: some.size], found
        )

    yield run(calls[0])  # compiles
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(run, calls[1:])
