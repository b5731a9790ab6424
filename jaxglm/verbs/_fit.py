"""Owns what the verbs for one fit have in common: search, record, and what is to be said of it."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxglm import _status
from jaxglm._jax import computing
from jaxglm._status import DataError, FitError, Status
from jaxglm.intake import Intake, Policy, TermStrength, with_penalty
from jaxglm.penalties import AskedPenalty
from jaxglm.results import Results
from jaxglm.rows import Choice, merge_rows
from jaxglm.search import (
    Estimate,
    Options,
    RangeError,
    Strengths,
    estimate_all,
    estimate_strengths,
    fit_of,
    outcome_notes,
    rank_refusal,
)
from jaxglm.verbs._errors import StandardErrors
from jaxglm.words import check_choice, listed, warn


def results_of(
    intake: Intake,
    options: Options,
    penalty: AskedPenalty | None,
    on_failure: Policy,
    rank: str,
    compress: Choice,
    keep_data: bool,
    errors: StandardErrors,
) -> Results:
    """The result of one fit, with what is to be said of it raised or warned of."""
    check_choice("on_failure", on_failure, ("warn", "raise", "ignore"))
    check_choice("rank", rank, ("drop", "raise"))
    check_choice("compress", compress, ("auto", True, False))
    check_choice("keep_data", keep_data, (True, False))
    asked = errors.read(intake.model)
    problem, family = merge_rows(intake.problem, compress), intake.model.family
    with computing(problem.dtype == np.float64):
        options, sought = with_penalty(options, penalty, problem, intake.model)
        if sought is not None and errors.scale is not None:
            raise ValueError(
                f"scale= cannot stand beside {listed(sought.labels, 3)}: the strengths of their "
                "penalties are estimated together with the dispersion; leave out scale="
            )
        narrow, strengths = problem.narrowed(family), None
        try:
            if sought is None:
                found, fitted, shape = estimate_all(problem, narrow, options)
            else:
                found, fitted, shape, strengths = estimate_strengths(
                    problem, narrow, options, sought
                )
        except RangeError as error:
            raise DataError(error.told(intake.model.names, problem.dtype)) from None
        aliased = np.array(intake.model.names)[problem.public(~found.basis.keep)]
        if rank == "raise" and aliased.size:
            raise DataError(rank_refusal(aliased))
        family = family if shape is None else fitted
        fit = fit_of(problem, fitted, found, shape=shape)
        notes = outcome_notes(intake.problem, intake.model.names, family, found, fit)
        texts = tuple(note.text for note in notes) + intake.notes + _told_of(strengths)
        fit = dataclasses.replace(fit, notes=texts)
    _announce(found, notes, intake.cautions, on_failure)
    if strengths is not None and not strengths.settled and on_failure != "ignore":
        warn(_told_of(strengths)[0], _status.ConvergenceWarning)
    model = dataclasses.replace(
        intake.model,
        family=family,
        penalty=sought.text if sought is not None else "" if penalty is None else repr(penalty),
        strengths=() if strengths is None else _by_term(strengths),
    )
    results = errors.given_to(fit, model, asked)
    return results if keep_data else results.without_data()


def _by_term(found: Strengths) -> tuple[TermStrength, ...]:
    rows = zip(found.labels, found.lambdas.tolist(), found.edf.tolist(), strict=True)
    return tuple(TermStrength(term, lam, max(edf, 0.0)) for term, lam, edf in rows)


def _told_of(found: Strengths | None) -> tuple[str, ...]:
    """What is said of strengths that did not settle, or want nothing that the penalty holds."""
    if found is None:
        return ()
    if not found.settled:
        return (
            f"The strengths of {listed(found.labels, 3)} did not settle: fits and strengths go on "
            "changing each other. Fewer terms, or strengths that are given (jg.Smooth(lam, term)), "
            "may help.",
        )
    if not found.at_limit.any():
        return ()
    gone = listed(np.array(found.labels)[found.at_limit], 3)
    return (
        f"The strength of {gone} is estimated at its upper end: nothing is left of what the "
        "penalty holds (a curve is a straight line, random effects have variance 0).",
    )


def _announce(found: Estimate, notes, cautions: Sequence[str], on_failure: Policy) -> None:
    """Raise or warn, as the policy says; the result carries the same words as notes.

    What the data may be meant for is no failure of the fit, and is said in any case.
    """
    for caution in cautions:
        warn(caution, _status.DataWarning)
    if on_failure == "raise" and found.status is not Status.CONVERGED:
        raise FitError(" ".join(note.text for note in notes) or found.status.message)
    if on_failure == "ignore":
        return
    for note in notes:
        if note.warning is not None:
            warn(note.text, note.warning)
