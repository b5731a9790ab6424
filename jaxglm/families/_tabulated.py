"""Owns a costly smooth function of one number at many numbers: read off a table of it.

The table has a polynomial of degree 7 between two neighbouring nodes. Half of the nodes make a
coarser table, and the others tell how exact that one is; where it is not exact to rounding, the
function is not smooth enough and is computed at each number.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

_NODES = 1025
# A table for fewer numbers would cost more than it saves.
_FEWEST = 4 * _NODES
_DEGREE = 7
# How far the coarser table may be off, or so many units in the last place. The finer one is 2^8
# times better, until rounding is all that is left.
_MOST_OFF, _ROUNDING = 1e-10, 128.0

# From the values at eight nodes to the coefficients of the polynomial through them, in units of the
# distance of two nodes from the middle of the fourth and the fifth.
_TO_POLYNOMIAL = np.linalg.inv(np.vander(np.arange(_DEGREE + 1) - 3.5, increasing=True))


def tabulated(function: Callable[[Array], Array], x: Array) -> Array:
    """The function of each number, to rounding.

    Parameters
    ----------
    function : callable
        From [m] to [m], elementwise and smooth where it may be tabulated.
    x : [n]

    Returns
    -------
    [n]
    """
    if x.size < _FEWEST:
        return function(x)
    low, high = jax.lax.stop_gradient((jnp.min(x), jnp.max(x)))
    step = (high - low) / (_NODES - 1)
    nodes = low + step * jnp.arange(_NODES, dtype=x.dtype)
    count = -(-x.size // _NODES)
    parts = jnp.pad(x, (0, count * _NODES - x.size), mode="edge").reshape(count, _NODES)

    # One loop, so that the function, which takes long to compile, is compiled once: first for the
    # nodes, and then for the numbers themselves, part by part, where these do not do.
    def goes_on(known: _Known) -> Array:
        return (known.next < count) & ~known.smooth

    def more(known: _Known) -> _Known:
        values = function(jnp.where(known.next < 0, nodes, parts[known.next]))
        first = known.next < 0
        return _Known(
            next=known.next + 1,
            smooth=first & (step > 0) & _is_smooth(values, low, step, nodes),
            table=jnp.where(first, values, known.table),
            values=known.values.at[known.next].set(values),
        )

    start = _Known(jnp.full((), -1), jnp.zeros((), bool), jnp.zeros_like(nodes), parts)
    known = jax.lax.while_loop(goes_on, more, start)
    computed = known.values.reshape(-1)[: x.size]
    return jnp.where(known.smooth, _read(known.table, low, step, x), computed)


class _Known(NamedTuple):
    next: Array
    smooth: Array
    table: Array
    values: Array


def _is_smooth(values: Array, low: Array, step: Array, nodes: Array) -> Array:
    """Whether every other node tells what the nodes between have."""
    coarse, known = _read(values[::2], low, 2.0 * step, nodes[1::2]), values[1::2]
    off = jnp.abs(coarse - known) / (1.0 + jnp.abs(known))
    # False as well where a number is not finite.
    return jnp.max(off) <= max(_MOST_OFF, _ROUNDING * float(jnp.finfo(nodes.dtype).eps))


def _read(values: Array, first: Array, step: Array, x: Array) -> Array:
    """Values between nodes that begin with `first`, `step` apart."""
    windows = jnp.stack([values[k : values.size - _DEGREE + k] for k in range(_DEGREE + 1)])
    polynomials = jnp.asarray(_TO_POLYNOMIAL, values.dtype) @ windows
    place = (x - first) / step
    cell = jnp.clip(jnp.floor(place) - 3.0, 0.0, windows.shape[1] - 1.0)
    t = place - cell - 3.5
    which = jax.lax.stop_gradient(cell).astype(jnp.int32)
    total = jnp.zeros_like(x)
    for coefficients in polynomials[::-1]:
        total = total * t + coefficients[which]
    return total
