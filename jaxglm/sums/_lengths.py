"""Owns the lengths of rows in the metric of an inverse information: what leverages are made of."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxglm.sources import Block

# Columns of a root that rows are multiplied with at a time: a tile holds no second design.
_WIDTH = 32


def squared_lengths(block: Block, root: Any) -> jax.Array:
    """x_i' H^-1 x_i of each row, [n], some columns of the root at a time.

    Parameters
    ----------
    block : Block
    root : Root or Rooted
        The `dense` part, and the `diagonal` one or None, of a root of H^-1.
    """
    dense, diagonal = root.dense, root.diagonal
    p, k = dense.shape
    total = jnp.zeros_like(block.rows.y)
    if diagonal is not None and block.design.n_eliminated:
        # The diagonal belongs to columns of 0 and 1, which are their own squares.
        total = block.design.matvec(diagonal**2)
    if k <= _WIDTH:
        return total + _square_sums(block, dense)
    steps = -(-k // _WIDTH)
    columns = jnp.pad(dense, ((0, 0), (0, steps * _WIDTH - k)))
    columns = columns.reshape(p, steps, _WIDTH).swapaxes(0, 1)
    return jax.lax.fori_loop(
        0, steps, lambda i, known: known + _square_sums(block, columns[i]), total
    )


def _square_sums(block: Block, columns: jax.Array) -> jax.Array:
    product = block.design.matvec(columns)
    return jnp.sum(product * product, axis=1)
