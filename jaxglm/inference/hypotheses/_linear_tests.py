"""Owns Wald tests: of linear hypotheses one by one and together, and of the terms of a formula.

The statistic of m hypotheses R b = q is ``(R b - q)' (R C R')^-1 (R b - q)``, C the covariance of
the coefficients (Wald 1943, Trans. AMS 54, 426-482): chi-squared with m degrees of freedom, or m
times an F variable where the dispersion was estimated.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from jaxglm._status import Status
from jaxglm.inference._wald import wald
from jaxglm.inference.hypotheses._answers import LinearTest, WaldTest
from jaxglm.inference.hypotheses._combinations import (
    HELD,
    INFINITE,
    NEGATIVE,
    NO_DISPERSION,
    NO_FIT,
    OPEN,
    Combinations,
    combinations_of,
    is_constrained,
)
from jaxglm.inference.hypotheses._comparisons import no_tests
from jaxglm.inference.hypotheses._hypothesis import Hypothesis
from jaxglm.search import Fit
from jaxglm.words import FloatArray

# Of rows of length 1, a singular value that is nothing but rounding.
_ROUNDING = 1e-12
# Coefficients tested together; the work grows with the cube.
_MOST_TOGETHER = 2000
_INDEFINITE = (
    "No test: the covariance of these combinations is not positive definite, as that of "
    "clusterings of several ways need not be; test fewer together."
)


def joint_test(
    fit: Fit, names: Sequence[str], hypothesis: Hypothesis, df: float | None
) -> WaldTest:
    """The Wald test of all rows of a hypothesis; F with `df`, chi-squared with None."""
    own, note = hypothesis.independent()
    found = combinations_of(fit, names, own.matrix)
    # Once dependent columns are told apart, rows may say the same that did not before.
    if fit.aliased.any() and not any(found.reasons):
        own, more = dataclasses.replace(own, matrix=own.matrix * ~fit.aliased).independent()
        note = " ".join(filter(None, (note, more)))
        found = combinations_of(fit, names, own.matrix)
    said = (caution(fit), note, *no_tests(own.labels, found.reasons).values())
    notes = tuple(filter(None, said))
    return _wald_test(found, own.value, own.labels, notes, fit, df)


def single_tests(fit: Fit, names: Sequence[str], hypothesis: Hypothesis) -> LinearTest:
    """The tests of all rows of a hypothesis, each by itself."""
    empty = ~hypothesis.matrix.any(axis=1)
    if empty.any():
        label = hypothesis.labels[int(np.flatnonzero(empty)[0])]
        raise ValueError(f"the hypothesis {label!r} is about no coefficient")
    found, df = combinations_of(fit, names, hypothesis.matrix), fit.covariance.df
    se = found.standard_errors
    values, p = wald(found.estimate - hypothesis.value, se, df)
    return LinearTest(
        effect=found.estimate,
        sd=se,
        null_value=hypothesis.value + 0.0,  # a zero that was brought over is -0
        statistic=values,
        pvalue=p,
        df_denom=math.inf if df is None else df,
        distribution="norm" if df is None else "t",
        hypotheses=hypothesis.labels,
        notes=tuple(
            filter(None, (caution(fit), *no_tests(hypothesis.labels, found.reasons).values()))
        ),
    )


def caution(fit: Fit) -> str:
    """Why tests of a fit may mislead that is no ordinary optimum; those of others have reasons."""
    status = Status(fit.status)
    return "" if status in (Status.CONVERGED, Status.SEPARATED) else status.message


def columns_test(
    fit: Fit, names: Sequence[str], columns: Sequence[int], df: float | None
) -> WaldTest:
    """The Wald test that the coefficients of some columns are 0; aliased ones have no part."""
    covariance = fit.covariance
    own = np.array([j for j in columns if not fit.aliased[j]], dtype=int)
    labels = tuple(f"{names[j]} = 0" for j in own)
    reason = ""
    if not own.size:
        reason = "all its columns were left out of the fit (aliased)"
    elif own.size > _MOST_TOGETHER:
        reason = f"{own.size:,} coefficients are more than the {_MOST_TOGETHER:,} tested together"
    elif covariance.infinite[own].any():
        reason = INFINITE
    elif covariance.open[own].any():
        reason = OPEN
    elif np.isnan(covariance.scale):
        reason = NO_DISPERSION
    elif not fit.covariance.expected.standard_errors[own].all():
        reason = HELD
    elif not np.isfinite([fit.coef[own], *covariance.root.dense[own].T]).all():
        reason = fit.without_errors or NO_FIT
    elif not np.isfinite(covariance.standard_errors[own]).all():
        reason = NEGATIVE
    if reason:
        return _without(len(own), labels, (f"No test: {reason}.",), df)
    found = Combinations(fit.coef[own], covariance.spread_of(own), ("",) * own.size)
    return _wald_test(found, np.zeros(own.size), labels, (), fit, df)


def _wald_test(
    found: Combinations,
    value: FloatArray,
    labels: tuple[str, ...],
    notes: tuple[str, ...],
    fit: Fit,
    df: float | None,
) -> WaldTest:
    m = len(labels)
    if any(found.reasons):
        return _without(m, labels, notes, df)
    if df is not None and df <= 0:
        why = "No F test: no residual degrees of freedom are left for its denominator."
        return _without(m, labels, (*notes, why), df)
    root, signs = found.spread.root, found.spread.signs
    sizes = np.linalg.norm(root, axis=1)
    u, singular, along = np.linalg.svd(
        root / np.where(sizes > 0, sizes, 1.0)[:, None], full_matrices=False
    )
    rank = int(np.count_nonzero(singular > _ROUNDING))
    if rank < m:
        what = f"the covariance ({fit.covariance.kind}) tells"
        if is_constrained(fit):
            what = "the constraints of the fit, by which some follow from others, tell"
        why = f"No test: {what} apart {rank} of the {m} combinations; test fewer together."
        return _without(m, labels, (*notes, why), df)
    distances = u.T @ ((found.estimate - value) / sizes) / singular
    if signs is not None:
        # With the signs of the columns the covariance of these is the unit matrix no more.
        values, vectors = np.linalg.eigh((along * signs) @ along.T)
        if values[0] <= _ROUNDING:
            return _without(m, labels, (*notes, _INDEFINITE), df)
        distances = vectors.T @ distances / np.sqrt(values)
    distance = float(np.sum(distances**2))
    from scipy import special

    if df is None:
        p = special.chdtrc(m, distance)
        return WaldTest(distance, float(p), m, math.inf, "chi2", labels, notes)
    ratio = distance / m
    return WaldTest(ratio, float(special.fdtrc(m, df, ratio)), m, df, "F", labels, notes)


def _without(m: int, labels: tuple[str, ...], notes: tuple[str, ...], df: float | None) -> WaldTest:
    """A test that there is not, for the reasons in its notes."""
    which, denominator = ("chi2", math.inf) if df is None else ("F", df)
    return WaldTest(math.nan, math.nan, m, denominator, which, labels, notes)
