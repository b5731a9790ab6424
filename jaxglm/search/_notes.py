"""Owns the words for how a fit ended: one note per condition, with the columns named."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxglm import _status
from jaxglm._status import Status
from jaxglm.families import Family
from jaxglm.rows import Problem
from jaxglm.search._estimate import Estimate
from jaxglm.solvers import Stop

_MOST_NAMES = 8
# A result is as good as it looks while rounding hides less than this many standard errors.
RESOLUTION = 1e-4


class Note(NamedTuple):
    """A condition in words, and the warning class that announces it (None: no warning)."""

    text: str
    warning: type[Warning] | None


def outcome_notes(
    problem: Problem, names: Sequence[str], family: Family, found: Estimate, alpha: float | None
) -> list[Note]:
    """What the user must be told about the outcome of a fit, the gravest first.

    `names` are those of the columns in public order; `family` has all its parameters; `alpha` is
    the shape where it was estimated.
    """
    of = np.asarray(names, dtype=object)
    return [
        *ending(found.status, of[found.infinite], found.decrement, found.turns),
        *rank(of[problem.public(~found.basis.keep)]),
        *search_notes(problem, family, found),
        *shape(alpha),
    ]


def search_notes(problem: Problem, family: Family, found: Estimate) -> Iterator[Note]:
    """What only the search knows; the rest of `outcome_notes` can be said from the record."""
    yield from _precision(problem, family, found)
    yield from _method(found, problem.n_columns)
    yield from _domain(family, found)


def named(names: np.ndarray) -> str:
    """Columns in a sentence, so many as can be read."""
    shown = ", ".join(repr(str(name)) for name in names[:_MOST_NAMES])
    return shown + (f" and {names.size - _MOST_NAMES} more" if names.size > _MOST_NAMES else "")


def ending(status: Status, infinite: np.ndarray, decrement: float, turns: int) -> Iterator[Note]:
    """How the loop ended, where that was at no ordinary optimum; `infinite` are names."""
    if status is Status.SEPARATED:
        yield Note(
            f"Separation: no finite estimate exists for {named(infinite)}; the "
            "likelihood rises as they run to infinity, and params holds where the search stopped. "
            "The other coefficients are at their limits. Merge levels, remove the columns, or use "
            "a penalised fit.",
            _status.SeparationWarning,
        )
    elif status is Status.BOUNDARY:
        yield Note(status.message, _status.BoundaryWarning)
    elif not status.usable:
        far = f"Newton decrement {decrement:.3g} standard errors after "
        where = far if np.isfinite(decrement) else ""
        yield Note(
            f"{status.message} ({where}{turns} passes.)",
            _status.ConvergenceWarning,
        )


def rank(aliased: np.ndarray) -> Iterator[Note]:
    """The columns of these names were left out."""
    if aliased.size:
        are = "is a linear combination" if aliased.size == 1 else "are linear combinations"
        yield Note(
            f"Rank deficient: {named(aliased)} {are} of earlier columns (aliased, singular); the "
            "coefficient is nan and the column is left out, as R does.",
            _status.RankWarning,
        )


def _precision(problem: Problem, family: Family, found: Estimate) -> Iterator[Note]:
    # A decrement under the tolerance is no rounding: the tolerance may be the caller's own.
    by_rounding = found.status is Status.CONVERGED and found.stop is not Stop.DECREMENT
    hidden = max(found.floor, found.decrement if by_rounding else 0.0)
    if not found.status.usable or hidden <= RESOLUTION or _perfect(family, found):
        return
    dtype = problem.dtype
    remedy = ", or fit with dtype='float64'" if dtype == np.float32 else ""
    yield Note(
        f"Precision: in {dtype.name} arithmetic rounding may shift the coefficients by up to "
        f"{hidden:.1g} standard errors. Centre or rescale the columns and the offset{remedy}.",
        _status.PrecisionWarning,
    )


def _perfect(family: Family, found: Estimate) -> bool:
    """Whether the residuals are nothing but rounding, so that standard errors are as well."""
    average = float(found.null.average)
    variance = float(family.variance(jnp.asarray(average)))
    # Always judged at the precision of float64: data that float32 only seems to fit perfectly are
    # data that it does not resolve.
    eps = float(np.finfo(np.float64).eps)
    # A product of floats overflows to infinity, a power of one raises.
    weight = float(found.totals.weight)
    size = weight * average * (average / variance) if variance > 0 else 0.0
    return float(found.sums.deviance) <= eps * max(float(found.sums.null_deviance), 16 * eps * size)


def _method(found: Estimate, n_columns: int) -> Iterator[Note]:
    if found.status.usable and not found.method.startswith(found.asked):
        yield Note(f"{found.asked} did not reach an optimum; {found.method} answered.", None)
    if found.root is None:
        yield Note(
            f"{n_columns} columns are too many for a p x p matrix: the fit is by a first-order "
            "method, and standard errors are not available.",
            _status.PrecisionWarning,
        )


def _domain(family: Family, found: Estimate) -> Iterator[Note]:
    """Links that do not keep means valid: always with counts and shares, else if it mattered."""
    bounded = np.isfinite(family.link.domain(family.mean_domain)).any()
    if found.status is Status.CONVERGED and bounded:
        if found.left_domain:
            how = "steps that left the valid region were shortened, and the optimum"
        elif family.dispersion_fixed:
            how = "the optimum"
        else:
            return
        yield Note(
            f"The {family.link.name} link does not keep means valid by itself: {how} obeys that "
            "constraint in the rows of the fit; predictions elsewhere may not.",
            None,
        )


def shape(alpha: float | None) -> Iterator[Note]:
    """A shape that could not be estimated, or is at its boundary; None where none was asked for."""
    if alpha is None:
        return
    if np.isnan(alpha):
        yield Note(
            "The negative binomial shape alpha was not estimated, since the counts do not "
            "determine it or the fit of the coefficients failed; they are shown for alpha = 0, the "
            "Poisson family.",
            _status.ConvergenceWarning,
        )
    elif alpha == 0.0:
        yield Note(
            "The counts are not overdispersed: the negative binomial shape alpha goes to 0 "
            "(theta to infinity), its boundary, and the fit is that of the Poisson family.",
            _status.BoundaryWarning,
        )
