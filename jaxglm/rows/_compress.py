"""Owns row compression: identical rows of a problem become one row with the sum of their weights.

Rows are identical when they agree in every column of the design, in the response, the offset, the
trials and the prior weight. All that a fit sums over rows is linear in the frequency of a row, so
that one row with the frequency of many gives the same sums, up to rounding, for every family.
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from jaxglm._tuning import tuning
from jaxglm.designs import Categorical, Dense, Design, Sparse, Split
from jaxglm.rows._problem import Problem
from jaxglm.sources import Block, Resident

Choice = Literal["auto"] | bool

# "auto": with as many patterns as this share of the rows, a fit still takes about 0.6 of its time.
_MOST_PATTERNS = 0.5
# The probe's rows, in multiples of the root of n: at the largest share of patterns some 36 of its
# pairs are alike, which tells that share from a larger one.
_PROBE = 6.0
# Columns copied at a time: the float64 numbers of a row that come with one line of the cache.
_TOGETHER = 8
# Keys are int64.
_LARGEST_RADIX = 1 << 62


class Key(NamedTuple):
    """A number for each row, in 0..radix-1: rows that differ have different numbers."""

    codes: np.ndarray
    radix: int

    def relabelled(self) -> "Key":
        """The same key with numbers that all occur."""
        codes, found = pd.factorize(self.codes)
        return Key(codes, len(found))

    def and_also(self, other: "Key") -> "Key":
        """The key that also tells apart what `other` does."""
        mine = self.relabelled() if self.radix * other.radix > _LARGEST_RADIX else self
        return Key(mine.codes * other.radix + other.codes, mine.radix * other.radix)


def merge_rows(problem: Problem, choice: Choice) -> Problem:
    """The problem with identical rows merged, or the problem as it is.

    Rows stand in the order in which their patterns first appear; those of weight 0 are left out.

    Parameters
    ----------
    problem : Problem
        Rows that come part by part stay as they are.
    choice : bool or "auto"
        Never, as far as anything can be merged, or where it is likely to save time.

    Returns
    -------
    Problem
    """
    if not choice or not isinstance(problem.source, Resident):
        return problem
    if choice == "auto" and not _promising(problem.block):
        return problem
    block = problem.block
    live = np.flatnonzero(block.rows.live)
    key = _all_rows(live.size)
    for column in _columns(block, live):
        key = key.and_also(column)
    if key.radix > live.size:
        key = key.relabelled()
    # Backwards, so that what stays of each number is the first row that has it.
    first = np.full(key.radix, -1)
    first[key.codes[::-1]] = np.arange(live.size - 1, -1, -1)
    first = np.sort(first[first >= 0])
    most = len(block.rows) * (_MOST_PATTERNS if choice == "auto" else 1.0)
    if first.size == len(block.rows) or first.size > most:
        return problem

    freq = np.bincount(key.codes, None if block.rows.freq is None else block.rows.freq[live])
    freq = freq[key.codes[first]].astype(float)
    merged = block.take(live[first])
    weight = merged.rows.unit_weight * freq
    rows = dataclasses.replace(merged.rows, weight=weight, freq=freq)
    return problem.with_block(Block(merged.design, rows))


def _promising(block: Block) -> bool:
    """Whether evenly spaced rows let expect few patterns among all rows."""
    n = len(block.rows)
    if n < tuning().fewest_rows_merged:
        return False
    count = int(_PROBE * math.sqrt(n))
    key = _all_rows(count)
    for column in _columns(block, np.arange(count) * n // count):
        key = key.and_also(column).relabelled()
        if _likely_patterns(key) > _MOST_PATTERNS * n:
            return False
    return True


def _likely_patterns(sample: Key) -> float:
    """Chao's estimate of how many patterns there are, from those seen once and twice."""
    times = np.bincount(np.bincount(sample.codes), minlength=3)
    once, twice = float(times[1]), float(times[2])
    return sample.radix + once * (once - 1) / (2 * (twice + 1))


def _all_rows(n: int) -> Key:
    """The key that tells no rows apart."""
    return Key(np.zeros(n, np.int64), 1)


def _columns(block: Block, which: np.ndarray) -> Iterator[Key]:
    """What tells some rows apart, those columns first that are cheap and often continuous."""
    rows = block.rows.take(which)
    yield from _numbers(rows.y)
    if rows.offset is not None:
        yield from _numbers(rows.offset)
    yield from _numbers(rows.unit_weight)
    if rows.trials is not None:
        yield from _numbers(rows.trials)
    every = which.size == len(block.rows)
    yield from _of_design(block.design if every else block.design.take_rows(which))


def _of_design(design: Design) -> Iterator[Key]:
    if isinstance(design, Split):
        for part in design.parts:
            yield from _of_design(part)
    elif isinstance(design, Dense):
        for j in range(0, design.n_columns, _TOGETHER):
            for column in np.ascontiguousarray(design.values[:, j : j + _TOGETHER].T):
                yield from _numbers(column)
    elif isinstance(design, Categorical):
        yield Key(design.codes, design.n_levels + 1)
        if design.multiplier is not None:
            yield from _numbers(design.multiplier)
    elif isinstance(design, Sparse):
        yield _stored_entries(design)
    else:
        raise TypeError(f"rows of a {type(design).__name__} design cannot be compared")


def _numbers(values: np.ndarray) -> Iterator[Key]:
    """The key of a numeric column; none for a constant, which tells no rows apart."""
    differs = values != values[0]
    if not differs.any():
        return
    if (differs == (values == values[differs.argmax()])).all():
        yield Key(differs, 2)  # two values, as of most responses and dummies: no table is needed
        return
    codes, found = pd.factorize(values, use_na_sentinel=False)
    yield Key(codes, len(found))


def _stored_entries(design: Sparse) -> Key:
    """The key of the rows of a sparse matrix; an entry stored as 0 counts as one.

    Rows are compared with those of as many entries, entry by entry.
    """
    order = np.argsort(design.rows, kind="stable")
    values, found = pd.factorize(design.values[order], use_na_sentinel=False)
    entries = Key(design.columns[order].astype(np.int64), design.width)
    entries = entries.and_also(Key(values, len(found))).relabelled()

    counts = np.bincount(design.rows, minlength=design.n_rows)
    starts = np.cumsum(counts) - counts
    by_count = np.argsort(counts, kind="stable")
    codes = np.empty(design.n_rows, np.int64)
    total = 0
    for rows in np.split(by_count, np.flatnonzero(np.diff(counts[by_count])) + 1):
        key = _all_rows(rows.size)
        for k in range(counts[rows[0]]):
            key = key.and_also(Key(entries.codes[starts[rows] + k], entries.radix))
        key = key.relabelled()
        codes[rows] = total + key.codes
        total += key.radix
    return Key(codes, total)
