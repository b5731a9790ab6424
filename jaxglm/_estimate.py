"""Owns the search for the optimum: which methods and starts are tried, in what order, and why.

Imports `_conditioning`, `_separation`, `_fastest`, `_problem`, `_drive`, solvers and families. Host
code: it looks at the status of a compiled loop once it has ended, and decides what to run next.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._conditioning import Basis, condition, out_of_range, plain_basis
from jaxglm._drive import on_device, one_pass
from jaxglm._fastest import fastest_kernel
from jaxglm._linalg import factorise
from jaxglm._moments import (
    FinalSums,
    Limits,
    Moments,
    diagonal_moments,
    final_sums,
    final_sums_diagonal,
    full_moments,
    quick_moments,
)
from jaxglm._problem import Problem
from jaxglm._rowwise import Point
from jaxglm._separation import limits_of, recession_direction
from jaxglm._status import Status
from jaxglm.families import Family
from jaxglm.solvers import Controls, FirstOrder, Newton, Outcome, Solver, Stop, lbfgs
from jaxglm.sources import Resident

AT_BETA, AT_INITIAL_MEANS, AT_COMMON_MEAN = 0, 1, 2
# Standard errors and the separation test need a p x p matrix; with more columns than this it would
# fill the memory, and a first-order fit goes without them.
MOST_COLUMNS = 10_000
# From so many products on, the information matrix is most of a pass, and float32 products pay for a
# program of their own. They hold as long as no pivot has lost half of float32's digits.
_QUICK_WORK = 1e8
_QUICK_PIVOT = float(np.finfo(np.float32).eps) ** 0.45
# Multiples of the log barrier, relative to the loss per row at the start; each is warm-started from
# the one before, and the last shifts the optimum by less than the loss can resolve.
_BARRIERS = 10.0 ** np.arange(-1.0, -11.0, -1.0)


@dataclasses.dataclass(frozen=True)
class Options:
    """What the caller chose. `tol` None follows the dtype; `start` is in public column order."""

    method: Any = "irls"
    start: np.ndarray | None = None
    tol: float | None = None
    max_turns: int = 100


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An optimum, or the best point found, in the basis in which it was found.

    `gamma` are coefficients in that basis, `beta` in public order (nan where aliased); `source`
    holds the rows in the basis, `sums` what they add up to there. `floor` is the size in standard
    errors of what rounding hides; `left_domain` tells that steps had to be shortened to stay where
    the link gives valid means. `asked` is the method tried first, `method` the one that answered.
    """

    beta: np.ndarray
    gamma: np.ndarray
    basis: Basis
    source: Resident
    sums: FinalSums
    limits: Limits
    infinite: np.ndarray
    status: Status
    stop: Stop
    asked: str
    method: str
    loss: float
    decrement: float
    floor: float
    turns: int
    left_domain: bool


@dataclasses.dataclass(frozen=True)
class _Run:
    """One compiled loop that has ended."""

    outcome: Outcome
    method: str
    status: Status
    turns: int

    @property
    def gamma(self) -> np.ndarray:
        # Added in float64 on the host: in float32 arithmetic the sum keeps the correction's digits.
        correction = self.outcome.correction if self.status is Status.CONVERGED else 0.0
        return np.asarray(self.outcome.beta, float) + np.asarray(correction, float)


class ColumnRangeError(ValueError):
    """Columns, by public position, whose squares overflow or vanish; the verb knows their names."""

    def __init__(self, columns: np.ndarray):
        super().__init__(f"columns {columns.tolist()} are out of range")
        self.columns = columns


class _Search:
    """The sequence of attempts on one problem; counts the passes over the rows."""

    def __init__(self, problem: Problem, family: Family, options: Options):
        self.problem, self.family, self.options = problem, family, options
        self.dtype = problem.dtype
        self.turns = self.invalid = 0
        eps = float(np.finfo(self.dtype).eps)
        # eps^(2/3): 4e-11 standard errors in float64, 2e-5 in float32.
        self.tol = eps ** (2 / 3) if options.tol is None else options.tol
        # Under this squared share a Gram matrix has lost more than half its digits.
        self.smallest_pivot = eps**0.45
        work = problem.y.size * float(problem.n_columns) ** 2
        self.quick = self.dtype == np.float64 and work >= _QUICK_WORK
        weight, live = problem.weight, problem.live
        self.average = float(np.dot(weight[live], problem.y[live]) / weight[live].sum())
        self.center = self._interior_mean()
        self.bounded = bool(np.isfinite(family.link.domain(family.mean_domain)).any())
        self.limits = limits_of(family, self.average, self.center, self.dtype)

    def _interior_mean(self) -> float:
        """The average response, moved inside the means that the family and the link allow."""
        lower, upper = self.family.mean_domain
        y = self.problem.y[self.problem.live]
        size = float(np.abs(y).mean()) or 1.0
        if np.isfinite(lower) and np.isfinite(upper):
            return float(np.clip(self.average, lower + 1e-3, upper - 1e-3))
        center = self.average
        eta = float(self.family.link.link(jnp.asarray(center)))
        if (np.isfinite(lower) and center <= lower) or not np.isfinite(eta):
            return max(size, 1e-3)
        return center

    def controls(self, *, damped: bool = False, tol: float | None = None) -> Controls:
        pivot = _QUICK_PIVOT if self.quick else self.smallest_pivot
        as_scalar = self.dtype.type
        estimated = not self.family.dispersion_fixed
        df = max(self.problem.nobs - self.problem.n_columns, 1.0) if estimated else 0.0
        return Controls(
            tol=as_scalar(self.tol if tol is None else tol),
            max_turns=np.int32(self.options.max_turns),
            smallest_pivot=as_scalar(0.0 if damped else pivot),
            residual_df=as_scalar(df),
            adaptive=np.bool_(not self.family.canonical),
        )

    def point(self, gamma: np.ndarray, start: int, *, observed=False, barrier=0.0) -> Point:
        as_scalar = self.dtype.type
        return Point(
            beta=np.asarray(gamma, self.dtype),
            observed=np.bool_(observed),
            start=np.int32(start),
            center=as_scalar(self.center),
            barrier=as_scalar(barrier),
        )

    def run(
        self,
        source: Resident,
        solver: Solver,
        method: str,
        at: Point,
        controls: Controls,
        kernel: Callable[..., Moments] = full_moments,
    ) -> _Run:
        outcome = jax.device_get(
            on_device(source, self.family, at, controls, solver=solver, kernel=kernel)
        )
        self.turns += int(outcome.turns)
        self.invalid += int(outcome.invalid)
        return _Run(outcome, method, Status(int(outcome.status)), self.turns)

    def first_methods(self, basis: Basis, source: Resident) -> _Run:
        """The first method that converges, with quick sums while they will do."""
        if self.quick:
            run = self._attempts(basis, source)
            if run.status is Status.CONVERGED:
                return run
            self.quick = False
        return self._attempts(basis, source)

    def _attempts(self, basis: Basis, source: Resident) -> _Run:
        """The chosen method from its start, then the others: the first that converges answers."""
        kernel = quick_moments if self.quick else full_moments
        k = int(basis.keep.sum())
        zeros = np.zeros(k)
        chosen = self.options.method
        if k > MOST_COLUMNS:
            return self._first_order(basis, source)
        kernel = fastest_kernel(kernel, source, self.family, self.point(zeros, AT_INITIAL_MEANS))
        newton_like = [
            ("irls", AT_INITIAL_MEANS, False),
            ("irls", AT_COMMON_MEAN, False),
            ("newton", AT_COMMON_MEAN, True),
        ]
        if chosen == "newton":
            newton_like = [("newton", AT_INITIAL_MEANS, True), *newton_like[:2]]
        run: _Run | None = None
        given = self.options.start
        if chosen not in ("irls", "newton"):
            run = self._first_order(basis, source)
            if run.status is Status.CONVERGED:
                return self._if_determined(run, source)
        elif given is not None:
            at = self.point(self._given(basis), AT_BETA, observed=chosen == "newton")
            run = self.run(source, Newton(), chosen, at, self.controls(), kernel)
            at_edge = self.bounded and run.status is Status.STEP_FAILED
            # Rounding that hides this much tells of a start out of all measure, not of an optimum.
            resolved = float(run.outcome.floor) < 1e-2
            if at_edge or (run.status is Status.CONVERGED and resolved):
                return run
        best = run
        for method, start, observed in newton_like:
            at = self.point(zeros, start, observed=observed)
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

    def _if_determined(self, run: _Run, source: Resident) -> _Run:
        """The run, or the same marked `SINGULAR`: gradients alone do not tell collinear columns."""
        information = jnp.asarray(self.finish(run, source).info)
        pivot = float(factorise(information, jnp.zeros((), information.dtype)).pivot)
        sound = pivot > self.smallest_pivot
        return run if sound else dataclasses.replace(run, status=Status.SINGULAR)

    def _first_order(self, basis: Basis, source: Resident) -> _Run:
        chosen, given = self.options.method, self.options.start
        named = isinstance(chosen, str)
        solver = FirstOrder(lbfgs() if named else chosen)
        gamma = np.zeros(int(basis.keep.sum())) if given is None else self._given(basis)
        constant = self.problem.constant
        if given is None and constant is not None and basis.transform is None:
            # Start at the average response: a first-order method is slow from far away.
            offset = self.problem.offset
            shift = 0.0 if offset is None else float(np.mean(offset[self.problem.live]))
            level = float(self.family.link.link(jnp.asarray(self.center)))
            column, value = constant
            gamma[int(basis.keep[:column].sum())] = (level - shift) / value
        # The scaled score must reach its tolerance by gradient steps alone, without the quadratic
        # end of Newton's method: a thousand times the decrement's tolerance is within reach. In
        # float32 that would be too loose; there the rounding floor ends the search.
        tol = min(1e3 * self.tol, 1e-5) if self.options.tol is None else self.options.tol
        return self.run(
            source,
            solver,
            "lbfgs" if named else "optax",
            self.point(gamma, AT_BETA),
            self.controls(tol=tol)._replace(max_turns=np.int32(50 * self.options.max_turns)),
            diagonal_moments,
        )

    def barrier(self, source: Resident, k: int) -> _Run | None:
        """The constrained optimum, approached from inside by a shrinking log barrier.

        Returns the interior optimum if it turns out that there is one, else the boundary point, or
        None where no valid point to start from is known.
        """
        at = self.point(np.zeros(k), AT_COMMON_MEAN, barrier=_BARRIERS[0])
        last: _Run | None = None
        for barrier in _BARRIERS:
            at = at._replace(barrier=self.dtype.type(barrier))
            run = self.run(source, Newton(), "barrier", at, self.controls(damped=True, tol=1e-4))
            if run.status not in (Status.CONVERGED, Status.STEP_FAILED, Status.MAX_TURNS):
                break
            last = run
            at = self.point(np.asarray(run.outcome.beta), AT_BETA)
        if last is None:
            return None
        polished = self.run(source, Newton(), "barrier", at, self.controls(damped=True))
        if polished.status is Status.CONVERGED:
            return polished
        return dataclasses.replace(last, status=Status.BOUNDARY, turns=self.turns)

    def damped(self, run: _Run, source: Resident) -> _Run:
        """Go on from a run that met a singular information matrix, with damping."""
        gamma = np.asarray(run.outcome.beta)
        start = AT_BETA if np.isfinite(run.outcome.loss) else AT_INITIAL_MEANS
        return self.run(
            source, Newton(), run.method, self.point(gamma, start), self.controls(damped=True)
        )

    def finish(self, run: _Run, source: Resident) -> FinalSums:
        """One pass at the solution, for the statistics and the separation test."""
        few = run.gamma.size <= MOST_COLUMNS
        return jax.device_get(
            one_pass(
                source,
                self.family,
                run.gamma.astype(self.dtype),
                self.limits,
                kernel=final_sums if few else final_sums_diagonal,
            )
        )

    def recession(
        self, run: _Run, source: Resident, basis: Basis, sums: FinalSums
    ) -> np.ndarray | None:
        """Columns [p], design order, whose coefficients run to infinity; None for none."""
        if sums.far == 0 or run.gamma.size > MOST_COLUMNS:
            return None
        found = recession_direction(source, self.family, run.gamma, self.limits)
        if found is None:
            return None
        moved = np.zeros(basis.keep.size)
        if basis.transform is None:
            moved[basis.keep] = found.direction * found.lengths
        else:
            lengths = np.linalg.norm(basis.transform, axis=0)
            moved[basis.keep] = basis.coefficients(found.direction)[basis.keep] * lengths
        return np.abs(moved) > 1e-6 * np.abs(moved).max()


def estimate(
    problem: Problem, family: Family, options: Options, *, like: Estimate | None = None
) -> Estimate:
    """Find the optimum, whatever it takes; the status of the result says what was found.

    Parameters
    ----------
    problem : Problem
        Validated host arrays.
    family : Family
        With all parameters known.
    options : Options
        Method, start, tolerance, turns.
    like : Estimate, optional
        Of the same problem under another family: its basis and its placed rows are used again.

    Returns
    -------
    Estimate

    Raises
    ------
    ColumnRangeError
        For columns so large or small that their squares overflow or vanish.
    """
    search = _Search(problem, family, options)
    if like is None:
        basis, source = plain_basis(problem), problem.place()
    else:
        basis, source = like.basis, like.source
    run = search.first_methods(basis, source)
    if run.status in (Status.SINGULAR, Status.NONFINITE):
        columns = out_of_range(problem)
        if columns.size:
            raise ColumnRangeError(columns)
    if run.status is Status.SINGULAR:
        basis, design = condition(problem, search.smallest_pivot)
        if basis.transform is not None or not basis.keep.all():
            source = problem.place(design)
            run = search.first_methods(basis, source)
    sums = search.finish(run, source)
    infinite = search.recession(run, source, basis, sums)
    if infinite is None and run.status is Status.SINGULAR:
        run = search.damped(run, source)
        sums = search.finish(run, source)
        infinite = search.recession(run, source, basis, sums)
    status = run.status if infinite is None else Status.SEPARATED
    # At the edge of the domain the expected weights grow without bound, and with them the metric in
    # which a step is measured: a small decrement there is no proof of an optimum.
    if search.bounded and status is not Status.SEPARATED and (not status.usable or sums.edge > 0):
        constrained = search.barrier(source, int(basis.keep.sum()))
        if constrained is not None:
            run, status = constrained, constrained.status
            sums = search.finish(run, source)
            status = Status.BOUNDARY if sums.edge > 0 else status

    changed = run.method == "irls" and bool(run.outcome.observed) and not family.canonical
    none = np.zeros(problem.n_columns, bool)
    return Estimate(
        beta=problem.public(basis.coefficients(run.gamma)),
        gamma=run.gamma,
        basis=basis,
        source=source,
        sums=sums,
        limits=search.limits,
        infinite=problem.public(none if infinite is None else infinite),
        status=status,
        stop=Stop(int(run.outcome.stop)),
        asked=options.method if isinstance(options.method, str) else "optax",
        method="irls+newton" if changed else run.method,
        loss=float(run.outcome.loss),
        decrement=float(run.outcome.decrement),
        floor=float(run.outcome.floor),
        turns=search.turns,
        left_domain=search.bounded and search.invalid > 0,
    )
