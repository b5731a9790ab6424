"""Owns the contract of a source: where the rows of a fit live, and what may be asked of them."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np

from jaxglm.designs import Design
from jaxglm.sources._block import Block

Carry = TypeVar("Carry")


class Source(Protocol):
    """Rows in one or more parts, which may be visited again and again. It knows no statistics.

    Attributes
    ----------
    dtype : dtype
        Of the arithmetic, and so of the sums.
    n_rows, n_parts : int
        How many rows there are, and in how many parts a visit takes them.
    design : Design
        The columns of some of the rows: it tells their number and kind.
    """

    dtype: np.dtype

    @property
    def n_rows(self) -> int: ...

    @property
    def n_parts(self) -> int: ...

    @property
    def design(self) -> Design: ...

    def reduce(self, kernel: Callable[..., Any], *params: Any) -> Any:
        """The sum of `kernel(block, *params)` over all rows, on the device: one visit to each."""

    def map(self, function: Callable[..., Any], *params: Any) -> Iterator[Any]:
        """`function(block, *params)` (arrays) row by row, part by part, on the host."""

    def scan(self, step: Callable[[Carry, Block], Carry], carry: Carry) -> Carry:
        """`carry = step(carry, block)` over the host's blocks, in the order of the rows."""

    def sample(self, stride: int) -> "Source":
        """Every `stride`-th part."""

    def with_design(self, change: Callable[[Block], Design]) -> "Source":
        """The same rows with other columns, made block by block on the host."""
