"""Owns the estimation of a negative binomial's shape in lanes, inside the loop of the coefficients.

A lane is first fitted with alpha = 0. Where the counts are more dispersed than that, each turn
takes a Newton step in the coefficients and log alpha together.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.algebra import LaneFactor
from jaxglm.families import Family
from jaxglm.lanes._lane_rows import LaneRows
from jaxglm.search._shape_profile import (
    LARGEST_ALPHA,
    LARGEST_LOG_STEP,
    SMALLEST_ALPHA,
    first_alpha,
)
from jaxglm.sums import ShapeSums, shape_excess, shape_sums

# Within a standard error of the optimum at alpha = 0 a score of so many of its own tells its sign.
_SURE = 5.0


class LaneShapes(NamedTuple):
    """Shapes of W lanes.

    Attributes
    ----------
    alpha : [W]
        0 as long as none is estimated.
    step : [W]
        In log alpha, from there.
    squared : [W]
        The squared distance to the optimum in log alpha, in standard errors at dispersion 1.
    alpha_se : [W]
        nan at 0.
    since : [W] int
        Turns before it was estimated.
    """

    alpha: Any
    step: Any
    squared: Any
    alpha_se: Any
    since: Any

    @classmethod
    def none(cls, like: jax.Array) -> "LaneShapes":
        """Of lanes in which none is estimated yet, as many as `like` has ([W])."""
        zeros = jnp.zeros_like(like)
        return cls(zeros, zeros, zeros, zeros + jnp.nan, jnp.zeros(like.shape, jnp.int32))

    @property
    def known(self) -> jax.Array:
        """Whether one is estimated; [W] bool."""
        return self.alpha > 0

    @property
    def in_range(self) -> jax.Array:
        """Whether the likelihood can tell it from 0 and from infinity; [W] bool."""
        return ~self.known | ((self.alpha >= SMALLEST_ALPHA) & (self.alpha <= LARGEST_ALPHA))

    def moved(self) -> "LaneShapes":
        """With the step taken."""
        return self._replace(alpha=self.alpha * jnp.exp(self.step))

    def family(self, family: Family) -> Family:
        """A family with a shape for each lane."""
        return family._with(alpha=self.alpha)

    def sums(self, rows: LaneRows, family: Family, beta: jax.Array, on: jax.Array) -> ShapeSums:
        """What steps are made of, at coefficients [p, W], where lanes are `on`."""
        sure = family._with(alpha=jnp.where(self.known, self.alpha, 1.0))

        def found() -> ShapeSums:
            return rows.reduce(shape_sums, sure, beta)

        def nothing() -> ShapeSums:
            zeros = jnp.zeros_like(self.alpha)
            return ShapeSums(zeros, zeros, jnp.zeros_like(beta))

        return jax.lax.cond(jnp.any(self.known & on), found, nothing)

    def stepping(
        self, sums: ShapeSums, factor: LaneFactor, step: jax.Array
    ) -> tuple["LaneShapes", jax.Array]:
        """With Newton steps, and those of the coefficients beside them, [p, W].

        `step` are these by themselves, `factor` that of the observed information that they are by.
        """
        along = factor.solve(sums.cross)
        left = -sums.curvature - jnp.sum(sums.cross * along, axis=0)
        slope = sums.slope - jnp.sum(sums.cross * step, axis=0)
        concave = self.known & (left > 0)
        drop = jnp.where(concave, left, 1.0)
        far = jnp.where(slope > 0, LARGEST_LOG_STEP, -LARGEST_LOG_STEP)
        own = jnp.where(concave, jnp.clip(slope / drop, -LARGEST_LOG_STEP, LARGEST_LOG_STEP), far)
        own = jnp.where(self.known, own, 0.0)
        flat = jnp.where(sums.curvature < 0, -sums.curvature, jnp.nan)
        shapes = self._replace(
            step=own,
            squared=jnp.where(concave, slope * (slope / drop), jnp.where(self.known, jnp.inf, 0.0)),
            alpha_se=jnp.where(self.known, self.alpha / jnp.sqrt(flat), jnp.nan),
        )
        return shapes, step - jnp.where(self.known, along * own, 0.0)

    def begun(
        self,
        rows: LaneRows,
        family: Family,
        beta: jax.Array,
        near: jax.Array,
        ended: jax.Array,
        turns: jax.Array,
    ) -> "LaneShapes":
        """With one to start from in the lanes where counts are more dispersed than at 0.

        Parameters
        ----------
        beta : [p, W]
            `near` or at the optimum at 0, which is sure to tell.
        near, ended : [W] bool
            Lanes that are near to it; and at it.
        turns : [W] int
            What that took.
        """
        flat = family._with(alpha=jnp.zeros_like(self.alpha))
        near, ended = near & ~self.known, ended & ~self.known

        def sums() -> tuple[jax.Array, ...]:
            return rows.reduce(shape_excess, flat, beta)

        def nothing() -> tuple[jax.Array, ...]:
            return (jnp.zeros_like(self.alpha),) * 3

        score, excess, squares = jax.lax.cond(jnp.any(near | ended), sums, nothing)
        # The variance of the score is half the sum of squares.
        starts = (ended & (score > 0)) | (near & (score > _SURE * jnp.sqrt(squares / 2)))
        return self._replace(
            alpha=jnp.where(starts, first_alpha(excess, squares, jnp), self.alpha),
            since=jnp.where(starts, turns, self.since),
        )
