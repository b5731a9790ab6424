"""Owns the search for the optimum: rank, separation and boundary, around the attempts."""

import dataclasses
from collections.abc import Callable
from typing import Self

import numpy as np

from jaxglm._status import Status
from jaxglm._tuning import tuning
from jaxglm.algebra import Bordered, Root, root_of_inverse
from jaxglm.designs import Split
from jaxglm.families import Family
from jaxglm.penalties import Thresholded
from jaxglm.rows import Problem
from jaxglm.search._attempts import Attempt, Search
from jaxglm.search._basis import Basis, condition, plain_basis
from jaxglm.search._choosing import Choosing, works_in_parts
from jaxglm.search._fit import PROXIMAL
from jaxglm.search._range import RangeError, out_of_range, strained_columns, strained_response
from jaxglm.search._resolution import hidden
from jaxglm.search._separation import (
    is_flat,
    moving,
    recession_direction,
    separated_levels,
)
from jaxglm.search._settings import AT_BETA, Options
from jaxglm.search._short_way import first_methods
from jaxglm.solvers import Bent, Proximal, Stop
from jaxglm.sources import Block, Source
from jaxglm.sums import FinalSums, NullModel, Objective, Totals

# Free columns beside bounds whose scaled information has an eigenvalue under this determine each
# other.
_DEPENDENT = 1e-12


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An optimum, or the best point found, in the basis in which it was found.

    `gamma` are coefficients in that basis, `beta` in public order (nan where aliased); `source`
    holds the rows in the basis and `objective` what was minimised there, `sums` is what they add up
    to, `root` that of their inverse information (None where that was no matrix). `totals` and
    `null` tell of the response. `hidden` is the size in standard errors of what rounding hides;
    `recession` is the direction in which coefficients run to infinity, public order, 0 elsewhere.
    `left_domain` tells that steps had to be shortened to stay where the link gives valid means.
    `asked` is the method tried first, `method` the one that answered; `reduced_at` is the
    dispersion at which the bias was taken out, None where it was not.
    """

    beta: np.ndarray
    gamma: np.ndarray
    basis: Basis
    source: Source
    objective: Objective
    sums: FinalSums
    root: Root | None
    totals: Totals
    null: NullModel
    recession: np.ndarray
    status: Status
    stop: Stop
    asked: str
    method: str
    reduced_at: float | None
    loss: float
    decrement: float
    hidden: float
    turns: int
    left_domain: bool

    @property
    def has_means(self) -> bool:
        """Whether the fitted means are an optimum: under separation they are, at their limits."""
        return self.status.usable or self.status is Status.SEPARATED

    def with_turns(self, turns: int) -> Self:
        """The same after so many passes in all."""
        return dataclasses.replace(self, turns=turns)


def estimate(
    problem: Problem, family: Family, options: Options, *, like: Estimate | None = None
) -> Estimate:
    """Find the optimum, whatever it takes; the status of the result says what was found.

    Parameters
    ----------
    problem : Problem
        Validated rows.
    family : Family
        With all parameters known.
    options : Options
        Method, start, tolerance, turns, penalty.
    like : Estimate, optional
        An earlier one of the same problem, whose basis and placed rows serve again.

    Returns
    -------
    Estimate

    Raises
    ------
    RangeError
        For columns or a response so large or small that their squares, or these times the
        weights, overflow or vanish.
    """
    search = Search(problem, family, options, None if like is None else like.totals)
    if isinstance(search.penalty, Thresholded):
        return _with_thresholds(search, search.penalty)
    found, basis, source = of_full_rank(search, first_methods, like)
    recession = _recession(search, found, basis, source)
    if recession is None and found.status is Status.SINGULAR:
        found = search.damped(found, basis, source)
        recession = _recession(search, found, basis, source)
    status = found.status if recession is None else Status.SEPARATED
    if status is Status.CONVERGED and _rests_on_nothing(search, found, basis, source):
        status = Status.STEP_FAILED
    # At the edge of the domain the expected weights grow without bound, and with them the metric in
    # which a step is measured: a small decrement there is no proof of an optimum.
    unsettled = not status.usable or found.sums.edge > 0
    if search.bounded and status is not Status.SEPARATED and unsettled:
        constrained = search.barrier(basis, source)
        if constrained is not None:
            found, status = constrained, constrained.status
            status = Status.BOUNDARY if found.sums.edge > 0 else status

    changed = found.method == "irls" and bool(found.outcome.observed) and not family.canonical
    if changed:
        found = dataclasses.replace(found, method="irls+newton")
    return estimate_of(search, found, basis, source, status, recession)


def _with_thresholds(search: Search, penalty: Thresholded) -> Estimate:
    """The optimum under a penalty that is not smooth: columns may be aliased, or more than rows."""
    problem = search.problem
    basis, source = plain_basis(problem), apart(problem, search)
    gamma = search.level(basis) if search.options.start is None else search.given(basis)
    gamma = np.clip(gamma, penalty.bend.lower, penalty.bend.upper)
    if works_in_parts(penalty, gamma.size):
        found = _in_parts(search, source, penalty, gamma)
    else:
        found = search.run(
            basis,
            source,
            Proximal(),
            PROXIMAL,
            search.settings.point(gamma, AT_BETA),
            search.controls(),
            kept=Bent.fresh(penalty.bend, problem.dtype),
        )
    if not found.status.usable and (columns := _out_of_range(search)).size:
        raise RangeError(columns)
    recession = _recession(search, found, basis, source)
    status = found.status if recession is None else Status.SEPARATED
    return estimate_of(search, found, basis, source, status, recession)


def _in_parts(search: Search, source: Source, penalty: Thresholded, gamma: np.ndarray) -> Attempt:
    """The same of so many columns that a part of them is looked at."""
    optimum = Choosing(search, source, gamma).optimum(penalty)
    search.turns += optimum.turns
    outcome = optimum.outcome._replace(
        beta=optimum.gamma, correction=np.zeros_like(optimum.gamma), kept=None
    )
    return Attempt(outcome, optimum.sums, PROXIMAL, optimum.status, search.turns)


def of_full_rank(
    search: Search,
    first: Callable[[Search, Basis, Source], Attempt],
    like: Estimate | None = None,
) -> tuple[Attempt, Basis, Source]:
    """What the first methods find, in a basis without aliased columns, and the rows in that basis.

    The basis and the rows are those of an earlier estimate where one is given.
    """
    problem = search.problem
    whole = apart(problem, search)
    basis, source = (plain_basis(problem), whole) if like is None else (like.basis, like.source)
    found = first(search, basis, source)
    if not found.status.usable:
        columns = _out_of_range(search)
        if columns.size:
            raise RangeError(columns)
    if found.status is Status.SINGULAR:
        smallest = search.settings.smallest_pivot
        basis, source = condition(problem, whole, smallest, search.penalty)
        if source is not whole:
            found = first(search, basis, source)
    return _checked_range(search, found, basis), basis, source


def estimate_of(
    search: Search,
    found: Attempt,
    basis: Basis,
    source: Source,
    status: Status,
    recession: np.ndarray | None = None,
) -> Estimate:
    """The estimate that an attempt has found, whatever its own status says.

    `recession` is in design order.
    """
    problem, chosen = search.problem, search.options.method
    none = np.zeros(problem.n_columns)
    root = _root(found)
    if isinstance(search.penalty, Thresholded):
        root = _beside_bounds(found, search.penalty)
    unresolved = hidden(search, found, basis, source, root)
    if status is Status.CONVERGED and not np.isfinite(unresolved):
        status = Status.STEP_FAILED
    asked = chosen if isinstance(chosen, str) else "optax"
    own = search.reduced_at is not None or found.method == PROXIMAL  # a method of its own
    return Estimate(
        beta=problem.public(basis.coefficients(found.gamma)),
        gamma=found.gamma,
        basis=basis,
        source=source,
        objective=search.objective(basis),
        sums=found.sums,
        root=root,
        totals=search.totals,
        null=search.settings.null_model,
        recession=problem.public(none if recession is None else recession),
        status=status,
        stop=Stop(int(found.outcome.stop)),
        asked=found.method if own else asked,
        method=found.method,
        reduced_at=None if search.reduced_at is None else float(search.reduced_at),
        loss=float(found.outcome.loss),
        decrement=float(found.outcome.decrement),
        hidden=unresolved,
        turns=search.turns,
        left_domain=search.bounded and search.invalid > 0,
    )


def _checked_range(search: Search, found: Attempt, basis: Basis) -> Attempt:
    """The attempt, unless it says nothing for want of room in the arithmetic.

    Products may be out of range although each number by itself is not: they are refused. Where the
    numbers are sound the means are not: they ran to where no row says anything.
    """
    problem, null = search.problem, search.settings.null
    if found.sums.far == 0 and found.status.usable:
        strained = strained_columns(found.sums, problem.dtype)
        columns = np.zeros(problem.n_columns, bool)
        columns[basis.keep] = strained
        if strained.any():
            if np.isin(np.flatnonzero(problem.public(columns)), _out_of_range(search)).any():
                raise RangeError(np.flatnonzero(problem.public(columns)))
            found = dataclasses.replace(found, status=Status.NONFINITE)
    if strained_response(search.family, null.average, search.totals.weight, problem.dtype):
        raise RangeError(np.zeros(0, int))
    return found


def _out_of_range(search: Search) -> np.ndarray:
    return out_of_range(search.problem, float(search.totals.weight))


def apart(problem: Problem, search: Search) -> Source:
    """The rows, their last factor not eliminated where a penalty couples its levels."""
    source, count = problem.source, problem.source.design.n_eliminated
    if search.penalty is None or count == 0:
        return source
    if not search.penalty.couples(np.arange(problem.n_columns)[-count:]):
        return source

    def whole(block: Block) -> Split:
        assert isinstance(block.design, Split)
        return dataclasses.replace(block.design, eliminated=False)

    return source.with_design(whole)


def _root(found: Attempt) -> Root | None:
    """A root of the inverse information at dispersion 1, in the basis."""
    information = found.sums.info
    if not isinstance(information, Bordered) and information.ndim < 2:
        return None
    return root_of_inverse(information) if found.root is None else found.root


def _beside_bounds(found: Attempt, penalty: Thresholded) -> Root | None:
    """A root where coefficients at a bound are known; None for a lasso.

    What a lasso leaves out has no standard error, and the others none that holds after a choice.
    None also where free columns determine each other: one of many optima was found.
    """
    information = found.sums.info
    if penalty.chooses or isinstance(information, Bordered) or information.ndim < 2:
        return None
    free = np.flatnonzero(~penalty.at_bound(found.gamma))
    own = np.asarray(information, float)[np.ix_(free, free)]
    size = np.sqrt(np.diagonal(own))
    if not (size > 0).all() or np.linalg.eigvalsh(own / np.outer(size, size))[0] < _DEPENDENT:
        return None
    dense = np.zeros((found.gamma.size, free.size))
    dense[free] = root_of_inverse(own).dense
    return Root(dense, np.zeros(found.gamma.size))


def _recession(search: Search, found: Attempt, basis: Basis, source: Source) -> np.ndarray | None:
    """The direction [p], design order, in which coefficients run to infinity; None for none."""
    if found.sums.far == 0:
        return None
    null = search.settings.null_model
    if found.gamma.size > tuning().most_columns:
        return _separated_levels(search, found, basis, source)
    away = recession_direction(source, search.objective(basis), found.gamma, null)
    if away is None:
        return None
    transform = basis.transform
    lengths = away.lengths if transform is None else np.linalg.norm(transform, axis=0)
    direction = np.zeros(basis.keep.size)
    direction[basis.keep] = moving(basis.coefficients(away.direction)[basis.keep], lengths)
    return direction


def _rests_on_nothing(search: Search, found: Attempt, basis: Basis, source: Source) -> bool:
    """Whether the search came to rest where means are at limits that responses do not want."""
    if found.sums.lost == 0 or found.gamma.size > tuning().most_columns:
        return False
    null = search.settings.null_model
    return is_flat(source, search.objective(basis), found.gamma, null)


def _separated_levels(
    search: Search, found: Attempt, basis: Basis, source: Source
) -> np.ndarray | None:
    """Of very many columns only the levels of the eliminated factor are looked at."""
    count = source.design.n_eliminated
    if count == 0:
        return None
    gone = separated_levels(source, search.family, found.gamma, search.settings.null_model)
    levels = np.flatnonzero(basis.keep)[-count:]
    if search.penalty is not None:
        gone[np.asarray(search.penalty.holds())[levels]] = 0.0
    direction = np.zeros(basis.keep.size)
    direction[levels] = gone
    return direction if gone.any() else None
