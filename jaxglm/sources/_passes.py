"""Owns the compiled programs of one visit to resident rows."""

import math
from collections.abc import Callable
from typing import Any

from jaxglm._programs import program
from jaxglm._tuning import tuning
from jaxglm.sources._tiles import Tiles


def is_small(tiles: Tiles, *_: Any) -> bool:
    """Whether a visit to the rows takes less than its program takes to compile."""
    rows = math.prod(tiles.block.rows.y.shape)
    return rows * tiles.block.design.n_columns <= tuning().small_cells


@program(quick=is_small, static_argnames=("kernel",))
def one_pass(tiles: Tiles, *params, kernel: Callable):
    """One visit to the rows: the sum of a kernel over the tiles."""
    return tiles.reduce(kernel, *params)


@program(quick=is_small, static_argnames=("function",))
def each_row(tiles: Tiles, *params, function: Callable) -> Any:
    """One value (or vector, or pytree of them) per row, padding included."""
    return tiles.map(function, *params)


@program(quick=is_small, static_argnames=("function", "count"))
def some_rows(tiles: Tiles, first: Any, *params, function: Callable, count: int) -> Any:
    """The same of so many tiles; those beyond the last are the last once more."""
    return tiles.map(function, *params, first=first, count=count)


@program(quick=is_small, static_argnames=("step",), donate_argnames=("carry",))
def folded(tiles: Tiles, carry: Any, *params, step: Callable) -> Any:
    """`carry = step(carry, tile, *params)` over the tiles, in place."""
    return tiles.fold(step, carry, *params)
