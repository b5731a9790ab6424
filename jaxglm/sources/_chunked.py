"""Owns the chunked source: rows that come block by block, again at each visit."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._programs import program
from jaxglm._status import DataError
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
        With NumPy leaves and the same columns; a block without rows is passed over. Each visit
        takes them in the order in which they come, which must be that of the first. They are padded
        to the longest, so that dense columns and factors have one program for all.
    dtype : dtype
        Of the arithmetic.

    Raises
    ------
    DataError
        Where the blocks can be read once only, have no rows at all, or are others at a later visit.
    """

    def __init__(self, blocks: Iterable[Block], dtype: np.dtype):
        if iter(blocks) is blocks:
            raise DataError(
                "the blocks can be read once only (a generator or an open reader), and a fit "
                "visits its rows again and again: give a list, or an object whose iteration "
                "starts anew"
            )
        self.dtype = dtype
        self._reader, self._stride = _Reader(blocks), 1
        self._changes: tuple[Callable[[Block], Design], ...] = ()

    def __iter__(self) -> Iterator[Block]:
        for i, block in enumerate(self._reader):
            if i % self._stride == 0:
                yield self._changed(block)

    def _changed(self, block: Block) -> Block:
        for change in self._changes:
            block = Block(change(block), block.rows)
        return block

    @property
    def n_rows(self) -> int:
        return sum(self._reader.known.sizes)

    @property
    def n_parts(self) -> int:
        return len(self._reader.known.sizes)

    @functools.cached_property
    def design(self) -> Design:
        return self._changed(self._reader.known.first).design

    def reduce(self, kernel: Callable[..., Any], *params: Any) -> Any:
        parts = (one_pass(self._placed(block), *params, kernel=kernel) for block in self)
        total = next(parts)
        lost = jax.tree.map(jnp.zeros_like, total) if self.dtype == np.float32 else None
        for part in parts:
            total, lost = _added(total, lost, part)
        return total if lost is None else jax.tree.map(jnp.add, total, lost)

    def map(self, function: Callable[..., Any], *params: Any) -> Iterator[Any]:
        for block in self:
            rows = each_row(self._placed(block), *params, function=function)
            n = len(block.rows)
            yield jax.tree.map(lambda leaf, n=n: np.asarray(leaf)[:n], rows)

    def scan(self, step: Callable[[Carry, Block], Carry], carry: Carry) -> Carry:
        return functools.reduce(step, self, carry)

    def sample(self, stride: int) -> "Chunked":
        return self._like(self._changes, stride)

    def with_design(self, change: Callable[[Block], Design]) -> "Chunked":
        return self._like((*self._changes, change), self._stride)

    def _placed(self, block: Block) -> Tiles:
        return place(block, self.dtype, max(self._reader.known.sizes))

    def _like(self, changes: tuple[Callable[[Block], Design], ...], stride: int) -> "Chunked":
        other = Chunked(self._reader, self.dtype)
        other._reader, other._changes, other._stride = self._reader, changes, stride
        return other


@dataclasses.dataclass(frozen=True)
class _Known:
    """What the first visit tells: the rows of each block, and one row of the first."""

    sizes: tuple[int, ...]
    first: Block


class _Reader:
    """Reads the blocks, and holds each visit to what the first one saw."""

    def __init__(self, blocks: Iterable[Block]):
        self._blocks = blocks
        self._seen: _Known | None = None

    @property
    def known(self) -> _Known:
        if self._seen is None:
            for _ in self:
                pass
        assert self._seen is not None
        return self._seen

    def __iter__(self) -> Iterator[Block]:
        sizes: list[int] = []
        first = None if self._seen is None else self._seen.first
        for block in self._blocks:
            if len(block.rows) == 0:
                continue
            if first is None:
                first = block.take(np.zeros(1, int))
            if block.design.n_columns != first.design.n_columns:
                raise DataError(
                    f"block {len(sizes)} has {block.design.n_columns} columns, the first one has "
                    f"{first.design.n_columns}"
                )
            sizes.append(len(block.rows))
            if self._seen is not None and self._seen.sizes[: len(sizes)] != tuple(sizes):
                raise DataError(_others(self._seen.sizes, sizes))
            yield block
        if first is None:
            raise DataError("there are no rows: no block has any")
        if self._seen is None:
            self._seen = _Known(tuple(sizes), first)
        elif self._seen.sizes != tuple(sizes):
            raise DataError(_others(self._seen.sizes, sizes))


def _others(before: tuple[int, ...], now: list[int]) -> str:
    return (
        "the blocks are not those of the first visit: "
        f"then {len(before)} blocks of {sum(before)} rows, now block {len(now) - 1} differs or "
        "blocks are missing; the rows of a fit must stay the same while it runs"
    )


@program(quick=True)
def _added(total: Any, lost: Any, part: Any) -> tuple[Any, Any]:
    """A sum with one more part, compensated where `lost` keeps what rounding took from it."""
    new = jax.tree.map(jnp.add, total, part)
    return new, None if lost is None else jax.tree.map(lost_digits, lost, total, part, new)
