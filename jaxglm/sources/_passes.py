"""Owns the compiled programs of one visit to resident rows."""

from collections.abc import Callable

import jax

from jaxglm._programs import program
from jaxglm.sources._tiles import Tiles


@program(static_argnames=("kernel",))
def one_pass(tiles: Tiles, *params, kernel: Callable):
    """One visit to the rows: the sum of a kernel over the tiles."""
    return tiles.reduce(kernel, *params)


@program(static_argnames=("function",))
def each_row(tiles: Tiles, *params, function: Callable) -> jax.Array:
    """One value (or vector) per row, padding included."""
    return tiles.map(function, *params)
