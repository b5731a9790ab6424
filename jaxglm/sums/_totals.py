"""Owns the few numbers about the rows that a loop is set up with, from any source or in a lane.

They are sums and extremes that the blocks of a source add up to, on the host; inside a lane of many
fits the same formulas are JAX's: `xp` says which.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm.families import Family
from jaxglm.sources import Block, Rows, Source
from jaxglm.sums._final import NullModel


class Totals(NamedTuple):
    """Totals of the rows that count; those of two blocks make those of both.

    Attributes
    ----------
    rows, nobs, weight : float
        Rows, observations, and the sum of the weights.
    response, size : float
        Sum of weight times response; sum of absolute responses.
    offset : float
        Sum of the offsets.
    largest, relative : float
        The largest offset, and the sum of weight times exp(offset - largest).
    has_offset : bool
        Whether there are offsets.
    """

    rows: Any
    nobs: Any
    weight: Any
    response: Any
    size: Any
    offset: Any
    largest: Any
    relative: Any
    has_offset: Any

    def and_of(self, other: "Totals", xp: Any = np) -> "Totals":
        """Of both."""
        has_offset = self.has_offset or other.has_offset
        largest = xp.maximum(self.largest, other.largest)

        def relative(part: "Totals") -> Any:
            if not has_offset:
                return part.relative
            there = part.rows > 0
            with np.errstate(invalid="ignore"):  # of no rows the largest is -inf
                size = xp.exp(xp.where(there, part.largest - largest, 0.0))
            return xp.where(there, part.relative * size, 0.0)

        added = (a + b for a, b in zip(self[:6], other[:6], strict=True))
        both = relative(self) + relative(other)
        return Totals._make([*added, largest, both, has_offset])


def totals(rows: Rows, xp: Any = np) -> Totals:
    """The totals of some rows; of each lane where their vectors end with an axis of lanes."""
    live, weight = rows.live, rows.weight

    def total(values: Any) -> Any:
        return xp.sum(values, axis=0)

    count = total(live)
    offset, largest, relative = 0.0, 0.0, total(weight)
    if rows.offset is not None:
        offset = total(xp.where(live, rows.offset, 0.0))
        largest = xp.max(xp.where(live, rows.offset, -xp.inf), axis=0)
        relative = total(weight * xp.exp(xp.where(live, rows.offset - largest, -xp.inf)))
    return Totals(
        rows=count,
        nobs=count if rows.freq is None else total(xp.where(live, rows.freq, 0.0)),
        weight=total(weight),
        response=total(weight * rows.y),
        size=total(xp.where(live, xp.abs(rows.y), 0.0)),
        offset=offset,
        largest=largest,
        relative=relative,
        has_offset=rows.offset is not None,
    )


def totals_of(source: Source) -> Totals:
    """The totals of all rows of a source."""

    def and_of(known: Totals | None, block: Block) -> Totals:
        own = totals(block.rows)
        return own if known is None else known.and_of(own)

    found = source.scan(and_of, None)
    assert found is not None
    return found


def has_constant(block: Block) -> jax.Array:
    """Whether there is an intercept, inside a program: a column not 0, constant in rows that count.

    In a lane that is one which may vary in other lanes.
    """
    design: Any = block.design
    values = getattr(design, "numeric", design).dense(block.rows.y.dtype)
    live = block.rows.live[:, None]
    lowest = jnp.min(jnp.where(live, values, jnp.inf), axis=0)
    highest = jnp.max(jnp.where(live, values, -jnp.inf), axis=0)
    return jnp.any((lowest == highest) & (lowest != 0))


def null_model(of: Totals, family: Family, *, has_constant: Any, xp: Any = np) -> NullModel:
    """What the response lies about; the shift is nan where the null model takes a fit.

    `has_constant` tells whether the null model has an intercept beside the offset.
    """
    average = of.response / xp.where(of.weight > 0, of.weight, 1.0)
    shift = _shift(of, family, xp)
    return NullModel(
        average=average,
        inside=_inside(of, average, family, xp),
        shift=xp.where(has_constant, shift, 0.0),
    )


def _inside(of: Totals, average: Any, family: Family, xp: Any) -> Any:
    lower, upper = family.mean_domain
    if np.isfinite(lower) and np.isfinite(upper):
        return xp.clip(average, lower + 1e-3, upper - 1e-3)
    link = family.link
    least = max(lower, link.mean_range[0])
    inside = (least < average) & (average < link.mean_range[1]) & (average != link.pole)
    size = of.size / xp.maximum(of.rows, 1)
    return xp.where(inside, average, xp.maximum(size, 1e-3))


def _shift(of: Totals, family: Family, xp: Any) -> Any:
    if not of.has_offset or not (family.canonical and family.link.name == "log"):
        return xp.nan
    # The score of an intercept beside the offset is sum w (y - exp(offset + shift)).
    with np.errstate(divide="ignore"):
        return xp.log(of.response) - xp.log(of.relative) - of.largest
