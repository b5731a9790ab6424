"""Owns the choice of shapes: which numbers of rows segments are padded to, and how many go at once.

Every shape is a program to compile, and every padded row is a row to compute with. Sizes are taken
from the buckets that tables are padded to, eight an octave, and neighbours among them share one
where that pads little: a call compiles few programs however its segments are sized.
"""

import numpy as np

from jaxglm._tuning import tuning
from jaxglm.designs import bucket

# Numbers of a block of lanes, columns and scratch included: they stay in a core's cache.
_BLOCK_NUMBERS = 1 << 16
_MOST_LANES = 64
# Numbers of a row beside its columns.
SCRATCH = 6
# Numbers of a call: enough to make its overhead small, and few enough to share out evenly.
_CALL_NUMBERS = 1 << 20


def padded_sizes(rows: np.ndarray) -> np.ndarray:
    """The sizes that segments of so many rows are padded to: few, with little padding in all.

    Neighbouring buckets are merged where the rows this pads cost less than a program, by dynamic
    programming over those that occur.
    """
    different, place = np.unique(rows, return_inverse=True)
    own = np.array([bucket(int(count)) for count in different])[place]
    sizes, counts = np.unique(own, return_counts=True)
    before = np.append(0, np.cumsum(counts))
    best = np.zeros(sizes.size + 1)
    cut = np.zeros(sizes.size + 1, int)
    for top in range(1, sizes.size + 1):
        # The last program takes the sizes from some place on up to this one.
        cost = best[:top] + (before[top] - before[:top]) * sizes[top - 1] + tuning().rows_a_program
        cut[top] = np.argmin(cost)
        best[top] = cost[cut[top]]
    chosen, top = [], sizes.size
    while top > 0:
        chosen.append(sizes[top - 1])
        top = cut[top]
    return np.array(chosen[::-1], dtype=np.int64)


def call_shape(
    size: int,
    columns: int,
    segments: int,
    *,
    workers: int,
    most_numbers: float,
    accelerator: bool,
) -> tuple[int, int]:
    """Blocks and lanes of one call on segments of a size: powers of two, for few shapes.

    Parameters
    ----------
    size, columns, segments : int
        Rows that each is padded to, columns, and how many there are.
    workers : int
        Calls at a time.
    most_numbers : float
        That the rows of all calls at a time may take.
    accelerator : bool
        It wants all lanes at once, as many as there is room for; a core wants blocks of lanes that
        stay in its cache.
    """
    numbers = size * (columns + SCRATCH)
    shared = -(-segments // workers)
    if accelerator:
        return 1, min(_power_below(most_numbers / workers / numbers), _power_above(shared))
    lanes = _power_below(min(_BLOCK_NUMBERS / numbers, _MOST_LANES))
    room = _power_below(min(_CALL_NUMBERS, most_numbers / workers) / (numbers * lanes))
    return min(room, _power_above(-(-shared // lanes))), lanes


def _power_above(number: int) -> int:
    """The smallest power of two that is not below a number of at least 1."""
    return 1 << (number - 1).bit_length()


def _power_below(number: float) -> int:
    """The largest power of two that is not above a number; 1 for less."""
    return 1 << max(int(number), 1).bit_length() - 1
