"""Owns the way from host arrays to tiles: how many tiles of how many rows.

Imports designs and `sources._block`, `sources._resident` only, and asks jax for its platform.

A new shape means a new compilation. Row counts are therefore padded up to buckets (eight an octave)
with rows of weight 0, so that tables of neighbouring sizes share the compiled programs.
"""

import math

import jax
import numpy as np

from jaxglm.designs import Design, Split, Tiling, bucket
from jaxglm.sources._block import Block
from jaxglm.sources._resident import Resident

# A tile of about one mebibyte stays in a core's cache while its eta, weights, score and Gram are
# formed, so that X is read from memory once a pass.
_TILE_BYTES = 1 << 20
_SMALLEST_TILE, _LARGEST_TILE = 256, 8192
# An accelerator wants many rows at once; what a pass needs beside X is a few times one tile.
_ACCELERATOR_TILE_BYTES = 1 << 28


def tile_rows(design: Design, n: int) -> int:
    """Rows of a tile: as many as the cache holds, and enough to pay for adding up p x p sums.

    On an accelerator: all, or as many as fill 256 MiB in float64.
    """
    p = max(design.n_columns, 1)
    width = design.numeric.n_columns + 8 if isinstance(design, Split) else p
    tile_bytes, largest = _TILE_BYTES, _LARGEST_TILE
    if jax.default_backend() != "cpu":
        tile_bytes = largest = _ACCELERATOR_TILE_BYTES
    by_bytes = tile_bytes // (8 * width)
    rows = 1 << int(np.clip(by_bytes, _SMALLEST_TILE, largest)).bit_length() - 1
    if isinstance(design, Split):
        # Each tile adds a p x p matrix, at p^2 operations; a row costs about 16 of them per part.
        rows = max(rows, 1 << (p * p // 64).bit_length())
    return min(rows, bucket(n))


def place(
    design: Design,
    y: np.ndarray,
    weight: np.ndarray,
    *,
    offset: np.ndarray | None,
    freq: np.ndarray | None,
    trials: np.ndarray | None,
    dtype: np.dtype,
) -> Resident:
    """Cut host arrays (a design with NumPy leaves and row vectors) into a resident source."""
    n = y.shape[0]
    rows = tile_rows(design, n)
    count = bucket(math.ceil(n / rows)) if n > rows * 8 else math.ceil(n / rows)
    tiling = Tiling(count, rows)

    def vector(values: np.ndarray | None, fill: float):
        return None if values is None else tiling.cut(values.astype(dtype), fill)

    block = Block(
        design=design.tiled(tiling),
        y=vector(y, float(y[0])),  # any valid response: padding has weight 0 but is evaluated
        weight=vector(weight, 0.0),
        offset=vector(offset, 0.0),
        freq=vector(freq, 0.0),
        trials=vector(trials, 1.0),
    )
    return Resident(block)
