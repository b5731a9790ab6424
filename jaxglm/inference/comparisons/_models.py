"""Owns the tests of several fits, each against the one before it: R's `anova` of them."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.inference._estimates import Estimates
from jaxglm.inference.comparisons._anova import called, notes_on_likelihood, sequence_table
from jaxglm.inference.comparisons._comparison import Comparison
from jaxglm.inference.comparisons._deviance import Dispersion, chi2_tail, chosen_test
from jaxglm.inference.comparisons._inside import outside
from jaxglm.inference.comparisons._likelihood import beside_robust
from jaxglm.inference.comparisons._nesting import difference, problem_of
from jaxglm.inference.comparisons._score import score_statistic
from jaxglm.inference.comparisons._submodels import UNDER_PENALTY, refuse_penalised, refuse_reduced


def anova_of(fits: Sequence[Estimates], test: str | None) -> Comparison:
    """Each model beside the one before it; see `jaxglm.anova`."""
    shaped = any(fit.fit.alpha is not None for fit in fits)
    for other in fits[1:]:
        different = difference(fits[0], other, shaped)
        if different:
            raise DataError(
                f"These models cannot be compared by a test: {different}. A test compares models "
                "of the same rows, response, weights, family, link and dispersion."
            )
    for fit in fits:
        refuse_reduced(fit.fit, fit.family, "anova()")
        refuse_penalised(fit.model, UNDER_PENALTY.format("anova()"))
        if not fit.converged and fit.status.name != "SEPARATED":
            raise DataError(f"{called(fit.model)!r} has no optimum: {fit.status.message}")
    pairs = list(itertools.pairwise(fits))
    cautions = [words for pair in pairs if (words := _nesting(*pair))]
    table, title, said = _of_likelihoods(fits, test) if shaped else _of_deviances(fits, test)
    family = [f" ({fit.family.name})" if shaped else "" for fit in fits]
    listed = [
        f"Model {i}: {called(fit.model)}{own}"
        for i, (fit, own) in enumerate(zip(fits, family, strict=True), start=1)
    ]
    for fit in fits:
        said += filter(None, [beside_robust(fit.fit)]) if shaped else notes_on_likelihood(fit.fit)
    notes = (*listed, *dict.fromkeys(said))
    return Comparison(table, title, notes).warned(dict.fromkeys(cautions))


def _nesting(one: Estimates, other: Estimates) -> str:
    """Why a test of two models may mean nothing, in words; empty where one is inside the other."""
    small, large = sorted((one, other), key=lambda fit: (-fit.df_resid, fit._n_parameters))
    between = f"{called(small.model)!r} and {called(large.model)!r}"
    if small._n_parameters == large._n_parameters:
        return f"{between} have as many coefficients as each other: there is nothing to test."
    if small.fit.alpha is not None and large.fit.alpha is None:
        return (
            f"{between} are not nested: the one with fewer terms is negative binomial, the other "
            "Poisson, so there is no p-value. Compare them by AIC or BIC, jaxglm.compare(m1, m2)."
        )
    apart, why = outside(small, large)
    if apart is None:
        return (
            f"Whether {between} are nested cannot be told: {why}. Where they are not, the p-value "
            "means nothing."
        )
    if apart:
        return (
            f"{between} are not nested: {why}, so the p-value means nothing. Compare them by AIC "
            "or BIC, jaxglm.compare(m1, m2)."
        )
    return ""


def _of_deviances(
    fits: Sequence[Estimates], test: str | None
) -> tuple[pd.DataFrame, str, list[str]]:
    family = fits[0].family
    df_resid = np.array([fit.df_resid for fit in fits])
    largest = fits[int(np.argmin(df_resid))]
    test, phi = chosen_test(test, largest.fit, family), Dispersion.of(largest.fit)
    scores = np.full(len(fits) - 1, np.nan)
    if test == "Rao":
        scores[:] = [_score_between(*pair) for pair in itertools.pairwise(fits)]
    table = sequence_table(
        [str(i) for i in range(1, len(fits) + 1)],
        df_resid,
        np.array([fit.deviance for fit in fits]),
        test,
        scores,
        phi,
    )
    said = []
    if phi.estimated:
        said.append(
            f"The dispersion is that of the largest model, {largest.scale:.6g} on {phi.df:.6g} "
            "degrees of freedom."
        )
    name = {"Chisq": "likelihood ratio", "F": "F", "Rao": "Rao's score"}[test]
    return table, f"Analysis of deviance: {name} tests", said


def _score_between(first: Estimates, second: Estimates) -> float:
    """The score statistic of the larger model at the optimum of the smaller one."""
    small, large = sorted((first, second), key=lambda fit: -fit.df_resid)
    if large.model.constraints:
        raise DataError(
            "Rao's test would be of the larger model without its constraints "
            f"({large.model.constraints}): give test='Chisq', or 'F'"
        )
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
    # Of a shape and fewer terms against none and more terms, neither is a case of the other.
    tail = np.where(more == 0, plain, np.where(df * more > 0, at_boundary, np.nan))
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
    if (df * more > 0).any():
        said.append(
            "Poisson against negative binomial: alpha = 0 is on the boundary of what alpha can be, "
            "so the statistic is a half-and-half mixture of chi-squared with Df and Df - 1 degrees "
            "of freedom (Self and Liang 1987), and the p-value is that of the mixture."
        )
    return table, "Likelihood ratio tests of count models", said
