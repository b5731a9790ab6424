"""Owns the way from host arrays to tiles: tile size, row buckets and padding.

Imports designs and `sources._block`, `sources._resident` only.

A new shape means a new compilation. Row counts are therefore padded up to buckets (eight an octave)
with rows of weight 0, so that tables of neighbouring sizes share the compiled programs.
"""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np

from jaxglm.designs import Categorical, Dense, Design, Sparse, Split
from jaxglm.sources._block import Block
from jaxglm.sources._resident import Resident

# A tile of about one mebibyte stays in a core's cache while its eta, weights, score and Gram are
# formed, so that X is read from memory once a pass.
_TILE_BYTES = 1 << 20
_SMALLEST_TILE, _LARGEST_TILE = 256, 8192


def bucket(count: int) -> int:
    """The smallest number of the form k 2^j, k in 8..15, that is at least `count` (and 8)."""
    if count <= 8:
        return 8
    step = 1 << max(0, count.bit_length() - 4)
    return math.ceil(count / step) * step


def tile_rows(design: Design, n: int) -> int:
    """Rows of a tile: as many as the cache holds, and enough to pay for adding up p x p sums."""
    p = max(design.n_columns, 1)
    width = design.numeric.n_columns + 8 if isinstance(design, Split) else p
    by_cache = _TILE_BYTES // (8 * width)
    rows = 1 << int(np.clip(by_cache, _SMALLEST_TILE, _LARGEST_TILE)).bit_length() - 1
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
    shape = (count, rows)

    def vector(values: np.ndarray | None, fill: float):
        return None if values is None else _tiled(values.astype(dtype), fill, shape)

    block = Block(
        design=_tiled_design(design, shape),
        y=vector(y, float(y[0])),  # any valid response: padding has weight 0 but is evaluated
        weight=vector(weight, 0.0),
        offset=vector(offset, 0.0),
        freq=vector(freq, 0.0),
        trials=vector(trials, 1.0),
    )
    return Resident(block)


def _tiled(values: np.ndarray, fill: float, shape: tuple[int, int]):
    n, total = values.shape[0], shape[0] * shape[1]
    if n == total:
        padded = values
    else:
        padded = np.empty((total, *values.shape[1:]), values.dtype)
        padded[:n] = values
        padded[n:] = fill
    return jnp.asarray(padded.reshape((*shape, *values.shape[1:])))


def _tiled_design(design: Design, shape: tuple[int, int]) -> Design:
    if isinstance(design, Dense):
        return Dense(_tiled(np.asarray(design.values), 0.0, shape))
    if isinstance(design, Categorical):
        multiplier = design.multiplier
        return dataclasses.replace(
            design,
            codes=_tiled(np.asarray(design.codes), design.n_levels, shape),
            multiplier=None if multiplier is None else _tiled(np.asarray(multiplier), 0.0, shape),
        )
    if isinstance(design, Split):
        factors = tuple(_tiled_design(factor, shape) for factor in design.factors)
        return Split(_tiled_design(design.numeric, shape), factors)  # type: ignore[arg-type]
    if isinstance(design, Sparse):
        return _tiled_sparse(design, shape)
    raise TypeError(f"no tiling for {type(design).__name__}")


def _tiled_sparse(design: Sparse, shape: tuple[int, int]) -> Sparse:
    """Group the entries by tile and pad each tile to the same number of entries."""
    count, rows = shape
    tile = np.asarray(design.rows) // rows
    order = np.argsort(tile, kind="stable")
    per_tile = np.bincount(tile, minlength=count)
    width = bucket(int(per_tile.max(initial=1)))
    slot = np.arange(order.size) - np.repeat(np.cumsum(per_tile) - per_tile, per_tile)
    target = tile[order] * width + slot

    def fill(values: np.ndarray):
        out = np.zeros(count * width, values.dtype)
        out[target] = values[order]
        return jnp.asarray(out.reshape(count, width))

    return Sparse(
        values=fill(np.asarray(design.values)),
        rows=fill(np.asarray(design.rows) % rows),
        columns=fill(np.asarray(design.columns)),
        n_rows=rows,
        width=design.width,
    )
