"""Owns single terms dropped from a model or added to it, as R's `drop1.glm` and `add1.glm`."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm.inference.comparisons._anova import (
    called,
    notes_on_likelihood,
    score_over,
    troubles,
)
from jaxglm.inference.comparisons._comparison import Comparison
from jaxglm.inference.comparisons._deviance import Dispersion, chi2_tail, chosen_test, f_tail
from jaxglm.inference.comparisons._scope import Scope
from jaxglm.inference.comparisons._selection import (
    Criteria,
    given_dispersion,
    has_likelihood,
)
from jaxglm.inference.comparisons._submodels import Submodel
from jaxglm.inference.covariances._dispersion import scale_choice
from jaxglm.intake import Model
from jaxglm.search import Fit
from jaxglm.words import listed


def drop1(fit: Fit, model: Model, test: str | None) -> Comparison:
    """The model without each of the terms that are part of no other."""
    test = chosen_test(test, fit, model.family)
    scope = Scope.of(fit, model, "drop1()")
    terms = scope.terms.droppable(scope.chosen)
    recoded = [scope.terms.labels[i] for i in terms if i not in scope.droppable]
    models = [scope.current, *(scope.without(i) for i in terms)]
    scores = None
    if test == "Rao":
        scores = [score_over(scope.fits, small, models[0]) for small in models[1:]]
    found = _compared(scope, terms, models, test, scores, adds=False)
    return dataclasses.replace(found, notes=(*found.notes, *_on_coding(recoded)))


def add1(fit: Fit, model: Model, scope: Any, data: Any, test: str | None) -> Comparison:
    """The model with each of the terms of a scope that can be added."""
    test = chosen_test(test, fit, model.family)
    among = Scope.of(fit, model, "add1()", scope, data)
    terms = among.terms.addable(among.chosen)
    models = [among.current, *(among.beside(i) for i in terms)]
    scores = None
    if test == "Rao":
        scores = [score_over(among.fits, models[0], large) for large in models[1:]]
    return _compared(among, terms, models, test, scores, adds=True)


def _on_scale(fit: Fit, test: str) -> Iterator[str]:
    if test == "F" and scale_choice(fit) != "ml":
        yield (
            "The dispersion of these F tests is the deviance over its degrees of freedom, as in R."
        )
    if given_dispersion(fit) is not None:
        yield (
            "AIC is deviance / scale + 2 k, since the dispersion was given: less the same number "
            "in all models."
        )


def _on_coding(terms: Sequence[str]) -> Iterator[str]:
    if terms:
        yield (
            f"Without {listed(map(repr, terms), 4)} the formula would code other terms by other "
            "columns; here, as in R, the columns that are left stay as they are, and the model is "
            "none that a formula gives."
        )


def _compared(
    scope: Scope,
    terms: Sequence[int],
    models: Sequence[Submodel],
    test: str,
    scores: Sequence[float] | None,
    *,
    adds: bool,
) -> Comparison:
    """R's table of the model at hand and others that differ from it by a term."""
    fit, model = scope.fit, scope.model
    phi, first = Dispersion.of(fit), models[0]
    rank = np.array([m.rank for m in models], float)
    deviance = np.array([m.deviance for m in models])
    df = np.abs(rank - rank[0])
    df[0] = np.nan
    columns = {"Df": df, "Deviance": deviance}
    if has_likelihood(fit, model):
        columns["AIC"] = Criteria.of_likelihood("aic", fit).of(models, fit, model)
    fall = np.maximum(deviance[0] - deviance if adds else deviance - deviance[0], 0.0)
    fall[df == 0] = 0.0  # the same model, up to rounding
    fall[0] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        if test == "F":
            # Of the larger model in each pair, its deviance over its degrees of freedom, as R.
            error = np.array([m.df_resid for m in (models if adds else [first] * len(models))])
            mean = (deviance if adds else deviance[0]) / error
            if scale_choice(fit) == "ml":
                mean, error = phi.value, np.full(len(models), phi.df)
            columns["F value"] = np.where(df > 0, fall / df / mean, np.nan)
            columns["Pr(>F)"] = f_tail(columns["F value"], df, error)
        elif test == "Rao":
            assert scores is not None
            statistic = np.append(np.nan, np.maximum(scores, 0.0)) / phi.value
            columns["Rao score" if phi.value == 1 else "scaled Rao sc."] = statistic
            columns["Pr(>Chi)"] = chi2_tail(statistic, df)
        else:
            if model.family.name == "gaussian" and phi.estimated:
                sign = -1.0 if adds else 1.0
                statistic = fit.nobs * np.log1p(sign * fall / deviance[0])
                statistic *= sign
            else:
                statistic = fall / phi.value
            columns["LRT" if phi.value == 1 else "scaled dev."] = statistic
            columns["Pr(>Chi)"] = chi2_tail(statistic, df)
    labels = ["<none>", *(scope.terms.labels[i] for i in terms)]
    notes = (*notes_on_likelihood(fit), *_on_scale(fit, test), *troubles(list(models), labels))
    what = "added to" if adds else "dropped from"
    title = f"Single terms {what} {called(model)}"
    return Comparison(pd.DataFrame(columns, index=labels), title, notes)
