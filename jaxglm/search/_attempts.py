"""Owns the attempts at one optimum: which methods and starts are tried, in what order, and why.

Host code: it looks at the status of a loop once it has ended, and decides what to run next.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.algebra import Bordered, Root, factorise, root_of_inverse
from jaxglm.designs import Split
from jaxglm.families import Family
from jaxglm.penalties import Penalty, Thresholded
from jaxglm.rows import Problem
from jaxglm.search._basis import Basis
from jaxglm.search._drive import Loop, solve
from jaxglm.search._settings import (
    AT_BETA,
    AT_COMMON_MEAN,
    AT_INITIAL_MEANS,
    Options,
    Settings,
)
from jaxglm.search._statistics import worse_than_null
from jaxglm.solvers import Bent, Controls, FirstOrder, KeptFactor, Newton, Outcome, Solver, lbfgs
from jaxglm.sources import Source
from jaxglm.sums import (
    FinalSums,
    Moments,
    Objective,
    Point,
    Totals,
    final_sums,
    final_sums_diagonal,
    full_moments,
    lean_final_sums,
    null_model,
    quick_moments,
    totals_of,
)

# Float32 products pay for a program of their own in large fits. They hold as long as no pivot has
# lost half their digits.
_QUICK_PIVOT = float(np.finfo(np.float32).eps) ** 0.45
# A large fit ends so near to the optimum that the information, which changes by 1 / sqrt(n) in a
# standard error, is in error by this much. What is left may turn out to be some times as much: the
# last step removes it from the coefficients in any case.
_INFORMATION_ERROR, MORE_LEFT = 1e-10, 100
# Multiples of the log barrier, relative to the loss per row at the start; each is warm-started from
# the one before, and the last shifts the optimum by less than the loss can resolve.
_BARRIERS = 10.0 ** np.arange(-1.0, -11.0, -1.0)


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One loop that has ended, with the sums at its end (None of a sample)."""

    outcome: Outcome
    last: FinalSums | None
    method: str
    status: Status
    turns: int
    root: Root | None = None

    @property
    def sums(self) -> FinalSums:
        """The sums at the end of a loop over all rows."""
        assert self.last is not None
        return self.last

    @property
    def gamma(self) -> np.ndarray:
        # Added in float64 on the host: in float32 arithmetic the sum keeps the correction's digits.
        correction = self.outcome.correction if self.status is Status.CONVERGED else 0.0
        return np.asarray(self.outcome.beta, float) + np.asarray(correction, float)


class Search:
    """Attempts at the optimum of one problem; counts the passes over the rows.

    Attributes
    ----------
    problem, family, options : Problem, Family, Options
    penalty : Penalty or None
        In design order.
    totals : Totals
        Of the rows.
    settings : Settings
    reduced_at : float or None
        The dispersion at which the bias is taken out of the score; None where it is not.
    newton : Newton
    large, quick : bool
        Whether a pass is what the fit costs; whether float32 products pay.
    bounded : bool
        Whether steps can leave the domain of the link.
    turns, invalid : int
        Passes so far, and trials outside that domain.
    """

    def __init__(
        self,
        problem: Problem,
        family: Family,
        options: Options,
        totals: Totals | None = None,
        reduced_at: float | None = None,
    ):
        self.problem, self.family, self.options = problem, family, options
        given = options.penalty
        self.totals = totals_of(problem.source) if totals is None else totals
        self.penalty: Penalty | None = None
        if given is not None:
            self.penalty = given.take(problem.order).beside(float(self.totals.weight))
        null = null_model(self.totals, family, has_constant=problem.constant is not None)
        self.reduced_at = None if reduced_at is None else problem.dtype.type(reduced_at)
        # The score less its bias is the gradient of a loss under a canonical link, or at phi = 0.
        by_loss = not reduced_at or family.canonical
        self.newton = Newton(secant=reduced_at is not None, by_loss=by_loss)
        self.settings = Settings(
            family,
            options,
            problem.dtype,
            # Of the columns that a lasso chooses from there may be more than observations.
            0 if isinstance(self.penalty, Thresholded) else problem.n_columns,
            self.totals,
            null,
            reduced_at=self.reduced_at,
        )
        self.turns = self.invalid = 0
        n, limits = problem.source.n_rows, tuning()
        work = n * float(problem.n_columns) ** 2
        long = n >= limits.large_rows
        self.large = problem.dtype == np.float64 and (work >= limits.large_work or long)
        # Factors are summed by segments, which float32 makes no faster.
        summed = isinstance(problem.source.design, Split)
        self.quick = self.large and work >= limits.large_work and not summed
        self.bounded = bool(np.isfinite(family.link.domain(family.mean_domain)).any())

    def controls(self, **settings: Any) -> Controls:
        """The controls of a loop; float32 products must keep more of each pivot."""
        return self.settings.controls(**({"pivot": _QUICK_PIVOT} if self.quick else {}) | settings)

    def objective(self, basis: Basis) -> Objective:
        """What is minimised, in the coordinates of a basis."""
        return Objective(self.family, basis.penalty(self.penalty), self.reduced_at)

    def run(
        self,
        basis: Basis,
        source: Source,
        solver: Solver,
        method: str,
        at: Point,
        controls: Controls,
        kernel: Callable[..., Moments] = full_moments,
        kept: KeptFactor | Bent | None = None,
        share: int = 1,
    ) -> Attempt:
        """One loop over every `share`-th part of the rows."""
        few = source.design.gram_cells <= tuning().most_cells
        final = lean_final_sums if self.large else final_sums
        loop = Loop(
            at,
            controls,
            self.settings.null_model,
            kept,
            solver=solver,
            kernel=kernel,
            final=final if few else final_sums_diagonal,
        )
        some = source if share == 1 else source.sample(share)
        outcome, sums = solve(some, self.objective(basis), loop)
        self.turns += -(-int(outcome.turns) // share)
        self.invalid += int(outcome.invalid)
        status = Status(int(outcome.status))
        if status is Status.CONVERGED and sums is not None and self._worse_than_null(sums):
            status = Status.STEP_FAILED
        return Attempt(outcome, sums, method, status, self.turns)

    def _worse_than_null(self, sums: FinalSums) -> bool:
        # Where it is not the deviance that is minimised, the null model is none to choose for it.
        if self.penalty is not None or self.reduced_at is not None:
            return False
        of, null = self.totals, self.settings.null_model
        return bool(worse_than_null(self.family, sums, of.weight, null, has_offset=of.has_offset))

    @property
    def kernel(self) -> Callable[..., Moments]:
        """What makes the sums with the information matrix, from every source."""
        return quick_moments if self.quick else full_moments

    @property
    def reach(self) -> float:
        """How near to the optimum, in standard errors, a large fit is to end."""
        return max(_INFORMATION_ERROR * float(np.sqrt(self.totals.nobs)), self.settings.tol)

    def settled(self, found: Attempt) -> Attempt:
        """The attempt with the Newton step of its exact sums, and the decrement that these tell."""
        root = root_of_inverse(found.sums.info) if found.root is None else found.root
        phi = self.dispersion(found.sums)
        score = np.asarray(found.sums.score, float)
        outcome = found.outcome._replace(
            beta=found.gamma,
            correction=-root.times(score),
            decrement=root.norm(score) / np.sqrt(phi) if phi > 0 else 0.0,
        )
        return dataclasses.replace(found, outcome=outcome, root=root)

    def is_near(self, settled: Attempt) -> bool:
        """Whether the sums of a settled attempt were made as near to the optimum as foreseen."""
        outcome = settled.outcome
        return bool(outcome.decrement <= max(MORE_LEFT * self.reach, 8 * outcome.floor))

    def dispersion(self, sums: Any) -> float:
        """The dispersion by which distances are told, from sums over all rows."""
        controls = self.controls()
        df = float(controls.residual_df)
        return float(sums.pearson) / df if df > 0 else float(controls.fixed)

    def attempts(self, basis: Basis, source: Source) -> Attempt:
        """The chosen method from its start, then the others: the first that converges answers."""
        zeros = np.zeros(int(basis.keep.sum()))
        chosen = self.options.method
        if source.design.gram_cells > tuning().most_cells:
            return self._first_order(basis, source)
        newton_like = [
            ("irls", AT_INITIAL_MEANS, False),
            ("irls", AT_COMMON_MEAN, False),
            ("newton", AT_COMMON_MEAN, True),
        ]
        if chosen == "newton":
            newton_like = [("newton", AT_INITIAL_MEANS, True), *newton_like[:2]]
        best: Attempt | None = None
        if chosen not in ("irls", "newton"):
            best = self._first_order(basis, source)
            if best.status is Status.CONVERGED:
                return self._if_determined(best)
        elif self.options.start is not None:
            at = self.settings.point(self.given(basis), AT_BETA, observed=chosen == "newton")
            best = self.run(basis, source, Newton(), chosen, at, self.controls(), self.kernel)
            at_edge = self.bounded and best.status is Status.STEP_FAILED
            # Rounding that hides this much tells of a start out of all measure, not of an optimum.
            resolved = float(best.outcome.floor) < 1e-2
            if at_edge or (best.status is Status.CONVERGED and resolved):
                return best
        for method, start, observed in newton_like:
            at = self.settings.point(zeros, start, observed=observed)
            found = self.run(basis, source, Newton(), method, at, self.controls(), self.kernel)
            if found.status in (Status.CONVERGED, Status.SINGULAR):
                return found
            if self.bounded and found.status is Status.STEP_FAILED:
                return found  # at the edge of the domain, where the barrier goes on
            if best is None or not found.outcome.loss >= best.outcome.loss:
                best = found
        assert best is not None
        return best

    def given(self, basis: Basis) -> np.ndarray:
        """The caller's start in the coordinates of a basis."""
        assert self.options.start is not None
        return basis.coordinates(self.options.start[self.problem.order])

    def level(self, basis: Basis) -> np.ndarray:
        """Coefficients whose means are about the average response, where there is an intercept."""
        gamma = np.zeros(int(basis.keep.sum()))
        if self.problem.constant is not None and basis.transform is None:
            shift = float(self.totals.offset / max(self.totals.rows, 1))
            level = float(self.family.link.link(jnp.asarray(self.settings.null.inside)))
            column, value = self.problem.constant
            gamma[int(basis.keep[:column].sum())] = (level - shift) / value
        return gamma

    def _if_determined(self, found: Attempt) -> Attempt:
        """The attempt, or the same marked `SINGULAR`: gradients do not tell collinear columns."""
        information = found.sums.info
        if not isinstance(information, Bordered) and information.ndim == 1:
            return found
        factor = factorise(
            jax.tree.map(jnp.asarray, information), jnp.zeros((), self.problem.dtype)
        )
        sound = float(factor.pivot) > self.settings.smallest_pivot
        return found if sound else dataclasses.replace(found, status=Status.SINGULAR)

    def _first_order(self, basis: Basis, source: Source) -> Attempt:
        chosen, given = self.options.method, self.options.start
        named = isinstance(chosen, str)
        solver = FirstOrder(lbfgs() if named else chosen)
        # A first-order method is slow from far away.
        gamma = self.level(basis) if given is None else self.given(basis)
        # The scaled score must reach its tolerance by gradient steps alone, without the quadratic
        # end of Newton's method: a thousand times the decrement's tolerance is within reach. In
        # float32 that would be too loose; there the rounding floor ends the search.
        tol = min(1e3 * self.settings.tol, 1e-5) if self.options.tol is None else self.options.tol
        return self.run(
            basis,
            source,
            solver,
            "lbfgs" if named else "optax",
            self.settings.point(gamma, AT_BETA),
            self.controls(tol=tol)._replace(max_turns=np.int32(50 * self.options.max_turns)),
        )

    def barrier(self, basis: Basis, source: Source) -> Attempt | None:
        """The constrained optimum, approached from inside by a shrinking log barrier.

        Returns the interior optimum if it turns out that there is one, else the boundary point, or
        None where no valid point to start from is known.
        """
        zeros = np.zeros(int(basis.keep.sum()))
        at = self.settings.point(zeros, AT_COMMON_MEAN, barrier=_BARRIERS[0])
        last: Attempt | None = None
        for barrier in _BARRIERS:
            at = at._replace(barrier=self.problem.dtype.type(barrier))
            controls = self.controls(pivot=0.0, tol=1e-4)
            found = self.run(basis, source, Newton(), "barrier", at, controls)
            if found.status not in (Status.CONVERGED, Status.STEP_FAILED, Status.MAX_TURNS):
                break
            last = found
            at = self.settings.point(np.asarray(found.outcome.beta), AT_BETA)
        if last is None:
            return None
        polished = self.run(basis, source, Newton(), "barrier", at, self.controls(pivot=0.0))
        if polished.status is Status.CONVERGED:
            return polished
        return dataclasses.replace(last, status=Status.BOUNDARY, turns=self.turns)

    def damped(self, found: Attempt, basis: Basis, source: Source) -> Attempt:
        """Go on from an attempt that met a singular information matrix, with damping."""
        gamma = np.asarray(found.outcome.beta)
        start = AT_BETA if np.isfinite(found.outcome.loss) else AT_INITIAL_MEANS
        at = self.settings.point(gamma, start)
        return self.run(basis, source, self.newton, found.method, at, self.controls(pivot=0.0))
