"""Owns the lengths of rows in the metric of an inverse information: what leverages are made of."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxglm.sources import Block

# Columns of a root that rows are multiplied with at a time: a tile holds no second design of many
# columns. Two products take half as long again as one that is twice as wide.
_WIDTH = 64


def squared_lengths(
    block: Block, root: Any, signs: jax.Array | None = None, along: jax.Array | None = None
) -> jax.Array:
    """x_i' H^-1 x_i of each row, [n], some columns of the root at a time.

    Parameters
    ----------
    block : Block
    root : Root or Rooted
        The `dense` part, and the `diagonal` one or None, of a root of H^-1.
    signs : [k], optional
        -1 for columns of the dense part that are subtracted; see `Covariance`.
    along : [n, k], optional
        The rows times the dense part, where that has been made already.
    """
    dense, diagonal = root.dense, root.diagonal
    p, k = dense.shape
    total = jnp.zeros_like(block.rows.y)
    if diagonal is not None and block.design.n_eliminated:
        # The diagonal belongs to columns of 0 and 1, which are their own squares.
        total = block.design.matvec(diagonal**2)
    if along is not None or k <= _WIDTH:
        known = block.design.matvec(dense) if along is None else along
        return total + _square_sums(known, signs)
    steps = -(-k // _WIDTH)
    width = -(-k // steps)
    columns = jnp.pad(dense, ((0, 0), (0, steps * width - k)))
    columns = columns.reshape(p, steps, width).swapaxes(0, 1)
    if signs is not None:
        signs = jnp.pad(signs, (0, steps * width - k)).reshape(steps, width)

    def add(i: jax.Array, known: jax.Array) -> jax.Array:
        product = block.design.matvec(columns[i])
        return known + _square_sums(product, None if signs is None else signs[i])

    return jax.lax.fori_loop(0, steps, add, total)


def _square_sums(product: jax.Array, signs: jax.Array | None) -> jax.Array:
    return jnp.sum(product * product if signs is None else product * signs * product, axis=1)
