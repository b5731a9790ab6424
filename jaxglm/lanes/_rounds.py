"""Owns the search for every segment's optimum: rounds over lanes, and single fits for the rest.

The order of attempts is that of a single fit: the plain loop, the decision on rank, the test of
separation. Each is a round over the segments that need it. What is left (another method, a link
that confines the means, ill-conditioned columns, very many rows) is fitted one by one.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.algebra import root_of_inverse
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.lanes._buckets import SCRATCH
from jaxglm.lanes._fits import Fits, Words
from jaxglm.lanes._lanes import LaneInput, LaneOptions, Lanes, fit_lane
from jaxglm.lanes._ordinary import End, ordinary
from jaxglm.lanes._packing import Layout, Packing
from jaxglm.lanes._rank import rank_of
from jaxglm.lanes._separation import recession_directions, relations_at_limits
from jaxglm.lanes._short_way import ShortOptions, serves, short_way
from jaxglm.lanes._sums import LaneSums
from jaxglm.lanes._workers import workers
from jaxglm.rows import Problem, Replicas, Segments, merge_rows
from jaxglm.search import (
    REDUCED,
    Fit,
    Options,
    RangeError,
    estimate_all,
    fit_of,
    has_unknown_shape,
)
from jaxglm.search._notes import search_notes
from jaxglm.search._settings import AT_BETA, AT_INITIAL_MEANS, smallest_pivot, tolerance
from jaxglm.search._short_way import MORE_LEFT
from jaxglm.search._statistics import rounding_is_left
from jaxglm.solvers import Stop
from jaxglm.sources import Block
from jaxglm.sums import Objective, digits_are_lost

# Turns of the first round. Nearly all lanes need fewer; one that needs many would keep its block
# waiting, so it starts again among its like.
_FEW_TURNS = 10


def fit_segments(
    segments: Segments | Replicas,
    family: Family,
    options: Options,
    *,
    names: Sequence[str],
    max_memory: float,
    progress: Callable[[int], object],
) -> Fits:
    """Fit every segment, each as if it were alone.

    Parameters
    ----------
    segments : Segments or Replicas
    family : Family
        As given; a negative binomial shape that is not given is estimated segment by segment.
    options : Options
    names : sequence of str
        Of the columns, for words about them.
    max_memory : float
        Bytes that the rows in work may take.
    progress : callable
        Told how many segments have been done since the last call.

    Returns
    -------
    Fits
        nan, status `INVALID` and words for a segment that cannot be fitted.
    """
    problem = segments.problem
    method = options.method if isinstance(options.method, str) else "optax"
    usual = REDUCED if options.reduced else method, Stop.DECREMENT.words
    use_t = not family.dispersion_fixed
    fits = Fits.empty(segments.count, problem.n_columns, usual, use_t=use_t)
    progress(segments.count - segments.ready.size)
    fit_some = functools.partial(_fit_some, segments, family, fits, names, max_memory)
    fit_some(options, segments.ready, progress)
    separated = np.flatnonzero(fits.scalars["status"] == int(Status.SEPARATED))
    if options.reduce_separated and separated.size:
        fits.forget_limits(separated)
        again = dataclasses.replace(options, method="irls", start=None, reduced=True)
        fit_some(again, separated, lambda count: None)
    for g, why in segments.failed.items():
        fits.refuse(g, why)
    return fits


def _fit_some(
    segments: Segments | Replicas,
    family: Family,
    fits: Fits,
    names: Sequence[str],
    max_memory: float,
    options: Options,
    which: np.ndarray,
    progress: Callable[[int], object],
) -> None:
    """Fit some segments, [k] int, into `fits`: in lanes, and one by one what lanes leave."""
    problem, alone = segments.problem, which
    in_lanes = options.method in ("irls", "newton") and not has_unknown_shape(family)
    # A dispersion to reduce the bias at is a lane's own, and takes a search about the loop.
    if in_lanes and (family.dispersion_fixed or not options.reduced):
        narrow = segments.narrowed(family)
        alone = _Rounds(segments, narrow, options, fits, which, max_memory, progress).run()
    for g in map(int, alone):
        own = segments.one(g)
        try:
            fit = _single(own, family, options)
        except RangeError as error:
            fits.refuse(g, error.told(names, problem.dtype))
        else:
            fits.put(g, fit, absent=problem.public(_absent(own)))
        progress(1)


def _absent(problem: Problem) -> np.ndarray:
    """Columns that are zero in all rows that count, [p] bool; design order."""
    live = np.flatnonzero(problem.rows.live)
    return problem.design.take_rows(live).largest() == 0


def _single(problem: Problem, family: Family, options: Options) -> Fit:
    """The fit of one segment by itself."""
    problem = merge_rows(problem, "auto")
    found, family, shape = estimate_all(problem, problem.narrowed(family), options)
    fit = fit_of(problem, family, found, shape=shape)
    notes = search_notes(problem, family, found, fit)
    return dataclasses.replace(fit, notes=tuple(note.text for note in notes))


@dataclasses.dataclass(frozen=True)
class _Left:
    """What lanes left of segments that are not settled; leaves have a leading axis of k."""

    which: np.ndarray
    found: LaneSums

    def where(self, chosen: np.ndarray) -> "_Left":
        return _Left(self.which[chosen], jax.tree.map(lambda leaf: leaf[chosen], self.found))

    @staticmethod
    def joined(parts: Iterable["_Left"]) -> "_Left":
        parts = list(parts)
        found = jax.tree.map(lambda *leaves: np.concatenate(leaves), *(p.found for p in parts))
        return _Left(np.concatenate([part.which for part in parts]), found)


class _Rounds:
    """The rounds over lanes; settled segments are written into `fits`."""

    def __init__(
        self,
        segments: Segments | Replicas,
        family: Family,
        options: Options,
        fits: Fits,
        which: np.ndarray,
        max_memory: float,
        progress: Callable[[int], object],
    ):
        self.segments, self.family, self.options = segments, family, options
        self.fits, self.which = fits, which
        self.max_memory, self.progress = max_memory, progress
        self.p = segments.problem.n_columns
        numbers = max_memory / segments.problem.dtype.itemsize
        most = min(tuning().most_lane_rows, numbers / (self.p + SCRATCH))
        self.small = which[segments.sizes[which] <= most]
        self.order = segments.problem.order
        self.dtype = segments.problem.dtype
        self.tol = tolerance(options, self.dtype)
        penalty = None if options.penalty is None else options.penalty.take(self.order)
        reduced_at = self.dtype.type(1.0) if options.reduced else None
        self.objective = Objective(family, penalty, reduced_at)
        self.shift = self._null_shifts()
        self.absent = np.zeros((segments.count, self.p), bool)

    def run(self) -> np.ndarray:
        """All rounds; the segments that are left for single fits."""
        if self.small.size == 0:
            return self.which
        small = self._short_way(self.small)
        large = np.setdiff1d(self.which, self.small)
        if small.size == 0:
            return large
        self.lanes = Lanes.of(self.segments, self.objective, small, self.max_memory)
        everything = np.ones((self.segments.count, self.p), bool)
        few = min(_FEW_TURNS, self.options.max_turns)
        left = self._round(small, everything, few)
        if few < self.options.max_turns:
            late = np.asarray(left.found.outcome.status) == int(Status.MAX_TURNS)
            left = self._once_more(left, late, everything)
        left = self._of_full_rank(left, everything)
        if not self.options.reduced:
            left = self._separated(left)
        return np.union1d(left.which, large)

    def _short_way(self, which: np.ndarray) -> np.ndarray:
        """The segments that it leaves, of some."""
        segments, options, start = self.segments, self.options, self.options.start
        if not isinstance(segments, Segments) or not serves(self.objective, options, self.p):
            return which
        if segments.sizes[which].sum() * self.p <= tuning().small_cells:
            return which
        numbers = self.max_memory / self.dtype.itemsize / workers()
        layout = Layout.of(self.p, numbers)
        own = which[segments.sizes[which] <= layout.most_rows]
        offset = segments.problem.rows.offset
        beta = np.zeros(self.p) if start is None else start[self.order]
        shared = ShortOptions(
            beta=beta.astype(self.dtype),
            tol=self.dtype.type(self.tol),
            max_turns=np.int32(min(_FEW_TURNS, options.max_turns)),
            largest_offset=self.dtype.type(0.0 if offset is None else offset.max()),
        )
        settled = np.zeros(own.size, bool)
        for places, found in short_way(
            Packing.of(segments, own, layout),
            self.family,
            self.shift[own],
            shared,
            from_beta=start is not None,
        ):
            lanes = _Left(own[places], found)
            settled[places] = self._settled(lanes, ~found.keep)
            settled[places] &= ~digits_are_lost(found.sums, self.dtype)
            own_settled = lanes.where(settled[places])
            self._settle(own_settled, np.zeros((own_settled.which.size, self.p)))
        return np.setdiff1d(which, own[settled])

    def _null_shifts(self) -> np.ndarray:
        """The shift of each null model that takes a fit: a lane of one column."""
        shift = np.full(self.segments.count, np.nan, self.dtype)
        problem, family = self.segments.problem, self.family
        closed = family.canonical and family.link.name == "log"
        if problem.rows.offset is None or closed:
            return shift
        ones = Dense(np.ones((len(problem.rows), 1)))
        only = problem.with_block(Block(ones, problem.rows), order=np.zeros(1, int))
        intercepts = dataclasses.replace(self.segments, problem=only)
        given = LaneInput(
            np.zeros((self.small.size, 1), self.dtype),
            np.ones((self.small.size, 1), bool),
            shift[self.small],
        )
        shared = self._options(Options().max_turns)._replace(start=np.int32(AT_INITIAL_MEANS))
        lanes = Lanes.of(intercepts, Objective(family), self.small, self.max_memory)
        for places, found in lanes.over(fit_lane, self.small, given, shared):
            shift[self.small[places]] = _coefficients(found)[:, 0]
            lost = np.asarray(found.outcome.status) != int(Status.CONVERGED)
            shift[self.small[places[lost]]] = np.nan
        # Where that did not converge at once, the single fit tries on.
        self.small = self.small[np.isfinite(shift[self.small])]
        return shift

    def _options(self, turns: int) -> LaneOptions:
        options = self.options
        return LaneOptions(
            start=np.int32(AT_INITIAL_MEANS if options.start is None else AT_BETA),
            observed=np.bool_(options.method == "newton"),
            tol=self.dtype.type(self.tol),
            max_turns=np.int32(turns),
        )

    def _round(self, which: np.ndarray, keep: np.ndarray, turns: int) -> _Left:
        """Runs some segments in the columns of `keep` ([G, p]); what is not settled then."""
        start = self.options.start
        beta = np.zeros((which.size, self.p), self.dtype)
        if start is not None:
            beta += start[self.order]
        given = LaneInput(beta, keep[which], self.shift[which])
        parts = []
        for places, found in self.lanes.over(fit_lane, which, given, self._options(turns)):
            lanes = _Left(which[places], found)
            # A column asked for that took no part is zero in all rows.
            settled = self._settled(lanes, keep[lanes.which] & ~found.keep)
            self._settle(lanes.where(settled), np.zeros((int(settled.sum()), self.p)))
            parts.append(lanes.where(~settled))
        return _Left.joined(parts)

    def _settled(self, lanes: _Left, absent: np.ndarray) -> np.ndarray:
        """Those whose fit stands as it is; some lack columns asked for, [k, p] bool."""
        self.absent[lanes.which] |= absent
        found = lanes.found
        settled = self._ordinary(found) & (self.options.reduced | (found.sums.far == 0))
        if self._vanishing:
            settled &= ~absent.any(axis=1)
        return settled

    @functools.cached_property
    def _vanishing(self) -> bool:
        """Whether columns hold numbers that a device takes for zero: a single fit refuses them."""
        design: Any = self.segments.problem.design
        values = np.asarray(getattr(design, "numeric", design).values)
        least = np.finfo(self.dtype).tiny
        return bool(((values > -least) & (values < least) & (values != 0)).any())

    def _once_more(self, left: _Left, chosen: np.ndarray, keep: np.ndarray) -> _Left:
        """With the loops of the chosen ones run again, in all the turns that they may take."""
        if not chosen.any():
            return left
        again = self._round(left.which[chosen], keep, self.options.max_turns)
        return _Left.joined([left.where(~chosen), again])

    def _of_full_rank(self, left: _Left, keep: np.ndarray) -> _Left:
        """With aliased columns left out where the information was singular."""
        singular = np.flatnonzero(left.found.outcome.status == int(Status.SINGULAR))
        if singular.size == 0:
            return left
        which = left.which[singular]
        rank = rank_of(self.lanes, which, smallest_pivot(self.dtype))
        keep[which] = rank.keep
        for place, relations in rank.relations.items():
            self.fits.relate(int(which[place]), relations)
        chosen = np.zeros(left.which.size, bool)
        chosen[singular] = rank.sound & (rank.keep != left.found.keep[singular]).any(axis=1)
        return self._once_more(left, chosen, keep)

    def _separated(self, left: _Left) -> _Left:
        """Without those that are separated, or have an optimum although rows have gone far."""
        far = np.flatnonzero(left.found.sums.far > 0)
        if far.size == 0:
            return left
        lanes = left.where(far)
        recession = recession_directions(
            self.lanes,
            lanes.which,
            beta=_coefficients(lanes.found).astype(self.dtype),
            null=lanes.found.null,
            keep=lanes.found.keep,
        )
        settled = recession.any(axis=1) | self._ordinary(lanes.found)
        self._settle(lanes.where(settled), recession[settled])
        rest = np.ones(left.which.size, bool)
        rest[far[settled]] = False
        return left.where(rest)

    def _ordinary(self, found: LaneSums) -> np.ndarray:
        """Lanes that a single fit would not look at again, but for rows that have gone far."""
        weight = found.statistics.weight_sum
        has_offset = self.segments.problem.rows.offset is not None
        ended = End(found.outcome, found.sums, found.null, weight)
        good = ordinary(ended, self.objective, self.dtype, has_offset=has_offset)
        good &= np.isfinite(found.root).all(axis=(1, 2))
        return good & (found.decrement <= np.maximum(MORE_LEFT * self.tol, 8 * ended.outcome.floor))

    def _settle(self, lanes: _Left, recession: np.ndarray) -> None:
        """Write the fits of some segments."""
        fits, segments, family = self.fits, self.segments, self.family
        which, found = lanes.which, lanes.found
        if which.size == 0:
            return
        outcome, sums, keep = found.outcome, found.sums, found.keep
        separated: Any = recession.any(axis=1)
        root = found.root.astype(float)
        for lane in np.flatnonzero(~np.isfinite(root).all(axis=(1, 2))):
            root[lane] = root_of_inverse(sums.info[lane].astype(float)).dense * keep[lane][:, None]
        place = which[:, None], self.order
        fits.coef[place] = np.where(keep, _coefficients(found), np.nan)
        covariance = fits.covariance
        covariance.root.dense[place] = root
        covariance.aliased[place] = ~keep
        covariance.recession[place] = recession
        if separated.any():
            self._left_open(which[separated], recession[separated], keep[separated])
        rounding = rounding_is_left(family, sums, found.statistics.weight_sum, found.null.average)
        covariance.scale[which] = np.where(rounding, np.nan, found.statistics.scale)
        if covariance.df is not None:
            covariance.df[which] = found.statistics.df_resid
        fits.absent[place] = self.absent[which]
        scalars = {
            **found.statistics._asdict(),
            "likelihood_params": family.n_likelihood_params,
            "objective": outcome.loss,
            "decrement": np.where(separated, outcome.decrement, found.decrement),
            "n_rows": segments.sizes[which],
            "n_patterns": segments.sizes[which],
            "turns": outcome.turns,
            "status": np.where(separated, int(Status.SEPARATED), outcome.status),
        }
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
        self.progress(which.size)

    def _left_open(self, which: np.ndarray, recession: np.ndarray, keep: np.ndarray) -> None:
        """Write what separation leaves open in some segments."""
        covariance = self.fits.covariance
        for place, at_limit in relations_at_limits(self.lanes, which, recession, keep).items():
            g = int(which[place])
            self.fits.relations_at_limit[g] = at_limit
            covariance.open[g] = at_limit.involved(self.p) & (covariance.recession[g] == 0)


def _coefficients(found: LaneSums) -> np.ndarray:
    """As of a single run: added in float64, to keep the digits of the correction."""
    outcome = found.outcome
    converged = outcome.status == int(Status.CONVERGED)
    step = np.where(converged[:, None], outcome.correction, 0.0)
    return np.asarray(outcome.beta, float) + step
