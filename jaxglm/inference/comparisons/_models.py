"""Owns the tests of several fits, each against the one before it: R's `anova` of them."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.inference._estimates import Estimates
from jaxglm.inference.comparisons._anova import called, notes_on, sequence_table
from jaxglm.inference.comparisons._comparison import Comparison
from jaxglm.inference.comparisons._deviance import chi2_tail, chosen_test
from jaxglm.inference.comparisons._nesting import difference, nesting, problem_of
from jaxglm.inference.comparisons._score import score_statistic
from jaxglm.inference.comparisons._submodels import dispersion, refuse_reduced


def anova_of(fits: Sequence[Estimates], test: str | None) -> Comparison:
    """Each model beside the one before it; see `jaxglm.anova`."""
    shaped = any(fit.fit.alpha is not None for fit in fits)
    for other in fits[1:]:
        different = difference(fits[0], other, shaped)
        if different:
            raise DataError(
                f"These models cannot be compared by a test: {different}. A test compares models "
                "of the same rows, response, weights, family and link."
            )
    for fit in fits:
        refuse_reduced(fit.fit, "anova()")
        if not fit.converged and fit.status.name != "SEPARATED":
            raise DataError(f"{called(fit.model)!r} has no optimum: {fit.status.message}")
    pairs = list(itertools.pairwise(fits))
    cautions = [words for pair in pairs if (words := nesting(*pair))]
    table, title, said = _of_likelihoods(fits, test) if shaped else _of_deviances(fits, test)
    family = [f" ({fit.family.name})" if shaped else "" for fit in fits]
    listed = [
        f"Model {i}: {called(fit.model)}{own}"
        for i, (fit, own) in enumerate(zip(fits, family, strict=True), start=1)
    ]
    said += [words for fit in fits for words in notes_on(fit.fit, fit.model) if not shaped]
    notes = (*listed, *dict.fromkeys(said))
    return Comparison(table, title, notes).warned(dict.fromkeys(cautions))


def _of_deviances(
    fits: Sequence[Estimates], test: str | None
) -> tuple[pd.DataFrame, str, list[str]]:
    family = fits[0].family
    test = chosen_test(test, family)
    df_resid = np.array([fit.df_resid for fit in fits])
    largest = fits[int(np.argmin(df_resid))]
    scores = np.full(len(fits) - 1, np.nan)
    if test == "Rao":
        scores[:] = [_score_between(*pair) for pair in itertools.pairwise(fits)]
    table = sequence_table(
        [str(i) for i in range(1, len(fits) + 1)],
        df_resid,
        np.array([fit.deviance for fit in fits]),
        test,
        scores,
        dispersion(largest.fit, family),
        largest.df_resid,
    )
    said = []
    if not family.dispersion_fixed:
        said.append(
            f"The dispersion is that of the largest model, {largest.scale:.6g} on "
            f"{largest.df_resid:.6g} degrees of freedom."
        )
    name = {"Chisq": "likelihood ratio", "F": "F", "Rao": "Rao's score"}[test]
    return table, f"Analysis of deviance: {name} tests", said


def _score_between(first: Estimates, second: Estimates) -> float:
    """The score statistic of the larger model at the optimum of the smaller one."""
    small, large = sorted((first, second), key=lambda fit: -fit.df_resid)
    held, own = large.model.held("Rao's test"), small.model.held("Rao's test")
    eta = own.columns.matvec(np.where(small.fit.aliased, 0.0, small.fit.coef))
    if own.rows.offset is not None:
        eta = eta + own.rows.offset
    with computing():
        statistic, _ = score_statistic(problem_of(held), large.family, eta)
    return statistic if second is large else -statistic


def _of_likelihoods(
    fits: Sequence[Estimates], test: str | None
) -> tuple[pd.DataFrame, str, list[str]]:
    """Negative binomial models with shapes of their own, as `MASS:::anova.negbin`, and Poisson."""
    if test not in (None, "Chisq", "LRT", "LR"):
        raise ValueError(
            f"test={test!r}: models whose negative binomial shape was estimated have deviances of "
            "different shapes, and are compared by their likelihoods: test='Chisq'."
        )
    llf = np.array([fit.llf for fit in fits])
    parameters = np.array([fit._n_parameters for fit in fits], float)
    shapes = np.array([fit.fit.alpha is not None for fit in fits], float)
    df, more = np.diff(parameters), np.diff(shapes)
    statistic = 2 * np.diff(llf)
    upwards = statistic * np.sign(df)
    plain = chi2_tail(upwards, df)
    # One of the parameters has its value on the boundary: half of chi2 with one df less.
    fewer = np.where(np.abs(df) > 1, chi2_tail(upwards, np.abs(df) - 1), 1.0 * (upwards <= 0))
    at_boundary = 0.5 * (np.where(upwards >= 0, plain, 1.0) + fewer)
    tail = np.where((more != 0) & (df * more > 0), at_boundary, plain)
    alphas = [0.0 if fit.fit.alpha is None else fit.fit.alpha for fit in fits]
    table = pd.DataFrame(
        {
            "alpha": alphas,
            "Resid. Df": [fit.df_resid for fit in fits],
            "-2 logLik": -2 * llf,
            "Df": np.append(np.nan, df),
            "LR": np.append(np.nan, statistic),
            "Pr(>Chi)": np.append(np.nan, tail),
        },
        index=[str(i) for i in range(1, len(fits) + 1)],
    )
    said = ["Df counts the negative binomial shape alpha where a model estimates it."]
    if more.any():
        said.append(
            "Poisson against negative binomial: alpha = 0 is on the boundary of what alpha can be, "
            "so the statistic is a half-and-half mixture of chi-squared with Df and Df - 1 degrees "
            "of freedom (Self and Liang 1987), and the p-value is that of the mixture."
        )
    return table, "Likelihood ratio tests of count models", said
