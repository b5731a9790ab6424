"""Owns visits that answer row by row in bounded memory, in an order of one's own if need be."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from jaxglm._jax import computing
from jaxglm.sources._base import Source
from jaxglm.sources._passes import each_row
from jaxglm.sources._placement import place
from jaxglm.sources._resident import Resident

# Numbers of a part, with what it is made of: 32 MiB in float64.
_NUMBERS = 1 << 22
_FEWEST = 256


def in_parts(
    source: Source,
    function: Callable[..., Any],
    *params: Any,
    width: int,
    order: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, Any]]:
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
    if not isinstance(source, Resident):
        if order is not None:
            raise TypeError("rows that come part by part are in the order in which they come")
        first = 0
        for found in source.map(function, *params):
            count = len(jax.tree.leaves(found)[0])
            yield np.arange(first, first + count), found
            first += count
        return
    n = source.n_rows if order is None else order.size
    step = max(_FEWEST, _NUMBERS // (width + source.design.numbers_per_row))
    for first in range(0, n, step):
        which = np.arange(first, min(first + step, n))
        which = which if order is None else order[which]
        with computing(source.dtype == np.float64):
            tiles = place(source.block.take(which), source.dtype, min(step, n))
            found = jax.device_get(each_row(tiles, *params, function=function))
        yield which, jax.tree.map(lambda leaf, k=which.size: leaf[:k], found)
