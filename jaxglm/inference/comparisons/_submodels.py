"""Owns refits of the rows of one fit with some of its columns: what comparisons are made of.

No formula is read again: the columns are those that the result holds, and each refit starts from
the coefficients of the fit.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxglm._jax import computing
from jaxglm._status import DataError, Status
from jaxglm._tuning import tuning
from jaxglm.designs import Dense
from jaxglm.families import Family
from jaxglm.inference.comparisons._firth import has_penalised_likelihood
from jaxglm.intake import Columns, Model
from jaxglm.rows import Problem, constant_column, merge_rows
from jaxglm.search import (
    REDUCED,
    Estimate,
    Fit,
    Note,
    Options,
    RangeError,
    estimate_all,
    fit_of,
    outcome_notes,
)
from jaxglm.sources import Block
from jaxglm.words import listed, warn


@dataclasses.dataclass(frozen=True)
class Submodel:
    """The optimum of a model of some of the columns.

    Attributes
    ----------
    keep : [p] bool
        Its columns, in public order.
    coef : [p]
        Coefficients where the search stopped; 0 for columns that have none.
    deviance, pearson_chi2, log_likelihood : float
        At dispersion 1; nan where there is no optimum, and the last where there is no likelihood
        without a dispersion.
    rank : int
        Coefficients that it has.
    df_resid : float
    status : Status
    """

    keep: np.ndarray
    coef: np.ndarray
    deviance: float
    pearson_chi2: float
    log_likelihood: float
    rank: int
    df_resid: float
    status: Status

    @property
    def determined(self) -> bool:
        """Whether the deviance is the smallest there is, be it that of means at their limits."""
        return self.status.usable or self.status is Status.SEPARATED


def refuse_constrained(model: Model, what: str) -> None:
    """Refuse what refits a model where its coefficients were held to something, or shrunk.

    Raises
    ------
    DataError
    """
    refuse_penalised(model, f"{what} fits the model again, and would do so without its penalty")
    if model.constraints:
        raise DataError(
            f"{what} fits the model again, and would do so without its constraints "
            f"({model.constraints}). Ask a fit without constraints, or compare models that you "
            "fitted with jaxglm.anova(m1, m2)."
        )


# What tests of likelihoods say of a model under a penalty, by their name.
UNDER_PENALTY = "{} rests on maxima of the likelihood, and a penalty leads to other estimates"


def refuse_penalised(model: Model, why: str) -> None:
    """Refuse what does not hold under a penalty; `why` is the first half of the sentence.

    Raises
    ------
    DataError
    """
    if model.penalty:
        without = "penalty="
        if model.prior is not None:
            without = "toward="
        elif model.strengths:
            without = "the penalties of " + listed([one.term for one in model.strengths], 3)
        raise DataError(f"{why}: {model.penalty}. Fit without {without} for it.")


def refuse_reduced(fit: Fit, family: Family, what: str) -> None:
    """Refuse what rests on a maximum of the likelihood where the estimates are another point.

    Raises
    ------
    DataError
    """
    if fit.method == REDUCED:
        theirs = "wald_test() and conf_int() hold for them"
        if has_penalised_likelihood(fit, family):
            theirs = "firth_test() has tests and intervals of theirs"
        raise DataError(
            f"{what} rests on maxima of the likelihood, and these estimates are others "
            f"(bias='firth'): {theirs}, or fit without bias=."
        )


def refitted(problem: Problem, family: Family, start: np.ndarray, names: Sequence[str]) -> Estimate:
    """The optimum of a problem, sought from coefficients in public order.

    Raises
    ------
    DataError
        Where numbers are out of the range of the arithmetic.
    """
    return _sought(problem, family, start, names)[0]


def _sought(
    problem: Problem, family: Family, start: np.ndarray, names: Sequence[str]
) -> tuple[Estimate, Family, Any]:
    options = Options(start=np.nan_to_num(start, posinf=0.0, neginf=0.0))
    try:
        return estimate_all(problem, family, options)
    except RangeError as error:
        raise DataError(error.told(names, problem.dtype)) from None


def record(
    problem: Problem, family: Family, names: Sequence[str], start: np.ndarray
) -> tuple[Fit, Family, list[Note]]:
    """The whole record of a model's fit, its family with all parameters, and what is to be said.

    `family` has None for a shape that is to be estimated; `start` is as for `refitted`.
    """
    with computing():
        found, fitted, shape = _sought(problem, problem.narrowed(family), start, names)
        fit = fit_of(problem, fitted, found, shape=shape)
        family = family if shape is None else fitted
        notes = outcome_notes(problem, names, family, found, fit)
    return dataclasses.replace(fit, notes=tuple(note.text for note in notes)), family, notes


def announce(notes: Sequence[Note]) -> None:
    """Warn of what a fit deserves a warning for."""
    for note in notes:
        if note.warning is not None:
            warn(note.text, note.warning)


class Submodels:
    """Refits models of some of the columns to the rows of a fit, and keeps what it found.

    A negative binomial shape that was estimated stays at its estimate, as in R's `anova.negbin`.

    Attributes
    ----------
    problem : Problem
        The rows, identical ones merged, with all columns that there are.
    family : Family
    names : tuple of str
    start : [p]
        Coefficients to start from; 0 for columns that the fit has not.
    """

    def __init__(self, problem: Problem, family: Family, names: Sequence[str], start: np.ndarray):
        with computing():
            self.problem = _in_one_form(merge_rows(problem, "auto"))
            self.family = self.problem.narrowed(family)
        self.names, self.start = tuple(names), np.nan_to_num(start)
        self._found: dict[bytes, Submodel] = {}

    @classmethod
    def of(cls, fit: Fit, model: Model, what: str) -> "Submodels":
        """Those of a fit's own columns, for `what` needs them.

        Raises
        ------
        DataError
            Where the result holds no rows, has no optimum, or is of coefficients held to something.
        """
        check_optimum(fit, model, what)
        held = model.held(what)
        problem = Problem.of_block(held.block, held.order, np.dtype(np.float64))
        fits = cls(problem, model.family, model.names, fit.coef)
        if held.dtype == np.float64:
            fits.know(np.ones(fit.coef.size, bool), fit)
        return fits

    def know(self, keep: np.ndarray, fit: Fit) -> None:
        """Take down a model that was fitted already, in float64 as all others here.

        Deviances that are to be compared must not differ by the rounding of float32.
        """
        self._found[keep.tobytes()] = Submodel(
            keep=keep,
            coef=_all_columns(keep, fit.coef),
            deviance=fit.deviance,
            pearson_chi2=fit.pearson_chi2,
            log_likelihood=fit.log_likelihood,
            rank=int((~fit.aliased).sum()),
            df_resid=fit.df_resid,
            status=Status(fit.status),
        )

    def fit(self, keep: np.ndarray, start: np.ndarray | None = None) -> Submodel:
        """The model of the columns `keep` ([p] bool), started from coefficients [p]."""
        key = keep.tobytes()
        if key not in self._found:
            own = (self.start if start is None else start)[keep]
            with computing():
                problem = self.columns(keep)
                first = own if keep.any() else np.zeros(1)
                found = refitted(problem, self.family, first, self._named(keep))
            usable = found.status.usable or found.status is Status.SEPARATED
            sums, rank = found.sums, int(found.basis.keep.sum())
            self._found[key] = Submodel(
                keep=keep,
                coef=_all_columns(keep, found.beta if keep.any() else np.zeros(0)),
                deviance=float(sums.deviance) if usable else np.nan,
                pearson_chi2=float(sums.pearson) if usable else np.nan,
                log_likelihood=float(sums.log_likelihood) if usable else np.nan,
                rank=rank,
                df_resid=float(found.totals.nobs) - rank,
                status=found.status,
            )
        return self._found[key]

    def columns(self, keep: np.ndarray) -> Problem:
        """The problem of some of the columns; one of zeros stands for none at all."""
        if keep.any():
            return self.problem.take_columns(keep)
        block = self.problem.block
        zeros = Block(Dense(np.zeros((len(block.rows), 1))), block.rows)
        return self.problem.with_block(zeros, order=np.zeros(1, int), constant=None)

    def linear_predictor(self, coef: np.ndarray) -> np.ndarray:
        """X b and the offset of the merged rows, [n], for coefficients [p]."""
        rows = self.problem.rows
        eta = Columns(self.problem.design, self.problem.order, len(rows)).matvec(coef)
        return eta if rows.offset is None else eta + rows.offset

    def _named(self, keep: np.ndarray) -> list[str]:
        return [name for name, kept in zip(self.names, keep, strict=True) if kept]


def _in_one_form(problem: Problem) -> Problem:
    """The problem, with dense columns where it is small.

    Models of as many columns then share their programs, whichever columns these are.
    """
    rows = problem.rows
    if len(rows) * problem.n_columns > tuning().small_cells:
        return problem
    dense = Dense(problem.design.on_host()[:, np.argsort(problem.order)])
    order = np.arange(problem.n_columns)
    return problem.with_block(Block(dense, rows), order=order, constant=constant_column(dense))


def check_optimum(fit: Fit, model: Model, what: str) -> None:
    """Refuse `what` of a fit that others cannot be compared with.

    Raises
    ------
    DataError
    """
    refuse_constrained(model, what)
    refuse_reduced(fit, model.family, what)
    status = Status(fit.status)
    if not status.usable and status is not Status.SEPARATED:
        raise DataError(
            f"The fit has no optimum that other models could be compared with: {status.message}"
        )


def _all_columns(keep: np.ndarray, coef: np.ndarray) -> np.ndarray:
    """Coefficients of some columns among all, 0 for the others and where there is none."""
    whole: Any = np.zeros(keep.size)
    whole[keep] = np.nan_to_num(coef)
    return whole
