"""Owns what tells the rank of columns: a triangle R with R'R = X'X, by a QR of X or from X'X."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jaxglm.algebra import Information, full_matrix
from jaxglm.designs import Design
from jaxglm.sources import Block, Source

# A column whose part outside the span of the earlier ones is below this share of its length is
# aliased. The columns are rounded at 1e-16 of their length, so less than this is mostly noise.
RANK_TOLERANCE = 1e-12
# The Gram matrix resolves squared shares to about 1e-14; with a margin, shares of 1e-5.
GRAM_RANK_TOLERANCE = 1e-5
_CHUNK_ROWS = 16_384


def chunks(design: Design, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some rows by turns, with their columns as dense float64."""
    for start in range(0, rows.size, _CHUNK_ROWS):
        some = rows[start : start + _CHUNK_ROWS]
        yield some, design.take_rows(some).on_host()


def triangle_of(
    source: Source, p: int, chosen: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray:
    """R of a QR of X, chunk by chunk; columns in design order. R'R = X'X without squaring.

    Parameters
    ----------
    source : Source
    p : int
        Its columns.
    chosen : callable, optional
        Of rows, [n, p], to those that take part, [n] bool; all that count when left out.
    """

    def further(
        known: tuple[np.ndarray, np.ndarray], block: Block
    ) -> tuple[np.ndarray, np.ndarray]:
        triangle: Any
        triangle, lengths = known
        for _, dense in chunks(block.design, np.flatnonzero(block.rows.live)):
            rows = dense if chosen is None else dense[chosen(dense)]
            if not len(rows):
                continue
            if triangle.shape[0] == 0:
                # Powers of two: the scaling itself rounds nothing and guards against overflow.
                size = np.abs(rows).max(axis=0)
                power = np.round(np.log2(np.where(size > 0, size, 1.0)))
                lengths = np.where(size > 0, 2.0**power, 1.0)
            triangle = np.linalg.qr(np.vstack([triangle, rows / lengths]), mode="r")
        return triangle, lengths

    triangle, lengths = source.scan(further, (np.zeros((0, p)), np.ones(p)))
    return triangle * lengths


def gram_triangle(gram: Information) -> np.ndarray:
    """A square root of X'X from its eigenvectors, for shapes where a QR of X costs too much."""
    whole = np.asarray(full_matrix(gram), float)
    size = np.sqrt(np.diag(whole))
    scale = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(whole / np.outer(scale, scale))
    # By `size`: a column of zeros stays one, where rounding would give it a length.
    return (np.sqrt(np.maximum(values, 0))[:, None] * vectors.T) * size
