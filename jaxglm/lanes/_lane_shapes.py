"""Owns the estimation of a negative binomial's shape in lanes, inside the loop of the coefficients.

A lane is first fitted with alpha = 0. Where the counts are more dispersed than that, each turn
takes a Newton step in log alpha beside the one of the coefficients: the two are orthogonal in the
information. The distance to the optimum is that of both.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxglm.families import NegativeBinomial
from jaxglm.lanes._lane_rows import LaneRows
from jaxglm.search._shape import LARGEST_ALPHA, LARGEST_LOG_STEP, SMALLEST_ALPHA, first_alpha
from jaxglm.sums import shape_excess, shape_slopes


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

    def family(self, family: NegativeBinomial) -> NegativeBinomial:
        """A family with a shape for each lane."""
        return family._with(alpha=self.alpha)

    def stepping(
        self, rows: LaneRows, family: NegativeBinomial, beta: jax.Array, on: jax.Array
    ) -> "LaneShapes":
        """With the Newton steps at coefficients [p, W], where lanes are `on`."""
        known = self.known
        sure = family._with(alpha=jnp.where(known, self.alpha, 1.0))

        def slopes() -> tuple[jax.Array, jax.Array]:
            return rows.reduce(shape_slopes, sure, beta)

        def nothing() -> tuple[jax.Array, jax.Array]:
            return jnp.zeros_like(self.alpha), jnp.zeros_like(self.alpha)

        slope, curvature = jax.lax.cond(jnp.any(known & on), slopes, nothing)
        concave = curvature < 0
        drop = jnp.where(concave, -curvature, 1.0)
        step = jnp.where(
            concave,
            jnp.clip(slope / drop, -LARGEST_LOG_STEP, LARGEST_LOG_STEP),
            jnp.where(slope > 0, LARGEST_LOG_STEP, -LARGEST_LOG_STEP),
        )
        squared = jnp.where(concave, slope * (slope / drop), jnp.inf)
        se = jnp.where(concave, self.alpha / jnp.sqrt(drop), jnp.nan)
        return self._replace(
            step=jnp.where(known, step, 0.0),
            squared=jnp.where(known, squared, 0.0),
            alpha_se=jnp.where(known, se, jnp.nan),
        )

    def begun(
        self,
        rows: LaneRows,
        family: NegativeBinomial,
        beta: jax.Array,
        ready: jax.Array,
        turns: jax.Array,
    ) -> "LaneShapes":
        """With one to start from in those `ready` lanes where counts are more dispersed than at 0.

        `beta` is the optimum at 0 there, `turns` what it took.
        """
        flat = family._with(alpha=jnp.zeros_like(self.alpha))

        def sums() -> tuple[jax.Array, ...]:
            return rows.reduce(shape_excess, flat, beta)

        def nothing() -> tuple[jax.Array, ...]:
            return (jnp.zeros_like(self.alpha),) * 3

        score, excess, squares = jax.lax.cond(jnp.any(ready), sums, nothing)
        starts = ready & (score > 0)
        return self._replace(
            alpha=jnp.where(starts, first_alpha(excess, squares, jnp), self.alpha),
            since=jnp.where(starts, turns, self.since),
        )
