"""Owns the words for how a fit ended: one note per condition, with the columns named.

Imports `_estimate`, `_intake` (for names), solvers (for what stopped) and `_status` only.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxglm import _status
from jaxglm._estimate import Estimate
from jaxglm._intake import Intake
from jaxglm._status import Status
from jaxglm.solvers import Stop

_MOST_NAMES = 8
# A result is as good as it looks while rounding hides less than this many standard errors.
RESOLUTION = 1e-4


class Note(NamedTuple):
    """A condition in words, and the warning class that announces it (None: no warning)."""

    text: str
    warning: type[Warning] | None


def _named(names: np.ndarray) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:_MOST_NAMES])
    return shown + (f" and {names.size - _MOST_NAMES} more" if names.size > _MOST_NAMES else "")


def _perfect(intake: Intake, found: Estimate) -> bool:
    """Whether the residuals are nothing but rounding, so that standard errors are as well."""
    average = float(found.limits.average)
    variance = float(intake.model.family.variance(jnp.asarray(average)))
    eps = float(np.finfo(intake.problem.dtype).eps)
    size = intake.problem.weight.sum() * average**2 / variance if variance > 0 else 0.0
    return float(found.sums.deviance) <= eps * max(float(found.sums.null_deviance), 16 * eps * size)


def outcome_notes(intake: Intake, found: Estimate, alpha: float | None) -> list[Note]:
    """What the user must be told about the outcome of a fit, the gravest first."""
    names = np.asarray(intake.model.names, dtype=object)
    notes: list[Note] = []
    status = found.status
    if status is Status.SEPARATED:
        columns = _named(names[found.infinite])
        notes.append(
            Note(
                f"Separation: no finite estimate exists for {columns}; the likelihood rises as "
                "they run to infinity, and the numbers shown are where the search stopped. The "
                "other coefficients are at their limits. Merge levels, remove the columns, or use "
                "a penalised fit.",
                _status.SeparationWarning,
            )
        )
    elif status is Status.BOUNDARY:
        notes.append(Note(status.message, _status.BoundaryWarning))
    elif not status.usable:
        notes.append(
            Note(
                f"{status.message} (Newton decrement {found.decrement:.3g} standard errors after "
                f"{found.turns} passes.)",
                _status.ConvergenceWarning,
            )
        )
    aliased = names[intake.problem.public(~found.basis.keep)]
    if aliased.size:
        notes.append(
            Note(
                f"Rank deficient: {_named(aliased)} "
                f"{'is a linear combination' if aliased.size == 1 else 'are linear combinations'} "
                "of earlier columns (aliased, singular); the coefficient is nan and the column is "
                "left out, as R does.",
                _status.RankWarning,
            )
        )
    # A decrement under the tolerance is no rounding: the tolerance may be the caller's own.
    by_rounding = status is Status.CONVERGED and found.stop is not Stop.DECREMENT
    hidden = max(found.floor, found.decrement if by_rounding else 0.0)
    if status.usable and hidden > RESOLUTION and not _perfect(intake, found):
        notes.append(
            Note(
                f"Precision: in {intake.problem.dtype.name} arithmetic rounding may shift the "
                f"coefficients by up to {hidden:.1g} standard errors. Centre or rescale the "
                "columns and the offset"
                + (", or fit with dtype='float64'." if intake.problem.dtype == np.float32 else "."),
                _status.PrecisionWarning,
            )
        )
    if status.usable and not found.method.startswith(found.asked):
        notes.append(
            Note(f"{found.asked} did not reach an optimum; {found.method} answered.", None)
        )
    if found.sums.info.ndim == 1:
        notes.append(
            Note(
                f"{names.size} columns are too many for a p x p matrix: the fit is by a first-order "
                "method, and standard errors are not available.",
                _status.PrecisionWarning,
            )
        )
    family = intake.model.family
    bounded = np.isfinite(family.link.domain(family.mean_domain)).any()
    if status is Status.CONVERGED and bounded and (found.left_domain or family.dispersion_fixed):
        how = (
            "steps that left the valid region were shortened, and the"
            if found.left_domain
            else "the"
        )
        notes.append(
            Note(
                f"The {family.link.name} link does not keep means valid by itself: {how} optimum "
                "obeys that constraint in the rows of the fit; predictions for others may not.",
                None,
            )
        )
    if alpha == 0.0:
        notes.append(
            Note(
                "The counts are not overdispersed: the negative binomial shape alpha goes to 0 "
                "(theta to infinity), its boundary, and the fit is that of the Poisson family.",
                _status.BoundaryWarning,
            )
        )
    return notes
