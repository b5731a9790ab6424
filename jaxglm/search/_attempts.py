"""Owns the attempts at one optimum: which methods and starts are tried, in what order, and why.

Host code: it looks at the status of a compiled loop once it has ended, and decides what to run
next.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import Bordered, Root, factorise, root_of_inverse
from jaxglm.designs import Split
from jaxglm.families import Family
from jaxglm.rows import Problem
from jaxglm.search._basis import MOST_COLUMNS, Basis
from jaxglm.search._drive import on_device
from jaxglm.search._separation import recession_direction, separated_levels
from jaxglm.search._settings import Options, Settings, facts_of
from jaxglm.solvers import Controls, FirstOrder, Kept, Newton, Outcome, Solver, lbfgs, unfactored
from jaxglm.sources import Resident
from jaxglm.sums import (
    FinalSums,
    Moments,
    Point,
    diagonal_moments,
    fastest_kernel,
    final_sums,
    final_sums_diagonal,
    full_moments,
    quick_moments,
)

AT_BETA, AT_INITIAL_MEANS, AT_COMMON_MEAN = 0, 1, 2
# An information matrix of more numbers than this (800 MB) would fill the memory: the fit is by a
# first-order method, and goes without standard errors.
MOST_CELLS = 100_000_000
# From so many rows or products on, a pass is what a fit costs, and it takes the short way.
LARGE_ROWS = 100_000
# From so many products on, float32 products pay for a program of their own. They hold as long as no
# pivot has lost half their digits.
LARGE_WORK = 1e8
_QUICK_PIVOT = float(np.finfo(np.float32).eps) ** 0.45
# A sample has at least so many tiles, and rows for each column; it skips at most so many tiles.
_LEAST_TILES, _MOST_STRIDE = 4, 16
_ROWS_PER_COLUMN, _LEAST_INFORMATION = 20, 20.0
# The short way ends so near to the optimum that the information, which changes by 1 / sqrt(n) in a
# standard error, is in error by this much. What is left may turn out to be some times as much: the
# last step removes it from the coefficients in any case.
_INFORMATION_ERROR, MORE_LEFT = 1e-10, 100
_MOST_ROUNDS = 3
# A sample of so many rows for each column knows the information to three per cent.
_ROWS_TO_KEEP = 1000
# Multiples of the log barrier, relative to the loss per row at the start; each is warm-started from
# the one before, and the last shifts the optimum by less than the loss can resolve.
_BARRIERS = 10.0 ** np.arange(-1.0, -11.0, -1.0)


@dataclasses.dataclass(frozen=True)
class Run:
    """One compiled loop that has ended, with the sums at its end."""

    outcome: Outcome
    sums: FinalSums
    method: str
    status: Status
    turns: int
    root: Root | None = None

    @property
    def gamma(self) -> np.ndarray:
        # Added in float64 on the host: in float32 arithmetic the sum keeps the correction's digits.
        correction = self.outcome.correction if self.status is Status.CONVERGED else 0.0
        return np.asarray(self.outcome.beta, float) + np.asarray(correction, float)


class Search:
    """The sequence of attempts on one problem; counts the passes over the rows."""

    def __init__(self, problem: Problem, family: Family, options: Options):
        self.problem, self.family, self.options = problem, family, options
        facts = facts_of(problem, family, problem.constant is not None)
        self.set = Settings(family, options, problem.dtype, problem.n_columns, facts)
        self.turns = self.invalid = 0
        work = problem.y.size * float(problem.n_columns) ** 2
        long = problem.y.size >= LARGE_ROWS
        self.large = problem.dtype == np.float64 and (work >= LARGE_WORK or long)
        # Factors are summed by segments, which float32 makes no faster.
        self.quick = self.large and work >= LARGE_WORK and not isinstance(problem.design, Split)
        self.bounded = bool(np.isfinite(family.link.domain(family.mean_domain)).any())
        self.middle = self.set.middle

    def _typical_weight(self) -> float:
        """The information of one row about its linear predictor, at the average response."""
        center = jnp.asarray(self.set.facts.center)
        eta = self.family.link.link(center)
        return float(self.family.fisher_weight(center, eta))

    def controls(self, **settings: Any) -> Controls:
        """The controls of a loop; float32 products must keep more of each pivot."""
        return self.set.controls(**({"pivot": _QUICK_PIVOT} if self.quick else {}) | settings)

    def run(
        self,
        source: Resident,
        solver: Solver,
        method: str,
        at: Point,
        controls: Controls,
        kernel: Callable[..., Moments] = full_moments,
        kept: Kept | None = None,
    ) -> Run:
        stride, few = int(source.stride), source.tiles.design.gram_cells <= MOST_CELLS
        outcome, sums = jax.device_get(
            on_device(
                source,
                self.family,
                at,
                controls,
                self.middle,
                kept,
                solver=solver,
                kernel=kernel,
                final=final_sums if few else final_sums_diagonal,
            )
        )
        self.turns += -(-int(outcome.turns) // stride)
        self.invalid += int(outcome.invalid)
        return Run(outcome, sums, method, Status(int(outcome.status)), self.turns)

    def first_methods(self, basis: Basis, source: Resident) -> Run:
        """The first method that converges: large fits by the short way, while it will do."""
        few = source.tiles.design.gram_cells <= MOST_CELLS
        if self.large and few and self.options.method == "irls":
            run = self._short_way(basis, source)
            if run is not None:
                return run
        if self.quick:
            run = self._attempts(basis, source)
            if run.status is Status.CONVERGED:
                return run
            self.quick = False
        return self._attempts(basis, source)

    def _short_way(self, basis: Basis, source: Resident) -> Run | None:
        """IRLS, from the optimum of a sample if that can be had, ended by a step on exact sums.

        Close to an optimum, Newton's method squares the distance at each turn. So the loop may end
        when the step in hand is foreseen to leave next to nothing; the pass that makes the sums
        for the statistics then tells what is left, exactly, and one more step removes it.
        """
        kernel = quick_moments if self.quick else full_moments
        design = source.tiles.design
        kept = unfactored(design.n_columns, design.n_eliminated, self.problem.dtype)
        if self.options.start is not None:
            at = self.set.point(self._given(basis), AT_BETA)
        else:
            at, kept = self._sampled(basis, source, kernel, kept)
        kernel = fastest_kernel(kernel, source, self.family, at)
        reach = max(_INFORMATION_ERROR * np.sqrt(self.set.facts.nobs), self.set.tol)
        for _ in range(_MOST_ROUNDS):
            controls = self.controls(reach=reach)
            run = self.run(source, Newton(), "irls", at, controls, kernel, kept)
            if run.status is not Status.CONVERGED:
                return None
            settled = self._settled(run)
            if settled.outcome.decrement <= max(MORE_LEFT * reach, 8 * run.outcome.floor):
                return settled
            at = self.set.point(settled.gamma, AT_BETA)
            kept = run.outcome.kept._replace(use=np.bool_(False))
        return None

    def _settled(self, run: Run) -> Run:
        """The run with the Newton step of its exact sums, and the decrement that these tell."""
        root = root_of_inverse(run.sums.info)
        df = self.controls().residual_df
        phi = float(run.sums.pearson) / float(df) if df > 0 else 1.0
        score = np.asarray(run.sums.score, float)
        outcome = run.outcome._replace(
            beta=run.gamma,
            correction=-root.times(score),
            decrement=root.norm(score) / np.sqrt(phi) if phi > 0 else 0.0,
        )
        return dataclasses.replace(run, outcome=outcome, root=root)

    def _sampled(
        self, basis: Basis, source: Resident, kernel: Callable[..., Moments], kept: Kept
    ) -> tuple[Point, Kept]:
        """Where a sample of the tiles has its optimum, and its factor, if it says enough."""
        n, k = self.problem.y.size, int(basis.keep.sum())
        first = self.set.point(np.zeros(k), AT_INITIAL_MEANS)
        stride = min(source.n_tiles // _LEAST_TILES, n // (_ROWS_PER_COLUMN * k), _MOST_STRIDE)
        if stride >= 2 and isinstance(self.problem.design, Split):
            # A level without an event in the sample would start far off: a start worse than none.
            rarest = self.problem.design.least_rows * self._typical_weight()
            stride = min(stride, int(rarest / _LEAST_INFORMATION))
        if stride < 2:
            return first, kept
        # To within a standard error of the sample, which is several of the whole.
        controls = self.controls(tol=1.0, share=1 / stride, final=False)
        run = self.run(source.sample(stride), Newton(), "irls", first, controls, kernel, kept)
        if run.status is not Status.CONVERGED:
            return first, kept
        sampled = run.outcome.kept.of_more_rows(stride)
        enough = n >= _ROWS_TO_KEEP * k * stride
        return self.set.point(run.gamma, AT_BETA), sampled if enough else kept

    def _attempts(self, basis: Basis, source: Resident) -> Run:
        """The chosen method from its start, then the others: the first that converges answers."""
        kernel = quick_moments if self.quick else full_moments
        k = int(basis.keep.sum())
        zeros = np.zeros(k)
        chosen = self.options.method
        if source.tiles.design.gram_cells > MOST_CELLS:
            return self._first_order(basis, source)
        kernel = fastest_kernel(
            kernel, source, self.family, self.set.point(zeros, AT_INITIAL_MEANS)
        )
        newton_like = [
            ("irls", AT_INITIAL_MEANS, False),
            ("irls", AT_COMMON_MEAN, False),
            ("newton", AT_COMMON_MEAN, True),
        ]
        if chosen == "newton":
            newton_like = [("newton", AT_INITIAL_MEANS, True), *newton_like[:2]]
        run: Run | None = None
        given = self.options.start
        if chosen not in ("irls", "newton"):
            run = self._first_order(basis, source)
            if run.status is Status.CONVERGED:
                return self._if_determined(run)
        elif given is not None:
            at = self.set.point(self._given(basis), AT_BETA, observed=chosen == "newton")
            run = self.run(source, Newton(), chosen, at, self.controls(), kernel)
            at_edge = self.bounded and run.status is Status.STEP_FAILED
            # Rounding that hides this much tells of a start out of all measure, not of an optimum.
            resolved = float(run.outcome.floor) < 1e-2
            if at_edge or (run.status is Status.CONVERGED and resolved):
                return run
        best = run
        for method, start, observed in newton_like:
            at = self.set.point(zeros, start, observed=observed)
            run = self.run(source, Newton(), method, at, self.controls(), kernel)
            if run.status in (Status.CONVERGED, Status.SINGULAR):
                return run
            if self.bounded and run.status is Status.STEP_FAILED:
                return run  # at the edge of the domain, where the barrier goes on
            if best is None or not run.outcome.loss >= best.outcome.loss:
                best = run
        assert best is not None
        return best

    def _given(self, basis: Basis) -> np.ndarray:
        assert self.options.start is not None
        return basis.coordinates(self.options.start[self.problem.order])

    def _if_determined(self, run: Run) -> Run:
        """The run, or the same marked `SINGULAR`: gradients alone do not tell collinear columns."""
        information = run.sums.info
        if not isinstance(information, Bordered) and information.ndim == 1:
            return run
        factor = factorise(
            jax.tree.map(jnp.asarray, information), jnp.zeros((), self.problem.dtype)
        )
        pivot = float(factor.pivot)
        sound = pivot > self.set.smallest_pivot
        return run if sound else dataclasses.replace(run, status=Status.SINGULAR)

    def _first_order(self, basis: Basis, source: Resident) -> Run:
        chosen, given = self.options.method, self.options.start
        named = isinstance(chosen, str)
        solver = FirstOrder(lbfgs() if named else chosen)
        gamma = np.zeros(int(basis.keep.sum())) if given is None else self._given(basis)
        constant = self.problem.constant
        if given is None and constant is not None and basis.transform is None:
            # Start at the average response: a first-order method is slow from far away.
            offset = self.problem.offset
            shift = 0.0 if offset is None else float(np.mean(offset[self.problem.live]))
            level = float(self.family.link.link(jnp.asarray(self.set.facts.center)))
            column, value = constant
            gamma[int(basis.keep[:column].sum())] = (level - shift) / value
        # The scaled score must reach its tolerance by gradient steps alone, without the quadratic
        # end of Newton's method: a thousand times the decrement's tolerance is within reach. In
        # float32 that would be too loose; there the rounding floor ends the search.
        tol = min(1e3 * self.set.tol, 1e-5) if self.options.tol is None else self.options.tol
        return self.run(
            source,
            solver,
            "lbfgs" if named else "optax",
            self.set.point(gamma, AT_BETA),
            self.controls(tol=tol)._replace(max_turns=np.int32(50 * self.options.max_turns)),
            diagonal_moments,
        )

    def barrier(self, source: Resident, k: int) -> Run | None:
        """The constrained optimum, approached from inside by a shrinking log barrier.

        Returns the interior optimum if it turns out that there is one, else the boundary point, or
        None where no valid point to start from is known.
        """
        at = self.set.point(np.zeros(k), AT_COMMON_MEAN, barrier=_BARRIERS[0])
        last: Run | None = None
        for barrier in _BARRIERS:
            at = at._replace(barrier=self.problem.dtype.type(barrier))
            run = self.run(source, Newton(), "barrier", at, self.controls(pivot=0.0, tol=1e-4))
            if run.status not in (Status.CONVERGED, Status.STEP_FAILED, Status.MAX_TURNS):
                break
            last = run
            at = self.set.point(np.asarray(run.outcome.beta), AT_BETA)
        if last is None:
            return None
        polished = self.run(source, Newton(), "barrier", at, self.controls(pivot=0.0))
        if polished.status is Status.CONVERGED:
            return polished
        return dataclasses.replace(last, status=Status.BOUNDARY, turns=self.turns)

    def damped(self, run: Run, source: Resident) -> Run:
        """Go on from a run that met a singular information matrix, with damping."""
        gamma = np.asarray(run.outcome.beta)
        start = AT_BETA if np.isfinite(run.outcome.loss) else AT_INITIAL_MEANS
        return self.run(
            source, Newton(), run.method, self.set.point(gamma, start), self.controls(pivot=0.0)
        )

    def recession(self, run: Run, source: Resident, basis: Basis) -> np.ndarray | None:
        """Columns [p], design order, whose coefficients run to infinity; None for none."""
        if run.sums.far == 0:
            return None
        if run.gamma.size > MOST_COLUMNS:
            return self._separated_levels(run, source, basis)
        found = recession_direction(source, self.family, run.gamma, self.middle)
        if found is None:
            return None
        moved = np.zeros(basis.keep.size)
        if basis.transform is None:
            moved[basis.keep] = found.direction * found.lengths
        else:
            lengths = np.linalg.norm(basis.transform, axis=0)
            moved[basis.keep] = basis.coefficients(found.direction)[basis.keep] * lengths
        return np.abs(moved) > 1e-6 * np.abs(moved).max()

    def _separated_levels(self, run: Run, source: Resident, basis: Basis) -> np.ndarray | None:
        """Of very many columns only the levels of the eliminated factor are looked at."""
        count = source.tiles.design.n_eliminated
        if count == 0:
            return None
        gone = separated_levels(source, self.family, run.gamma, self.middle)
        moved = np.zeros(basis.keep.size, bool)
        moved[np.flatnonzero(basis.keep)[-count:]] = gone
        return moved if gone.any() else None
