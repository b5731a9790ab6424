"""Owns the analysis of deviance of one model, term by term: types 1, 2 and 3.

Type 1 is R's `anova.glm`, types 2 and 3 are those of `car::Anova`.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import Status
from jaxglm.inference.comparisons._comparison import Comparison
from jaxglm.inference.comparisons._deviance import Dispersion, chi2_tail, chosen_test, f_tail
from jaxglm.inference.comparisons._likelihood import beside_robust
from jaxglm.inference.comparisons._score import score_statistic
from jaxglm.inference.comparisons._submodels import Submodel, Submodels
from jaxglm.inference.comparisons._terms import Terms
from jaxglm.inference.covariances._asked import is_robust
from jaxglm.inference.covariances._dispersion import scale_choice
from jaxglm.inference.hypotheses._combinations import is_constrained
from jaxglm.inference.hypotheses._linear_tests import columns_test
from jaxglm.intake import Model
from jaxglm.search import Fit
from jaxglm.words import check_choice, listed

_TESTS = {"LR": "LR", "LRT": "LR", "Chisq": "LR", "F": "F", "Wald": "Wald"}


def sequential(fit: Fit, model: Model, test: str | None) -> Comparison:
    """Type 1: each term beside those before it."""
    test = chosen_test(test, fit, model.family)
    terms, fits = Terms.of(model), Submodels.of(fit, model, "anova()")
    models = [fits.fit(terms.mask(range(i))) for i in range(len(terms.labels) + 1)]
    scores = [
        score_over(fits, small, large) if test == "Rao" else np.nan
        for small, large in itertools.pairwise(models)
    ]
    names = ["NULL", *terms.labels]
    table = sequence_table(
        names,
        np.array([m.df_resid for m in models]),
        np.array([m.deviance for m in models]),
        test,
        np.array(scores),
        Dispersion.of(fit),
    )
    title = f"Analysis of deviance of {called(model)}, type 1: terms added first to last"
    return Comparison(table, title, (*notes_on_likelihood(fit), *troubles(models, names)))


def sequence_table(
    names: list[str],
    df_resid: np.ndarray,
    deviance: np.ndarray,
    test: str,
    scores: np.ndarray,
    phi: Dispersion,
) -> pd.DataFrame:
    """R's `anova.glm` of models one after the other, the differences to the one before."""
    df, fall = (np.append(np.nan, of[:-1] - of[1:]) for of in (df_resid, deviance))
    columns = {"Resid. Df": df_resid, "Resid. Dev": deviance, "Df": df, "Deviance": fall}
    with np.errstate(divide="ignore", invalid="ignore"):
        if test == "F":
            columns["F"] = np.where(df != 0, fall / df / phi.value, np.nan)
            columns["Pr(>F)"] = f_tail(columns["F"], df, phi.df)
        elif test == "Rao":
            columns["Rao"] = np.append(np.nan, scores)
            _add_tail(columns, "scaled Rao sc.", columns["Rao"], df, phi)
        else:
            _add_tail(columns, "scaled dev.", fall, df, phi)
    return pd.DataFrame(columns, index=names)


def _add_tail(
    columns: dict[str, np.ndarray], name: str, unscaled: np.ndarray, df: np.ndarray, phi: Dispersion
) -> None:
    """The p-value of a statistic, beside the statistic over the dispersion where that is not 1."""
    scaled = unscaled / phi.value * np.sign(df)
    if phi.value != 1:  # R has the p-value alone
        columns[name] = scaled
    columns["Pr(>Chi)"] = chi2_tail(scaled, df)


def score_over(fits: Submodels, small: Submodel, large: Submodel) -> float:
    """The score statistic of the columns of a model at the optimum of a smaller one."""
    if not large.keep.any():
        return 0.0
    with computing():
        eta = fits.linear_predictor(small.coef)
        return score_statistic(fits.columns(large.keep), fits.family, eta)[0]


def by_term(fit: Fit, model: Model, type_: int, test: str | None) -> Comparison:
    """Types 2 and 3: each term beside all others, or beside those that it is no part of."""
    check_choice("test", test, (None, *_TESTS))
    kind = "LR" if test is None else _TESTS[test]
    terms = Terms.of(model)
    if kind == "Wald":
        table, said = _wald(fit, model, terms, type_)
        said += [*_on_shape(fit), *_on_wald(fit)]
    else:
        table, troubled = _by_refits(fit, model, terms, type_, kind)
        said = [*notes_on_likelihood(fit), *troubled]
    said += _on_aliased(fit, model, kind)
    if type_ == 3:
        said += _of_type_3(terms)
    name = {"LR": "likelihood ratio", "F": "F", "Wald": "Wald"}[kind]
    title = f"Analysis of deviance of {called(model)}, type {type_}: {name} tests"
    return Comparison(table, title, tuple(said))


def _by_refits(
    fit: Fit, model: Model, terms: Terms, type_: int, kind: str
) -> tuple[pd.DataFrame, list[str]]:
    fits = Submodels.of(fit, model, "anova()")
    with_term, without = [], []
    for i in terms.all:
        others = terms.containing(i, terms.all) if type_ == 2 else []
        chosen = [j for j in terms.all if j not in others]
        with_term.append(fits.fit(terms.mask(chosen)))
        without.append(fits.fit(terms.mask(j for j in chosen if j != i)))
    fall = np.array([b.deviance - a.deviance for a, b in zip(with_term, without, strict=True)])
    df = np.array([b.df_resid - a.df_resid for a, b in zip(with_term, without, strict=True)])
    said = troubles(with_term + without, [*terms.labels] * 2)
    phi, df_resid = Dispersion.of(fit), fit.df_resid
    if kind == "LR":
        statistic = np.where(df > 0, fall / phi.value, np.nan)
        columns = {"LR Chisq": statistic, "Df": df, "Pr(>Chisq)": chi2_tail(statistic, df)}
        return pd.DataFrame(columns, index=list(terms.labels)), said
    # Where the dispersion is known it is estimated all the same: that is what an F test is for.
    error = phi.value
    if not phi.estimated:
        error = fit.pearson_chi2 / df_resid if df_resid > 0 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(df > 0, fall / df / error, np.nan)
    columns = {
        "Sum Sq": np.append(fall, error * df_resid),
        "Df": np.append(df, df_resid),
        "F value": np.append(statistic, np.nan),
        "Pr(>F)": np.append(f_tail(statistic, df, df_resid), np.nan),
    }
    if not phi.estimated:
        given = scale_choice(fit) is not None
        has = "scale= gave another" if given else f"the {model.family.name} family has 1"
        said.append(
            f"The dispersion of these F tests is Pearson chi2 / df, where {has}: they are those of "
            "scale='pearson'."
        )
    return pd.DataFrame(columns, index=[*terms.labels, "Residuals"]), said


def _wald(fit: Fit, model: Model, terms: Terms, type_: int) -> tuple[pd.DataFrame, list[str]]:
    names, statistic, df = [], [], []
    without: dict[str, list[str]] = {}
    if type_ == 3 and terms.base.any():  # car has a row for the intercept, in this test alone
        alone, k, why = _wald_statistic(fit, terms.base)
        names += [model.names[j] for j in np.flatnonzero(terms.base)]
        statistic.append(alone if k else np.nan)
        df.append(k)
        without.setdefault(why, []).append(names[-1])
    for i in terms.all:
        own = terms.own(i)
        others = terms.containing(i, terms.all) if type_ == 2 else []
        beyond = terms.mask(others) & ~terms.base
        alone, k, why = _wald_statistic(fit, own | beyond)
        beside, fewer, _ = _wald_statistic(fit, beyond)
        statistic.append(alone - beside if k > fewer else np.nan)
        df.append(k - fewer)
        names.append(terms.labels[i])
        without.setdefault(why, []).append(names[-1])
    columns = {"Df": np.array(df, float), "Chisq": np.array(statistic)}
    columns["Pr(>Chisq)"] = chi2_tail(columns["Chisq"], columns["Df"])
    said = [
        f"No test of {listed(map(repr, rows), 4)}: {why}" for why, rows in without.items() if why
    ]
    if fit.infinite.any():
        said.append("test='LR' tests terms whose coefficients run to infinity.")
    return pd.DataFrame(columns, index=names), said


def _on_wald(fit: Fit) -> Iterator[str]:
    if is_constrained(fit):
        yield (
            "A term of which constraints hold a coefficient at a value, or tie several to each "
            "other, has no test here."
        )
    if is_robust(fit.covariance):
        yield from fit.covariance.notes
    if fit.covariance.df is not None:
        yield (
            "These tests are chi-squared, as car has them; wald_test() and wald_test_terms() give "
            f"F with {fit.covariance.df:.6g} degrees of freedom below, since the dispersion was "
            "estimated."
        )


def _wald_statistic(fit: Fit, columns: np.ndarray) -> tuple[float, int, str]:
    """``b' C^-1 b`` of some coefficients b and their covariance C, and how many they are.

    nan where one runs to infinity, or nothing determines it, and then why.
    """
    if not (columns & ~fit.aliased).any():
        return 0.0, 0, ""
    nameless = [""] * columns.size
    test = columns_test(fit, nameless, np.flatnonzero(columns).tolist(), None)
    return (
        test.statistic,
        test.df_num,
        " ".join(test.notes).removeprefix("No test: ") if np.isnan(test.statistic) else "",
    )


def _on_aliased(fit: Fit, model: Model, kind: str) -> Iterator[str]:
    if not fit.aliased.any():
        return
    names = listed([repr(model.names[j]) for j in np.flatnonzero(fit.aliased)], 4)
    yield f"Left out of the fit, since they follow from other columns (aliased): {names}. " + (
        "These are tests of the coefficients that are there; models fitted without a term, as for "
        "test='LR', may have such a column in its place, and then test fewer Df."
        if kind == "Wald"
        else "In a model without a term such a column may take its place, so a term may have "
        "fewer Df here than in its Wald test, or none."
    )


def _of_type_3(terms: Terms) -> Iterator[str]:
    inner = [terms.labels[i] for i in terms.all if terms.containing(i, terms.all)]
    if inner:
        yield (
            f"Type 3 tests of {listed(map(repr, inner), 4)}, which are part of interactions, "
            "depend on how factors are coded and where numbers have their zero: with Treatment "
            "coding they are of the effect at the reference level of the others; C(g, Sum) gives "
            "an average."
        )


def notes_on_likelihood(fit: Fit) -> Iterator[str]:
    """What is to be said of comparisons by the likelihood, divided by the dispersion of a fit."""
    yield from _on_shape(fit)
    if Status(fit.status) is Status.SEPARATED:
        yield (
            "The fit is separated: its deviance is the smallest that is approached as coefficients "
            "run to infinity, and the chi-squared distribution is a poor guide to what chance does."
        )
    yield from fit.covariance.expected.notes
    yield from filter(None, [beside_robust(fit)])


def _on_shape(fit: Fit) -> Iterator[str]:
    if fit.alpha is not None:
        yield (
            f"The negative binomial shape is held at its estimate, alpha = {fit.alpha:.5g}, in all "
            "models of this table, as in R."
        )


def troubles(models: list[Submodel], names: list[str]) -> list[str]:
    """What is to be said of models that were refitted, by the names of their rows."""
    lost = [name for m, name in zip(models, names, strict=True) if not m.determined]
    gone = [name for m, name in zip(models, names, strict=True) if m.status is Status.SEPARATED]
    said = []
    if lost:
        rows = listed(map(repr, dict.fromkeys(lost)), 5)
        said.append(f"A model that is needed for {rows} has no optimum: its numbers are missing.")
    if gone and len(gone) < len(models):
        rows = listed(map(repr, dict.fromkeys(gone)), 5)
        said.append(f"A model behind {rows} is separated: its deviance is that at the limit.")
    return said


def called(model: Model) -> str:
    """A model in a few words: its formula, or its response and number of columns."""
    words = model.formula or f"{model.y_name} on {len(model.names)} columns"
    return f"{words}, constrained to {model.constraints}" if model.constraints else words
