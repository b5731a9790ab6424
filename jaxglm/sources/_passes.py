"""Owns the compiled programs of one visit to resident rows."""

from collections.abc import Callable

import jax

from jaxglm._programs import program
from jaxglm.sources._resident import Resident


@program(static_argnames=("kernel",))
def one_pass(source: Resident, *params, kernel: Callable):
    """One visit to the rows: the sum of a kernel over the blocks of a source."""
    return source.reduce(kernel, *params)


@program(static_argnames=("function",))
def each_row(source: Resident, *params, function: Callable) -> jax.Array:
    """One value (or vector) per row, padding included."""
    return source.map(function, *params)
