"""Owns visits that the cores share: each takes every so manyth tile, in a thread of its own.

A compiled loop over tiles runs one operation after the other, and XLA's CPU compiler splits few of
them. Calls of one program from several threads keep all cores at work, and in as much CPU time.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import jax
import numpy as np

from jaxglm._jax import arithmetic, computing, fetched
from jaxglm._tuning import tuning
from jaxglm.designs import Design
from jaxglm.sources._passes import one_pass
from jaxglm.sources._tiles import Tiles

# A share is worth its sums where they have fewer numbers than a fraction of its rows.
_ROWS_TO_SUMS = 4


def shares(tiles: Tiles, design: Design) -> Sequence[Tiles]:
    """What each core visits of the tiles of a design; all of them where sharing does not pay.

    In float32 the sum over all tiles is compensated, which sums of shares are not.
    """
    numbers = tiles.count * tiles.rows * design.numbers_per_row
    if jax.default_backend() != "cpu" or tiles.dtype != np.float64 or tiles.first is not None:
        return (tiles,)
    if numbers < tuning().fewest_shared or not arithmetic():
        return (tiles,)
    visited = -(-int(tiles.n_live) // int(tiles.stride))
    count = min(_cores(), visited, numbers // (_ROWS_TO_SUMS * max(design.gram_cells, 1)))
    return [_share(tiles, turn, count) for turn in range(count)] if count > 1 else (tiles,)


def _share(tiles: Tiles, turn: int, count: int) -> Tiles:
    first = turn * int(tiles.stride)
    return dataclasses.replace(
        tiles,
        stride=np.int32(count * int(tiles.stride)),
        first=np.int32(first),
        live=np.int32(int(tiles.n_live) - first),
    )


def shared_pass(parts: Sequence[Tiles], kernel: Callable[..., Any], params: tuple[Any, ...]) -> Any:
    """The sum of a kernel over the tiles of all parts, on the host."""

    def visit(part: Tiles) -> Any:
        with computing():  # what is set by a context manager holds in its own thread only
            return fetched(one_pass(part, *params, kernel=kernel))

    own, *others = parts
    with ThreadPoolExecutor(len(others)) as pool:
        running = [pool.submit(copy_context().run, visit, part) for part in others]
        total = visit(own)
        for found in running:
            total = jax.tree.map(np.add, total, found.result())
    return total


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
