"""Owns the sizes of numbers that the arithmetic of a fit has room for, and what lies outside them.

A fit does not depend on the units of its columns, weights and response as long as their squares,
and their products with the weights, neither overflow nor vanish. What does is refused.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxglm.algebra import Bordered
from jaxglm.families import Family
from jaxglm.rows import Problem
from jaxglm.sources import Block
from jaxglm.sums import FinalSums
from jaxglm.words import listed

# Sums and factors about a number need room: four decades within what the dtype holds.
_ROOM = 1e4


def largest_size(dtype: np.dtype) -> float:
    """The largest size of a number; one over it is the smallest of the largest in a column."""
    return float(np.sqrt(np.finfo(dtype).max)) / _ROOM


def _sums_within(dtype: np.dtype) -> tuple[float, float]:
    """What a sum of squares, or of these times weights, may come to."""
    return _ROOM * float(np.finfo(dtype).tiny), float(np.finfo(dtype).max) / _ROOM


class RangeError(ValueError):
    """Columns, by public position, that are out of range (none: the response); for the verb."""

    def __init__(self, columns: np.ndarray):
        super().__init__(f"columns {columns.tolist()} are out of range")
        self.columns = columns

    def told(self, names: Sequence[str], dtype: np.dtype) -> str:
        """The error in the user's words."""
        columns = [repr(names[j]) for j in self.columns]
        noun = "column" if len(columns) == 1 else "columns"
        what = f"{noun} {listed(columns, 8)}" if columns else "the response"
        return (
            f"{what}: values so large or so small that their squares, or these times the weights, "
            f"overflow or vanish in {dtype.name}; rescale to a size nearer to 1."
        )


def out_of_range(problem: Problem, weight: float) -> np.ndarray:
    """Public positions of the columns whose squares overflow or vanish in the fit's arithmetic.

    So may these times the weights, of which `weight` is the sum.
    """
    limit, (least, most) = largest_size(problem.dtype), _sums_within(problem.dtype)

    def larger(largest: np.ndarray, block: Block) -> np.ndarray:
        live = np.flatnonzero(block.rows.live)
        if live.size == 0:
            return largest
        every = live.size == len(block.rows)
        design = block.design if every else block.design.take_rows(live)
        return np.maximum(largest, design.largest())

    largest = problem.source.scan(larger, np.zeros(problem.n_columns))
    outside = (largest > limit) | ((largest > 0) & (largest < 1 / limit))
    with np.errstate(over="ignore", under="ignore"):
        weighted = weight * largest**2
    outside |= (largest > 0) & ~((least < weighted) & (weighted < most))
    return np.flatnonzero(problem.public(outside))


def strained_columns(sums: FinalSums, dtype: np.dtype) -> np.ndarray:
    """Columns whose information is a sum of numbers next to underflow; [k] or [G, k] bool."""
    info: Any = sums.info
    if isinstance(info, Bordered):
        corner = np.diagonal(info.corner, axis1=-2, axis2=-1)
        diagonal = np.concatenate([corner, info.diagonal], axis=-1)
    else:
        several = np.ndim(sums.deviance) + 1
        diagonal = info if info.ndim == several else np.diagonal(info, axis1=-2, axis2=-1)
    return np.asarray(diagonal) < _sums_within(dtype)[0]


def strained_response(family: Family, average: Any, weight: Any, dtype: np.dtype) -> Any:
    """Whether the Pearson statistic of responses of this size overflows or vanishes; bool or [G].

    `weight` is the sum of the weights. A known dispersion is not estimated from it.
    """
    average, weight = np.asarray(average, float), np.asarray(weight, float)
    if family.dispersion_fixed or np.isfinite(family.mean_domain).all():
        return np.zeros(average.shape, bool)
    with np.errstate(all="ignore"):
        variance = np.asarray(family.variance(jnp.asarray(average)), float)
        size = np.log(weight) + np.log(np.abs(average)) + np.log(np.abs(average / variance))
    known = np.isfinite(average) & (average != 0)
    least, most = np.log(_sums_within(dtype))
    return known & ~((least < size) & (size < most))
