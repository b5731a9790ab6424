"""Owns the penalty that is not smooth: absolute values, norms of groups, and bounds."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._record import static
from jaxglm.algebra import Bend, Information
from jaxglm.penalties._base import Penalty


class Thresholded(Penalty):
    """A quadratic penalty, sum_j threshold_j |b_j|, norms, and lower_j <= b_j <= upper_j.

    Its score and information are those of the quadratic part: the rest is for a solver that knows
    what to do at zero and at a bound.

    Attributes
    ----------
    smooth : QuadraticForm or None
    bend : Bend
        With entries [p].
    of_mean : bool
        It stands beside the mean of the losses; see `QuadraticForm`.
    """

    smooth: Any
    bend: Any
    of_mean: bool = static(default=False, kw_only=True)

    def loss(self, beta: jax.Array) -> jax.Array:
        rest = self.bend.value(beta)
        return rest if self.smooth is None else rest + self.smooth.loss(beta)

    def score(self, beta: jax.Array) -> jax.Array:
        return jnp.zeros_like(beta) if self.smooth is None else self.smooth.score(beta)

    def added_to(self, information: Information) -> Information:
        return information if self.smooth is None else self.smooth.added_to(information)

    def holds(self) -> jax.Array:
        bounded = jnp.isfinite(self.bend.lower) & jnp.isfinite(self.bend.upper)
        own = self.bend.choosing | bounded
        return own if self.smooth is None else own | self.smooth.holds()

    def where(self, keep: jax.Array) -> "Thresholded":
        smooth = None if self.smooth is None else self.smooth.where(keep)
        inf, norms = jnp.inf, self.bend.norms
        if norms is not None:
            norms = norms._replace(weight=jnp.where(keep, norms.weight, 0.0))
        bend = Bend(
            jnp.where(keep, self.bend.threshold, 0.0),
            jnp.where(keep, self.bend.lower, -inf),
            jnp.where(keep, self.bend.upper, inf),
            norms,
        )
        return self._with(smooth=smooth, bend=bend)

    def beside(self, weight: Any) -> "Thresholded":
        return self.times(weight)._with(of_mean=False) if self.of_mean else self

    def times(self, strength: float) -> "Thresholded":
        """A multiple of it, within the same bounds."""
        smooth = None if self.smooth is None else self.smooth.times(strength)
        return self._with(smooth=smooth, bend=self.bend.times(strength))

    def take(self, columns: np.ndarray) -> "Thresholded":
        smooth = None if self.smooth is None else self.smooth.take(columns)
        return self._with(smooth=smooth, bend=self.bend.take(columns))

    def in_basis(self, transform: np.ndarray) -> "Thresholded":
        raise TypeError("absolute values of coefficients are those of the columns as they are")

    def at_bound(self, beta: np.ndarray) -> np.ndarray:
        """Coefficients that are at the least or the greatest of their values, [p] bool."""
        return (beta <= np.asarray(self.bend.lower)) | (beta >= np.asarray(self.bend.upper))

    @property
    def chooses(self) -> bool:
        """Whether it sets coefficients to zero, as a lasso does."""
        return bool(self.bend.choosing.any())

    def couples(self, columns: np.ndarray) -> bool:
        # Coordinate descent wants the whole matrix.
        return True

    def as_rows(self) -> np.ndarray:
        smooth = None if self.smooth is None else self.smooth.as_rows()
        sizes = np.asarray(self.bend.threshold, float)
        if self.bend.norms is not None:
            sizes = sizes + np.asarray(self.bend.norms.weight)
        rows = np.diag(sizes)[self.bend.choosing]
        return rows if smooth is None else np.vstack([smooth, rows])
