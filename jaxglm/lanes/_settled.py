"""Owns which lanes are settled, and how their fits are written into the record."""

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import root_of_inverse
from jaxglm.lanes._fits import Fits, Words
from jaxglm.lanes._ordinary import End, ordinary
from jaxglm.lanes._sums import LaneSums
from jaxglm.rows import Replicas, Segments
from jaxglm.search import REDUCED, Options
from jaxglm.search._attempts import MORE_LEFT
from jaxglm.search._settings import tolerance
from jaxglm.search._statistics import rounding_is_left
from jaxglm.solvers import Stop
from jaxglm.sums import Objective, digits_are_lost


@dataclasses.dataclass(frozen=True)
class Left:
    """What lanes leave of segments; leaves have a leading axis of k.

    Attributes
    ----------
    which : [k] int
        The segments.
    found : LaneSums
    """

    which: np.ndarray
    found: LaneSums

    def where(self, chosen: np.ndarray) -> "Left":
        """Of some of the segments."""
        return Left(self.which[chosen], jax.tree.map(lambda leaf: leaf[chosen], self.found))

    @staticmethod
    def joined(parts: Iterable["Left"]) -> "Left":
        """Of the segments of all parts."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        found = jax.tree.map(lambda *leaves: np.concatenate(leaves), *(p.found for p in parts))
        return Left(np.concatenate([part.which for part in parts]), found)

    @property
    def coefficients(self) -> np.ndarray:
        """As of a single run: added in float64, to keep the digits of the correction."""
        outcome = self.found.outcome
        converged = outcome.status == int(Status.CONVERGED)
        step = np.where(converged[:, None], outcome.correction, 0.0)
        return np.asarray(outcome.beta, float) + step


@dataclasses.dataclass(frozen=True)
class Settling:
    """Tells the lanes that are settled, and writes their fits.

    Attributes
    ----------
    segments : Segments or Replicas
    objective : Objective
    options : Options
    fits : Fits
        What is written into.
    progress : callable
        Told how many have been written.
    absent : [G, p] bool
        Columns that are zero in all rows of a segment, as far as a lane has told.
    done : [G] bool
        Segments whose fits have been written.
    """

    segments: Segments | Replicas
    objective: Objective
    options: Options
    fits: Fits
    progress: Callable[[int], object]
    absent: np.ndarray
    done: np.ndarray

    @property
    def _dtype(self) -> np.dtype:
        return self.segments.problem.dtype

    def settled(self, left: Left, asked: np.ndarray) -> np.ndarray:
        """Those whose fit stands as it is, [k] bool; `asked` are the columns they were to have."""
        # A column asked for that took no part is zero in all rows.
        absent = asked & ~left.found.keep
        self.absent[left.which] |= absent
        good = self.ordinary(left) & (self.options.reduced | (left.found.sums.far == 0))
        good &= ~digits_are_lost(left.found.sums, self._dtype)
        lacking = absent.any(axis=1)
        return good & ~lacking if lacking.any() and self._vanishing else good

    @functools.cached_property
    def _vanishing(self) -> bool:
        """Whether columns hold numbers that a device takes for zero: a single fit refuses them."""
        design: Any = self.segments.problem.design
        values = np.asarray(getattr(design, "numeric", design).values)
        least = np.finfo(self._dtype).tiny
        return bool(((values > -least) & (values < least) & (values != 0)).any())

    def ordinary(self, left: Left) -> np.ndarray:
        """Lanes that a single fit would not look at again, but for rows that have gone far."""
        found = left.found
        has_offset = self.segments.problem.rows.offset is not None
        ended = End(found.outcome, found.sums, found.null, found.statistics.weight_sum)
        good = ordinary(ended, self.objective, self._dtype, has_offset=has_offset)
        good &= np.isfinite(found.root).all(axis=(1, 2))
        tol = tolerance(self.options, self._dtype)
        return good & (found.decrement <= np.maximum(MORE_LEFT * tol, 8 * ended.outcome.floor))

    def settle(self, left: Left, recession: np.ndarray | None = None) -> None:
        """Write the fits of some segments; `recession` [k, p] tells which run to infinity."""
        fits, segments, family = self.fits, self.segments, self.objective.family
        which, found, order = left.which, left.found, self.segments.problem.order
        if which.size == 0:
            return
        outcome, sums, keep = found.outcome, found.sums, found.keep
        if recession is None:
            recession = np.zeros(keep.shape)
        separated: Any = recession.any(axis=1)
        root = found.root.astype(float)
        for lane in np.flatnonzero(~np.isfinite(root).all(axis=(1, 2))):
            root[lane] = root_of_inverse(sums.info[lane].astype(float)).dense * keep[lane][:, None]
        place = which[:, None], order
        fits.coef[place] = np.where(keep, left.coefficients, np.nan)
        covariance = fits.covariance
        covariance.root.dense[place] = root
        covariance.aliased[place] = ~keep
        covariance.recession[place] = recession
        rounding = rounding_is_left(family, sums, found.statistics.weight_sum, found.null.average)
        covariance.scale[which] = np.where(rounding, np.nan, found.statistics.scale)
        if covariance.df is not None:
            covariance.df[which] = found.statistics.df_resid
        fits.absent[place] = self.absent[which]
        scalars = {
            **found.statistics._asdict(),
            "likelihood_params": family.n_likelihood_params + (found.shape is not None),
            "objective": outcome.loss,
            "decrement": np.where(separated, outcome.decrement, found.decrement),
            "n_rows": segments.sizes[which],
            "n_patterns": segments.sizes[which],
            "turns": outcome.turns,
            "status": np.where(separated, int(Status.SEPARATED), outcome.status),
        }
        if found.shape is not None:
            scalars |= found.shape._asdict()
            fits.shaped[which] = True
        for name, values in scalars.items():
            fits.scalars[name][which] = values
        chosen = REDUCED if self.options.reduced else self.options.method
        changed = outcome.observed & (chosen == "irls") & (not family.canonical)
        unusual = changed | separated | (outcome.stop != int(Stop.DECREMENT))
        unusual |= chosen != fits.usual.method
        for lane in np.flatnonzero(unusual):
            method = "irls+newton" if changed[lane] else chosen
            words = "" if separated[lane] else Stop(int(outcome.stop[lane])).words
            fits.say(int(which[lane]), Words(method, words))
        self.done[which] = True
        self.progress(which.size)
