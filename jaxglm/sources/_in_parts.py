"""Owns visits that answer row by row in bounded memory, in an order of one's own if need be."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from jaxglm._jax import computing
from jaxglm.sources._base import Source
from jaxglm.sources._passes import each_row, some_rows
from jaxglm.sources._placement import place
from jaxglm.sources._resident import Resident

# Numbers of a part, with what it is made of: 32 MiB in float64.
_NUMBERS = 1 << 22
_FEWEST = 256

Parts = Iterator[tuple[np.ndarray, Any]]


def in_parts(
    source: Source,
    function: Callable[..., Any],
    *params: Any,
    width: int,
    order: np.ndarray | None = None,
) -> Parts:
    """`function(block, *params)` row by row, some rows at a time.

    Parameters
    ----------
    source : Source
    function : callable
        Of a block, to arrays (or a pytree of them) whose leading axis is the rows; the same object
        at each call, for it names the program.
    width : int
        Numbers that it makes of a row.
    order : [n] int, optional
        The rows in the order in which they are wanted, for rows in memory; rows that come part by
        part are taken as they come.

    Yields
    ------
    which : [k] int
        Positions of the rows.
    found : pytree
        What the function says of them, on the host.
    """
    if isinstance(source, Resident):
        if order is None:
            return _tile_by_tile(source, function, params, width)
        return _in_order(source, function, params, width, order)
    if order is not None:
        raise TypeError("rows that come part by part are in the order in which they come")
    return _as_they_come(source, function, params)


def _as_they_come(source: Source, function: Callable[..., Any], params: tuple[Any, ...]) -> Parts:
    first = 0
    for found in source.map(function, *params):
        count = len(jax.tree.leaves(found)[0])
        yield np.arange(first, first + count), found
        first += count


def _tile_by_tile(
    source: Resident, function: Callable[..., Any], params: tuple[Any, ...], width: int
) -> Parts:
    """Rows where they are: what can be read in place is not copied."""
    n = source.n_rows
    with computing(source.dtype == np.float64):
        tiles = place(source.block, source.dtype, made=width)
    size = tiles.rows
    parts = math.ceil(tiles.count * size * width / _NUMBERS)
    step = math.ceil(tiles.count / parts)
    for first in range(0, math.ceil(n / size), step):
        which = np.arange(first * size, min((first + step) * size, n))
        with computing(source.dtype == np.float64):
            found = some_rows(tiles, np.int32(first), *params, function=function, count=step)
        yield which, _rows_of(found, which.size)


def _in_order(
    source: Resident,
    function: Callable[..., Any],
    params: tuple[Any, ...],
    width: int,
    order: np.ndarray,
) -> Parts:
    n = order.size
    step = max(_FEWEST, _NUMBERS // (width + source.design.numbers_per_row))
    for first in range(0, n, step):
        which = order[first : first + step]
        with computing(source.dtype == np.float64):
            tiles = place(source.block.take(which), source.dtype, min(step, n))
            found = each_row(tiles, *params, function=function)
        yield which, _rows_of(found, which.size)


def _rows_of(found: Any, count: int) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:count], found)
