"""Owns the block: what one visit to some rows brings along."""

import dataclasses
from typing import Any

import jax

from jaxglm.sources._rows import Rows


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Block:
    """Some rows: columns (a `Design`, or an `Operator` inside a program), and their vectors.

    A few rows of many segments are a block whose arrays end with an axis of lanes: `InLanes`
    columns and vectors [T, W].
    """

    design: Any
    rows: Rows

    def take(self, positions: Any) -> "Block":
        """Some of the rows, in this order; on the host."""
        return Block(self.design.take_rows(positions), self.rows.take(positions))

    def beside(self, common: "Block | None") -> "Block":
        """The block with what it leaves out taken from another one."""
        if common is None:
            return self
        return Block(
            common.design if self.design is None else self.design, self.rows.beside(common.rows)
        )

    def linear_predictor(self, beta: jax.Array) -> jax.Array:
        """X beta + offset."""
        eta = self.design.matvec(beta)
        return eta if self.rows.offset is None else eta + self.rows.offset

    def total(self, values: jax.Array) -> jax.Array:
        """The sum of one number per row."""
        return self.design.total(values)
