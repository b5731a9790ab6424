"""Owns the search for every segment's optimum: rounds over lanes, and single fits for the rest.

The order of attempts is that of a single fit: the plain loop, the decision on rank, the test of
separation. Each is a round over the segments that need it. What is left (another method, a link
that confines the means, ill-conditioned columns, very many rows) is fitted one by one.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.lanes._buckets import SCRATCH
from jaxglm.lanes._fits import Fits
from jaxglm.lanes._lanes import LaneInput, LaneOptions, Lanes, fit_lane
from jaxglm.lanes._rank import rank_of
from jaxglm.lanes._separation import recession_directions, relations_at_limits
from jaxglm.lanes._settled import Left, Settling
from jaxglm.lanes._shaped import fit_shaped
from jaxglm.lanes._short_loop import LaneGiven
from jaxglm.lanes._short_way import ShortWay, serves, together
from jaxglm.lanes._sums import LaneSums
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
from jaxglm.solvers import Stop
from jaxglm.sources import Block
from jaxglm.sums import Objective

# Turns of the first round. Nearly all lanes need fewer; one that needs many would keep its block
# waiting, so it starts again among its like. On the short way more turns cost less than the program
# of the other.
_FEW_TURNS, _SHORT_TURNS = 10, 30


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
    if has_unknown_shape(family):
        alone = fit_shaped(segments, family, options, fits, which, max_memory, progress)
    # A dispersion to reduce the bias at is a lane's own, and takes a search about the loop.
    elif options.method in ("irls", "newton") and (family.dispersion_fixed or not options.reduced):
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
        self.fits, self.which, self.max_memory = fits, which, max_memory
        self.p = segments.problem.n_columns
        self.order = segments.problem.order
        self.dtype = segments.problem.dtype
        self.numbers = max_memory / self.dtype.itemsize
        self.tol = tolerance(options, self.dtype)
        most = min(tuning().most_lane_rows, self.numbers / (self.p + SCRATCH))
        self.small = which[segments.sizes[which] <= most]
        penalty = None if options.penalty is None else options.penalty.take(self.order)
        reduced_at = self.dtype.type(1.0) if options.reduced else None
        self.objective = Objective(family, penalty, reduced_at)
        # The columns that each segment is to have.
        self.keep = np.ones((segments.count, self.p), bool)
        absent, done = np.zeros_like(self.keep), np.zeros(segments.count, bool)
        self.settling = Settling(segments, self.objective, options, fits, progress, absent, done)
        self.shift = self._null_shifts()

    def run(self) -> np.ndarray:
        """All rounds; the segments that are left for single fits."""
        large = np.setdiff1d(self.which, self.small)
        left = self._first_round(self.small)
        if left is None:
            return large
        left = self._of_full_rank(left)
        if not self.options.reduced:
            left = self._separated(left)
        return np.union1d(left.which, large)

    @functools.cached_property
    def lanes(self) -> Lanes:
        """The programs of the full loop, of shapes for all that is unsettled when first asked."""
        unsettled = self.small[~self.settling.done[self.small]]
        return Lanes.of(self.segments, self.objective, unsettled, self.max_memory)

    def _first_round(self, which: np.ndarray) -> Left | None:
        """What is not settled of some segments, in all their columns; None where all are."""
        by_short_way = self._takes_short_way(which)
        short, others = which[by_short_way], which[~by_short_way]
        parts: list[Left | None] = []
        if short.size:
            left = self._short_way(short)
            # What is wrong with these the full loop would find out once more.
            known = np.asarray(left.found.outcome.status) == int(Status.SINGULAR)
            known &= (np.asarray(left.found.sums.far) == 0) & (
                np.asarray(left.found.sums.lost) == 0
            )
            again = self._round(left.which[~known], self.options.max_turns)
            parts += [left.where(known), again]
        few = min(_FEW_TURNS, self.options.max_turns)
        rest = self._round(others, few)
        if rest is not None and few < self.options.max_turns:
            late = np.asarray(rest.found.outcome.status) == int(Status.MAX_TURNS)
            rest = self._once_more(rest, late)
        found = [part for part in (*parts, rest) if part is not None and part.which.size]
        return Left.joined(found) if found else None

    def _takes_short_way(self, which: np.ndarray) -> np.ndarray:
        """Whether the short way serves some segments, [k] bool."""
        if self._few or not serves(self.segments, self.objective, self.options):
            return np.zeros(which.size, bool)
        return self.segments.sizes[which] <= self._short.most_rows

    @functools.cached_property
    def _few(self) -> bool:
        """Whether all rows take less than a program takes to compile."""
        return self.segments.sizes[self.small].sum() * self.p <= tuning().small_cells

    @functools.cached_property
    def _short(self) -> ShortWay:
        assert isinstance(self.segments, Segments)  # as `serves` has it
        return ShortWay(self.segments, self.family, self.options, self.max_memory, _SHORT_TURNS)

    def _short_way(self, which: np.ndarray) -> Left:
        """What the short way leaves of some segments, in the columns that they are to have."""
        job = self._short.job(which, LaneGiven(self.shift[which], self.keep[which]))
        return self._unsettled(which, ((places, sums) for _, places, sums in together(job)))

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
            shift[self.small[places]] = Left(self.small[places], found).coefficients[:, 0]
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

    def _round(self, which: np.ndarray, turns: int) -> Left | None:
        """What the full loop leaves of some segments, in the columns that they are to have."""
        if which.size == 0:
            return None
        start = self.options.start
        beta = np.zeros((which.size, self.p), self.dtype)
        if start is not None:
            beta += start[self.order]
        given = LaneInput(beta, self.keep[which], self.shift[which])
        return self._unsettled(which, self.lanes.over(fit_lane, which, given, self._options(turns)))

    def _unsettled(self, which: np.ndarray, found: Iterable[tuple[np.ndarray, LaneSums]]) -> Left:
        """Some segments, as lanes bring them, less those that are settled; these are written."""
        parts = []
        for places, sums in found:
            left = Left(which[places], sums)
            settled = self.settling.settled(left, self.keep[left.which])
            self.settling.settle(left.where(settled))
            parts.append(left.where(~settled))
        return Left.joined(parts)

    def _once_more(self, left: Left, chosen: np.ndarray) -> Left:
        """With the loops of the chosen ones run again, in all the turns that they may take."""
        if not chosen.any():
            return left
        which = left.which[chosen]
        short = self._takes_short_way(which)
        parts = [left.where(~chosen)]
        if short.any():
            tried = self._short_way(which[short])
            which = np.concatenate([which[~short], tried.which])
        again = self._round(which, self.options.max_turns)
        return Left.joined(part for part in (*parts, again) if part is not None)

    def _of_full_rank(self, left: Left) -> Left:
        """With aliased columns left out where the information was singular."""
        singular = np.flatnonzero(left.found.outcome.status == int(Status.SINGULAR))
        if singular.size == 0:
            return left
        which = left.which[singular]
        rank = rank_of(self.lanes, which, smallest_pivot(self.dtype))
        self.keep[which] = rank.keep
        for place, relations in rank.relations.items():
            self.fits.relate(int(which[place]), relations)
        chosen = np.zeros(left.which.size, bool)
        chosen[singular] = rank.sound & (rank.keep != left.found.keep[singular]).any(axis=1)
        return self._once_more(left, chosen)

    def _separated(self, left: Left) -> Left:
        """Without those that are separated, or have an optimum although rows have gone far."""
        far = np.flatnonzero(left.found.sums.far > 0)
        if far.size == 0:
            return left
        lanes = left.where(far)
        recession = recession_directions(
            self.lanes,
            lanes.which,
            beta=lanes.coefficients.astype(self.dtype),
            null=lanes.found.null,
            keep=lanes.found.keep,
        )
        separated = recession.any(axis=1)
        settled = separated | self.settling.ordinary(lanes)
        self.settling.settle(lanes.where(settled), recession[settled])
        if separated.any():
            keep = lanes.found.keep[separated]
            self._left_open(lanes.which[separated], recession[separated], keep)
        rest = np.ones(left.which.size, bool)
        rest[far[settled]] = False
        return left.where(rest)

    def _left_open(self, which: np.ndarray, recession: np.ndarray, keep: np.ndarray) -> None:
        """Write what separation leaves open in some segments."""
        covariance = self.fits.covariance
        for place, at_limit in relations_at_limits(self.lanes, which, recession, keep).items():
            g = int(which[place])
            self.fits.relations_at_limit[g] = at_limit
            covariance.open[g] = at_limit.involved(self.p) & (covariance.recession[g] == 0)
