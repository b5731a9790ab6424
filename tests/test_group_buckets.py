"""Shapes of the programs of many segments: few, with little padding, within the memory allowed."""

from itertools import combinations

import numpy as np
import pytest

from jaxglm._tuning import tuned
from jaxglm.designs import bucket
from jaxglm.lanes._buckets import call_shape, padded_sizes

RNG = np.random.default_rng(5)


def padded(rows: np.ndarray) -> np.ndarray:
    """What segments of so many rows are padded to."""
    sizes = padded_sizes(rows)
    return sizes[np.searchsorted(sizes, rows)]


def padding(rows: np.ndarray, sizes: np.ndarray, program: float) -> float:
    return float(sizes.sum()) + program * np.unique(sizes).size


def least(rows: np.ndarray, program: float) -> float:
    """The least cost over all choices of sizes among the buckets that occur."""
    own = np.array([bucket(int(count)) for count in rows])
    largest = own.max()
    others = np.setdiff1d(own, largest)
    best = np.inf
    for count in range(others.size + 1):
        for chosen in combinations(others, count):
            ends = np.sort([*chosen, largest])
            best = min(best, padding(rows, ends[np.searchsorted(ends, own)], program))
    return best


@pytest.mark.parametrize("program", [0.0, 40.0, 300.0, 1e9])
def test_no_other_choice_of_sizes_costs_less(program: float) -> None:
    for most in (9, 30, 200):
        rows = RNG.integers(1, most, size=12)
        with tuned(rows_a_program=program):
            sizes = padded(rows)
        assert (sizes >= rows).all()
        assert {bucket(int(size)) for size in sizes} == set(sizes.tolist())
        assert padding(rows, sizes, program) == least(rows, program)


def test_a_program_for_each_bucket_where_segments_are_many() -> None:
    rows = np.repeat([3, 40, 1000], [10, 2_000_000, 2_000_000])
    assert np.array_equal(padded_sizes(rows), [40, bucket(1000)])


def test_size_does_not_depend_on_order() -> None:
    rows = RNG.integers(1, 5000, size=300)
    order = RNG.permutation(rows.size)
    assert np.array_equal(padded_sizes(rows[order]), padded_sizes(rows))


def test_sizes_are_few_however_lengths_are_spread() -> None:
    rows = np.clip(np.exp(RNG.normal(5, 2, size=100_000)), 1, 5000).astype(int)
    assert padded_sizes(rows).size <= 2 * np.log2(5000)


@pytest.mark.parametrize("size", [8, 120, 5000, 65_536])
@pytest.mark.parametrize("columns", [1, 12, 300])
@pytest.mark.parametrize("segments", [1, 3, 700, 10**6])
def test_calls_are_powers_of_two_and_keep_to_the_memory(
    size: int, columns: int, segments: int
) -> None:
    for numbers in (1.0, 2.0**22, 2.0**25):
        for workers in (1, 2, 8):
            blocks, lanes = call_shape(
                size,
                columns,
                segments,
                workers=workers,
                most_numbers=numbers,
                accelerator=False,
            )
            for count in (blocks, lanes):
                assert count >= 1 and count & (count - 1) == 0
            held = blocks * lanes * size * columns * workers
            assert held <= numbers or (blocks == 1 and held <= workers * 2**17) or lanes == 1
            # No more than a call each keeps busy, and at most as many padded lanes as real ones.
            assert blocks * lanes * workers <= max(2 * segments, 64 * workers)


@pytest.mark.parametrize(
    ("segments", "numbers", "lanes"), [(700, 2.0**40, 1024), (700, 2.0**20, 512), (1, 1.0, 1)]
)
def test_an_accelerator_takes_all_lanes_at_once(segments: int, numbers: float, lanes: int) -> None:
    shape = call_shape(100, 5, segments, workers=1, most_numbers=numbers, accelerator=True)
    assert shape == (1, lanes)
