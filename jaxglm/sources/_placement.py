"""Owns the way from host arrays to tiles: how many tiles of how many rows.

A new shape means a new compilation. Row counts are therefore padded up to buckets (eight an octave)
with rows of weight 0, so that tables of neighbouring sizes share the compiled programs. Tiles that
hold no row are not visited. Of data read in place the last tiles are copied, so that what is read
has one of few lengths.
"""

import math
from typing import Any

import jax
import numpy as np

from jaxglm._tuning import tuning
from jaxglm.designs import Design, Split, Tiling, bucket, copied
from jaxglm.sources._block import Block
from jaxglm.sources._rows import padding
from jaxglm.sources._tiles import Tiles

# A tile of two mebibytes stays in a core's cache while its eta, weights, score and Gram are formed:
# X is read from memory once a pass, and products take up to a seventh less than with tiles of 8.
# Sums by the levels of factors are as fast in larger ones, whose matrices are added less often.
_TILE_BYTES, _FACTOR_TILE_BYTES = 2 << 20, 8 << 20
# Numbers that a pass makes of each row beside its columns.
_SCRATCH = 6
# An accelerator wants many rows at once; what a pass needs beside X is a few times one tile.
_ACCELERATOR_TILE_BYTES = 1 << 28
_CELLS_PER_ROW = 16
# From here on a copy of the data costs more than what it saves.
_IN_PLACE_BYTES = 1 << 26


def tile_rows(design: Design, n: int, made: int = _SCRATCH) -> int:
    """Rows of a tile: as many as the cache holds, and enough to pay for adding up the sums.

    `made` is how many numbers a visit makes of each row.

    On an accelerator: all, or as many as fill 256 MiB in float64.
    """
    tile_bytes = _FACTOR_TILE_BYTES if isinstance(design, Split) else _TILE_BYTES
    largest = tuning().largest_tile
    if jax.default_backend() != "cpu":
        tile_bytes = largest = _ACCELERATOR_TILE_BYTES
    by_bytes = tile_bytes // (8 * (design.numbers_per_row + made))
    rows = 1 << int(np.clip(by_bytes, tuning().smallest_tile, largest)).bit_length() - 1
    if isinstance(design, Split):
        # Each tile adds a Gram matrix number by number; a row costs as much as some of these.
        rows = max(rows, 1 << (design.gram_cells // _CELLS_PER_ROW).bit_length())
    return min(rows, bucket(max(n, tuning().fewest_rows)))


def place(block: Block, dtype: np.dtype, room: int = 0, made: int = _SCRATCH) -> Tiles:
    """Cut a host block into tiles on the device, its vectors in the dtype of the arithmetic.

    With `room` for more rows than it has, it shares the programs of a block of so many.
    """
    design, n = block.design, max(len(block.rows), room)
    rows = tile_rows(design, n, made)
    count = math.ceil(n / rows)
    on_host = jax.default_backend() == "cpu"
    long = 8 * n * design.numbers_per_row >= _IN_PLACE_BYTES
    in_place = on_host and long and n == len(block.rows)
    room = count
    if in_place:
        room = math.ceil(count / copied(count)) * copied(count)
    elif n > rows * 8:
        room = bucket(count)
    tiling = Tiling(room, rows, in_place)

    def cut(name: str, values: np.ndarray) -> Any:
        return tiling.cut(values.astype(dtype, copy=False), padding(name, values))

    return Tiles(Block(design.tiled(tiling), block.rows.each(cut)), live=np.int32(count))
