"""The engine without the verbs: problems as the doors make them, also in blocks, and fits."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from jaxglm.families import family as resolve
from jaxglm.intake import Given, table_intake
from jaxglm.rows import Problem
from jaxglm.search import Fit, Options, estimate_all, fit_of
from jaxglm.sources import Block, Chunked


class Pieces:
    """Blocks of some rows of a block, made anew each time they are asked for."""

    def __init__(self, block: Block, size: int):
        self.block, self.size = block, size

    def __iter__(self) -> Iterator[Block]:
        n = len(self.block.rows)
        for start in range(0, n, self.size):
            yield self.block.take(np.arange(start, min(start + self.size, n)))


def problem(
    formula: str, table: Any, family: Any, dtype: str = "float64", **vectors: Any
) -> Problem:
    """The problem that `glm` would solve."""
    given = Given(resolve(family), vectors, "raise", np.dtype(dtype))
    return table_intake(formula, table, given).problem


def chunked(resident: Problem, size: int) -> Problem:
    """The same rows, in blocks of so many."""
    source = Chunked(Pieces(resident.block, size), resident.dtype)
    return Problem(source, resident.order, resident.constant, resident.n_rows)


def fit(of: Problem, family: Any, options: Options | None = None) -> Fit:
    """The record of the fit of a problem."""
    with jax.enable_x64(of.dtype == np.float64):
        narrow = of.narrowed(resolve(family))
        found, known, shape = estimate_all(of, narrow, options or Options())
        return fit_of(of, known, found, shape=shape)
