"""Owns the search for the optimum: rank, separation and boundary, around the attempts of `_search`.

Host code.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxglm._status import Status
from jaxglm.algebra import Bordered, Root
from jaxglm.families import Family
from jaxglm.rows import Problem
from jaxglm.search._attempts import Search
from jaxglm.search._basis import Basis, condition, out_of_range, plain_basis
from jaxglm.search._settings import Options
from jaxglm.solvers import Stop
from jaxglm.sources import Resident
from jaxglm.sums import FinalSums, Middle


class Placed(NamedTuple):
    """Rows on the device, and the basis that their columns are in."""

    basis: Basis
    source: Resident


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An optimum, or the best point found, in the basis in which it was found.

    `gamma` are coefficients in that basis, `beta` in public order (nan where aliased); `source`
    holds the rows in the basis, `sums` what they add up to there, `root` that of their inverse
    information where it has been needed already. `floor` is the size in standard errors of what
    rounding hides; `left_domain` tells that steps had to be shortened to stay where
    the link gives valid means. `asked` is the method tried first, `method` the one that answered.
    """

    beta: np.ndarray
    gamma: np.ndarray
    basis: Basis
    source: Resident
    sums: FinalSums
    root: Root | None
    middle: Middle
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

    @property
    def has_matrix(self) -> bool:
        """Whether the information was a matrix, not its diagonal only."""
        return isinstance(self.sums.info, Bordered) or self.sums.info.ndim == 2

    @property
    def placed(self) -> Placed:
        """The rows as they were fitted, for another estimate of the same problem."""
        return Placed(self.basis, self.source)


class ColumnRangeError(ValueError):
    """Columns, by public position, whose squares overflow or vanish; the verb knows their names."""

    def __init__(self, columns: np.ndarray):
        super().__init__(f"columns {columns.tolist()} are out of range")
        self.columns = columns

    def told(self, names: Sequence[str], dtype: np.dtype) -> str:
        """The error in the user's words."""
        columns = ", ".join(repr(names[j]) for j in self.columns[:8])
        return (
            f"column {columns}: values so large or so small that their squares overflow or "
            f"vanish in {dtype.name}; rescale to a size nearer to 1."
        )


def estimate(
    problem: Problem, family: Family, options: Options, *, placed: Placed | None = None
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
    placed : Placed, optional
        The rows on the device, where an earlier estimate has put them there.

    Returns
    -------
    Estimate

    Raises
    ------
    ColumnRangeError
        For columns so large or small that their squares overflow or vanish.
    """
    search = Search(problem, family, options)
    basis, source = placed or (plain_basis(problem), problem.place())
    run = search.first_methods(basis, source)
    if not run.status.usable:
        columns = out_of_range(problem)
        if columns.size:
            raise ColumnRangeError(columns)
    if run.status is Status.SINGULAR:
        basis, design = condition(problem, search.set.smallest_pivot)
        if basis.transform is not None or not basis.keep.all():
            source = problem.place(design)
            run = search.first_methods(basis, source)
    infinite = search.recession(run, source, basis)
    if infinite is None and run.status is Status.SINGULAR:
        run = search.damped(run, source)
        infinite = search.recession(run, source, basis)
    status = run.status if infinite is None else Status.SEPARATED
    # At the edge of the domain the expected weights grow without bound, and with them the metric in
    # which a step is measured: a small decrement there is no proof of an optimum.
    unsettled = not status.usable or run.sums.edge > 0
    if search.bounded and status is not Status.SEPARATED and unsettled:
        constrained = search.barrier(source, int(basis.keep.sum()))
        if constrained is not None:
            run, status = constrained, constrained.status
            status = Status.BOUNDARY if run.sums.edge > 0 else status

    changed = run.method == "irls" and bool(run.outcome.observed) and not family.canonical
    none = np.zeros(problem.n_columns, bool)
    return Estimate(
        beta=problem.public(basis.coefficients(run.gamma)),
        gamma=run.gamma,
        basis=basis,
        source=source,
        sums=run.sums,
        root=run.root,
        middle=search.middle,
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
