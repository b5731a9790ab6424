"""Owns the resident source: rows that fit in memory, whose programs see all of them."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from jaxglm.designs import Design
from jaxglm.sources._base import Carry
from jaxglm.sources._block import Block
from jaxglm.sources._passes import each_row, one_pass
from jaxglm.sources._placement import place
from jaxglm.sources._shared import shared_pass, shares
from jaxglm.sources._tiles import Tiles


class Resident:
    """One block on the host, and its tiles on the device, placed there when they are asked for.

    Parameters
    ----------
    block : Block
        With NumPy leaves.
    dtype : dtype
        Of the arithmetic.
    tiles : Tiles, optional
        Of the block, where they are placed already.
    """

    def __init__(self, block: Block, dtype: np.dtype, tiles: Tiles | None = None):
        self.block, self.dtype, self._tiles = block, dtype, tiles

    @property
    def tiles(self) -> Tiles:
        """The rows on the device."""
        if self._tiles is None:
            self._tiles = place(self.block, self.dtype)
        return self._tiles

    @property
    def n_rows(self) -> int:
        return len(self.block.rows)

    @property
    def n_parts(self) -> int:
        return int(self.tiles.n_live)

    @property
    def design(self) -> Design:
        return self.block.design

    @property
    def is_shared(self) -> bool:
        """Whether several cores share a visit."""
        return len(shares(self.tiles, self.design)) > 1

    def reduce(self, kernel: Callable[..., Any], *params: Any) -> Any:
        parts = shares(self.tiles, self.design)
        if len(parts) > 1:
            return shared_pass(parts, kernel, params)
        return one_pass(self.tiles, *params, kernel=kernel)

    def map(self, function: Callable[..., Any], *params: Any) -> Iterator[Any]:
        found = each_row(self.tiles, *params, function=function)
        yield jax.tree.map(lambda leaf: np.asarray(leaf)[: self.n_rows], found)

    def scan(self, step: Callable[[Carry, Block], Carry], carry: Carry) -> Carry:
        return step(carry, self.block)

    def sample(self, stride: int) -> "Resident":
        return Resident(self.block, self.dtype, self.tiles.sample(stride))

    def with_design(self, change: Callable[[Block], Design]) -> "Resident":
        return Resident(Block(change(self.block), self.block.rows), self.dtype)
