"""Owns how rows are divided into folds: at random, by group, or in the order of time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jaxglm._status import DataError


class Fold(NamedTuple):
    """The rows that a model is fitted to, and those it is held against; [n] bool each."""

    fitted: np.ndarray
    held_out: np.ndarray


def random_folds(n: int, count: int, seed: int, groups: np.ndarray | None = None) -> np.ndarray:
    """The number of the fold of each row, 0 to count - 1; rows of a group share theirs.

    Raises
    ------
    DataError
        Where there are more folds than rows, or than groups.
    """
    rng = np.random.default_rng(seed)
    units = np.arange(n) if groups is None else groups
    _, codes, sizes = np.unique(units, return_inverse=True, return_counts=True)
    if sizes.size < count:
        what = "rows" if groups is None else "groups"
        raise DataError(f"{count} folds need as many {what}, and there are {sizes.size}.")
    shuffled = rng.permutation(sizes.size)
    if groups is None:
        fold = np.empty(sizes.size, int)
        fold[shuffled] = np.arange(sizes.size) % count
        return fold[codes]
    # The largest first, each into the fold that has the fewest rows so far.
    fold, rows = np.empty(sizes.size, int), np.zeros(count)
    for unit in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold[unit] = np.argmin(rows)
        rows[fold[unit]] += sizes[unit]
    return fold[codes]


def folds_of(numbers: np.ndarray) -> Iterator[Fold]:
    """Each fold held out once.

    Raises
    ------
    DataError
        Where there is one only.
    """
    known = np.unique(numbers)
    if known.size < 2:
        raise DataError("folds names one fold for all rows: there must be two or more.")
    for number in known:
        held_out = numbers == number
        yield Fold(~held_out, held_out)


def forward_folds(moments: np.ndarray, count: int) -> Iterator[Fold]:
    """Each part of the time held out after a fit to all that was before it.

    Rows of one moment stay together; the first of count + 1 parts is never held out.

    Raises
    ------
    DataError
        Where there are not so many moments.
    """
    known, codes, sizes = np.unique(moments, return_inverse=True, return_counts=True)
    if known.size <= count:
        raise DataError(
            f"{count} folds in the order of time need more moments than that, and there are "
            f"{known.size}."
        )
    share = (np.cumsum(sizes) - 0.5 * sizes) / moments.size
    part = np.minimum((share * (count + 1)).astype(int), count)[codes]
    for number in np.unique(part)[1:]:
        yield Fold(part < number, part == number)


def without(weight: np.ndarray, fold: Fold) -> np.ndarray:
    """The weights with those of the rows that are not fitted at zero."""
    return np.where(fold.fitted, weight, 0.0)
