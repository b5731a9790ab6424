"""Owns the means that the null model of a fit gives to other rows."""

import numpy as np

from jaxglm._jax import computing
from jaxglm.designs import Dense
from jaxglm.diagnostics import means
from jaxglm.families import Family
from jaxglm.intake import Dataset
from jaxglm.rows import Problem, constant_column
from jaxglm.search import Options, estimate_all
from jaxglm.sources import Block
from jaxglm.words import FloatArray


def null_means(held: Dataset, family: Family, offset: FloatArray | None, n: int) -> FloatArray:
    """Means of `n` rows with these offsets in the null model of the rows that are held.

    That is the intercept with the offset, or the offset alone where the model has no intercept.
    """
    rows = held.rows
    shift = np.zeros(n) if offset is None else offset
    if constant_column(held.block.design) is None:
        return means(family, shift)
    if rows.offset is None:
        average = np.average(rows.y, weights=rows.weight)
        if offset is None:
            return np.full(n, average)
        with computing():
            return means(family, float(family.link.link(average)) + shift)
    ones = Block(Dense(np.broadcast_to(1.0, (len(rows), 1))), rows)
    problem = Problem.of_block(ones, np.zeros(1, int), np.dtype(float))
    with computing():
        found, _, _ = estimate_all(problem, problem.narrowed(family), Options())
    return means(family, float(found.beta[0]) + shift)
