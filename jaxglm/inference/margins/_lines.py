"""Owns the lines that effects are computed on: rows or their average, and changes of them."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxglm.inference.margins._changes import Key, Slope
from jaxglm.intake import Part, Population


@dataclasses.dataclass(frozen=True)
class Delta:
    """A difference, or a derivative, of the columns and offsets of m lines: a sum of parts."""

    parts: Sequence[Part]
    offset: np.ndarray | None

    def times(self, b: np.ndarray) -> np.ndarray:
        """The product with b [p]: [m], without offset."""
        return sum(part.sign * (part.matrix @ b[part.columns]) for part in self.parts)

    def eta(self, b: np.ndarray) -> np.ndarray:
        """The product with b [p], and the offset."""
        product = self.times(b)
        return product if self.offset is None else product + self.offset

    def add_against(self, w: np.ndarray, into: np.ndarray) -> None:
        """Add the products with w [m] from the left to those `into` [p]."""
        for part in self.parts:
            into[part.columns] += part.sign * (w @ part.matrix)


@dataclasses.dataclass(frozen=True)
class Lines:
    """m lines.

    Attributes
    ----------
    matrix : [m, p]
    offset : [m]
    count : [m]
        Observations that each stands for.
    delta : callable
        From a slope or setting to the derivative, or to what it adds; made when it is asked for,
        since there may be many.
    size : callable
        From a proportional slope to the values of its variable, [m].
    """

    matrix: Any
    offset: np.ndarray
    count: np.ndarray
    delta: Callable[[Key], Delta]
    size: Callable[[Slope], np.ndarray]


def lines_of(population: Population, chunk: np.ndarray, at: Mapping[str, Any]) -> Lines:
    """The lines of some rows, in which variables have the values of `at`."""
    before = population.take(chunk)
    rows = before.with_values(at) if at else before
    offset = np.zeros(chunk.size) if population.offset is None else population.offset[chunk]
    more = before.offset_change(rows, list(at)) if at else None

    def delta(key: Key) -> Delta:
        name = key.name
        if isinstance(key, Slope):
            return Delta(rows.slope(name, key.spread), rows.offset_slope(name, key.spread))
        other = key.applied(rows)
        return Delta(rows.change(other, [name]), rows.offset_change(other, [name]))

    return Lines(
        matrix=rows.matrix(),
        offset=offset if more is None else offset + more,
        count=population.count[chunk],
        delta=delta,
        size=lambda key: rows.numbers(key.name),
    )


def averaged(chunks: Iterable[Lines], keys: Sequence[Key]) -> Lines:
    """The one line that is the average of the rows of some chunks, for the `keys` asked for."""
    sums, total = np.zeros(0), 0.0
    for lines in chunks:
        p = lines.matrix.shape[1]
        if not total:
            # The line itself, then what each key adds: columns, offset, and size.
            sums = np.zeros((1 + len(keys), p + 2))
        total += float(lines.count.sum())
        sums[0, :p] += lines.count @ lines.matrix
        sums[0, p] += lines.count @ lines.offset
        for row, key in zip(sums[1:], keys, strict=True):
            delta = lines.delta(key)
            delta.add_against(lines.count, row[:p])
            if delta.offset is not None:
                row[p] += lines.count @ delta.offset
            if isinstance(key, Slope) and key.proportional:
                row[p + 1] += lines.count @ lines.size(key)
    sums /= total
    added = dict(zip(keys, sums[1:, None], strict=True))

    def delta_of(key: Key) -> Delta:
        row = added[key]
        return Delta([Part(1.0, np.arange(p), row[:, :p])], row[:, p])

    return Lines(
        matrix=sums[:1, :p],
        offset=sums[:1, p],
        count=np.array([total]),
        delta=delta_of,
        size=lambda key: added[key][:, p + 1],
    )
