"""Owns the words for how a fit ended: one note per condition, with the columns named."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jaxglm import _status
from jaxglm._status import Status
from jaxglm.families import Family
from jaxglm.penalties import QuadraticForm, Thresholded
from jaxglm.rows import Problem
from jaxglm.search._estimate import Estimate
from jaxglm.search._fit import Fit
from jaxglm.search._reduced import REDUCED
from jaxglm.words import listed

_MOST_NAMES = 8
# A result is as good as it looks while rounding hides less than this many standard errors.
RESOLUTION = 1e-4
# Weights of this size or more, on average, are no numbers of observations or trials.
_LARGE_WEIGHT = 1e12


class Note(NamedTuple):
    """A condition in words, and the warning class that announces it (None: no warning)."""

    text: str
    warning: type[Warning] | None


def outcome_notes(
    problem: Problem, names: Sequence[str], family: Family, found: Estimate, fit: Fit
) -> list[Note]:
    """What the user must be told about the outcome of a fit, the gravest first.

    `names` are those of the columns in public order; `family` has all its parameters; `fit` is the
    record of what was found.
    """
    of = np.asarray(names, dtype=object)
    return [
        *ending(
            found.status, of[fit.infinite], of[fit.covariance.open], found.decrement, found.turns
        ),
        *reduction(found.status, found.method),
        *bounds(of, problem, found),
        *rank(of[problem.public(~found.basis.keep)]),
        *search_notes(problem, family, found, fit),
        *shape(fit.alpha),
        *dispersion(
            found.status,
            estimated=not family.dispersion_fixed,
            nobs=fit.nobs,
            df_resid=fit.df_resid,
            scale=fit.covariance.scale,
        ),
    ]


def search_notes(problem: Problem, family: Family, found: Estimate, fit: Fit) -> Iterator[Note]:
    """What only the search knows; the rest of `outcome_notes` can be said from the record."""
    yield from _precision(problem, family, found, fit)
    yield from _method(found, problem.n_columns)
    yield from _domain(family, found)


def named(names: np.ndarray) -> str:
    """Columns in a sentence, so many as can be read."""
    return listed((repr(str(name)) for name in names), _MOST_NAMES)


def ending(
    status: Status, infinite: np.ndarray, left: np.ndarray, decrement: float, turns: int
) -> Iterator[Note]:
    """How the loop ended, where that was at no ordinary optimum.

    `infinite` and `left` are names of coefficients: those that run to infinity, and those that
    nothing determines beside them.
    """
    if status is Status.SEPARATED:
        run, beside = ("it runs", "it") if infinite.size == 1 else ("they run", "them")
        are = "is" if left.size == 1 else "are"
        nothing = f"Beside {beside} nothing determines {named(left)}, which {are} nan. "
        yield Note(
            f"Separation: no finite estimate exists for {named(infinite)}; the "
            f"likelihood rises as {run} to infinity, which params writes as inf or -inf, without "
            f"standard error. {nothing if left.size else ''}Any other coefficient is at its "
            "limit. Merge levels, remove the columns, or fit with bias='firth' (fit_groups: "
            "on_separation='firth'), which keeps all estimates finite.",
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


def reduction(status: Status, method: str, *, separated: bool = False) -> Iterator[Note]:
    """The bias was taken out of the estimates; of one of many fits since it was `separated`."""
    if status.usable and method == REDUCED:
        why = "Separated, so that the likelihood has no maximum, and fitted again. "
        yield Note(
            f"{why if separated else ''}Bias reduced: the estimates solve scores without the "
            "first-order bias of maximum likelihood (Firth 1993), so llf is below its maximum.",
            None,
        )


def bounds(names: np.ndarray, problem: Problem, found: Estimate) -> Iterator[Note]:
    """Which coefficients are at a bound; `names` are those of the columns in public order."""
    penalty = found.objective.penalty
    if not isinstance(penalty, Thresholded):
        return
    at_bound = penalty.at_bound(found.gamma)
    held = names[problem.public(at_bound)]
    if held.size:
        errors = " Standard errors of the others are those of the model in which these are known."
        yield Note(f"At a bound: {named(held)}.{errors if found.root is not None else ''}", None)


def rank(aliased: np.ndarray) -> Iterator[Note]:
    """The columns of these names were left out."""
    if aliased.size:
        out = "the coefficient is nan and the column is left out"
        if aliased.size > 1:
            out = "their coefficients are nan and the columns are left out"
        yield Note(f"{_deficient(aliased)}; {out}, as R does.", _status.RankWarning)


def rank_refusal(aliased: np.ndarray) -> str:
    """The same where nothing is fitted for it."""
    them = "it" if aliased.size == 1 else "them"
    return f"{_deficient(aliased)}. Leave {them} out, or fit with rank='drop', which does so."


def _deficient(aliased: np.ndarray) -> str:
    are = "is a linear combination" if aliased.size == 1 else "are linear combinations"
    return f"Rank deficient: {named(aliased)} {are} of earlier columns (aliased, singular)"


def dispersion(
    status: Status, *, estimated: bool, nobs: float, df_resid: float, scale: float
) -> Iterator[Note]:
    """What a fit that leaves nothing to estimate the dispersion from has of it.

    `scale` is that of the covariance, nan where the fit leaves nothing but rounding.
    """
    if not status.usable:
        return
    if df_resid <= 0:
        tells = (
            "the dispersion, and with it standard errors and p-values, cannot be estimated and "
            "are nan."
            if estimated
            else "deviance and Pearson chi2 tell nothing of how well the model describes the data."
        )
        yield Note(
            f"No residual degrees of freedom: the number of observations (rows, or the sum of "
            f"their freq_weights) is {nobs:.6g}, that of the coefficients {nobs - df_resid:.6g}; "
            f"{tells}",
            None,
        )
    elif estimated and np.isnan(scale):
        yield Note(
            "Essentially perfect fit: what it leaves of the response is rounding, so there is no "
            "dispersion to estimate; standard errors and p-values are nan.",
            _status.PrecisionWarning,
        )


def _precision(problem: Problem, family: Family, found: Estimate, fit: Fit) -> Iterator[Note]:
    # Beside the standard errors of nothing but rounding, rounding is large.
    if not found.status.usable or found.hidden <= RESOLUTION or np.isnan(fit.covariance.scale):
        return
    dtype = problem.dtype
    remedy = "Centre or rescale the columns and the offset"
    if dtype == np.float32:
        remedy += ", or fit with dtype='float64'"
    if family.dispersion_fixed and fit.weight_sum > _LARGE_WEIGHT * fit.nobs:
        remedy = (
            f"The weights, {fit.weight_sum / fit.nobs:.1g} on average, make the errors as small as "
            "rounding: divide them by a number that leaves the information of an observation"
        )
    yield Note(
        f"Precision: in {dtype.name} arithmetic rounding may shift the coefficients by up to "
        f"{found.hidden:.1g} standard errors. {remedy}.",
        _status.PrecisionWarning,
    )


def _method(found: Estimate, n_columns: int) -> Iterator[Note]:
    if found.status.usable and not found.method.startswith(found.asked):
        yield Note(f"{found.asked} did not reach an optimum; {found.method} answered.", None)
    if isinstance(found.objective.penalty, QuadraticForm) and found.root is not None:
        yield Note(
            "Standard errors under a quadratic penalty are those of its Bayesian reading, a normal "
            "prior (mgcv's Vp); df counts what the penalty leaves of each coefficient.",
            None,
        )
    penalty = found.objective.penalty
    if isinstance(penalty, Thresholded) and penalty.chooses:
        yield Note(
            "A lasso has no standard errors: the coefficients that it keeps were chosen by the "
            "same rows, and are shrunk towards zero.",
            None,
        )
    elif isinstance(penalty, Thresholded) and found.root is None and found.status.usable:
        yield Note(
            "Columns determine each other, and their bounds leave open which of them has the "
            "effect: the coefficients are one choice of many, without standard errors. Predictions "
            "do not depend on it.",
            _status.RankWarning,
        )
    elif found.root is None:
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
