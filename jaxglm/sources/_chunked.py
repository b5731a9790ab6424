"""Owns the chunked source: rows that come block by block, again at each visit."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import program
from jaxglm.designs import Design
from jaxglm.sources._base import Carry
from jaxglm.sources._block import Block
from jaxglm.sources._passes import each_row, one_pass
from jaxglm.sources._placement import place
from jaxglm.sources._tiles import Tiles, lost_digits


class Chunked:
    """Blocks of an iterable that can be read again: at no time is more than one of them held.

    Parameters
    ----------
    blocks : iterable of Block
        With NumPy leaves and the same columns, each of at least one row. A visit takes them in the
        order in which they come, each padded to the longest, so that programs are compiled once.
    dtype : dtype
        Of the arithmetic.
    """

    def __init__(self, blocks: Iterable[Block], dtype: np.dtype):
        self.dtype = dtype
        self._blocks, self._stride = blocks, 1
        self._changes: tuple[Callable[[Block], Design], ...] = ()

    def __iter__(self) -> Iterator[Block]:
        for i, block in enumerate(self._blocks):
            if i % self._stride == 0:
                for change in self._changes:
                    block = Block(change(block), block.rows)
                yield block

    @functools.cached_property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(len(block.rows) for block in self._blocks)

    @property
    def n_rows(self) -> int:
        return sum(self._sizes)

    @property
    def n_parts(self) -> int:
        return len(self._sizes)

    @functools.cached_property
    def design(self) -> Design:
        return next(iter(self)).design.take_rows(np.zeros(1, int))

    def reduce(self, kernel: Callable[..., Any], *params: Any) -> Any:
        parts = (one_pass(self._placed(block), *params, kernel=kernel) for block in self)
        total = next(parts)
        lost = jax.tree.map(jnp.zeros_like, total) if self.dtype == np.float32 else None
        for part in parts:
            total, lost = _added(total, lost, part)
        return total if lost is None else jax.tree.map(jnp.add, total, lost)

    def map(self, function: Callable[..., Any], *params: Any) -> Iterator[np.ndarray]:
        for block in self:
            rows = each_row(self._placed(block), *params, function=function)
            yield np.asarray(rows)[: len(block.rows)]

    def scan(self, step: Callable[[Carry, Block], Carry], carry: Carry) -> Carry:
        return functools.reduce(step, self, carry)

    def sample(self, stride: int) -> "Chunked":
        return self._like(self._changes, stride)

    def with_design(self, change: Callable[[Block], Design]) -> "Chunked":
        return self._like((*self._changes, change), self._stride)

    def _placed(self, block: Block) -> Tiles:
        return place(block, self.dtype, max(self._sizes))

    def _like(self, changes: tuple[Callable[[Block], Design], ...], stride: int) -> "Chunked":
        other = Chunked(self._blocks, self.dtype)
        other._changes, other._stride = changes, stride
        other._sizes = self._sizes
        return other


@program(quick=True)
def _added(total: Any, lost: Any, part: Any) -> tuple[Any, Any]:
    """A sum with one more part, compensated where `lost` keeps what rounding took from it."""
    new = jax.tree.map(jnp.add, total, part)
    return new, None if lost is None else jax.tree.map(lost_digits, lost, total, part, new)
