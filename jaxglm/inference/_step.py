"""Owns the choice of terms: single terms dropped or added, and R's `step`.

The numbers are those of R's `drop1.glm`, `add1.glm` and `step`, whose AIC is that of
`extractAIC.glm`: -2 log-likelihood (with a dispersion counted as one parameter) and k for each
coefficient. Other models of a table have the deviance over the dispersion of the model at hand in
its place, but for the Gaussian family, where it is n log(deviance / n).
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm.inference._anova import notes_on, score_over, troubles
from jaxglm.inference._comparison import Comparison
from jaxglm.inference._deviance import chi2_tail, chosen_test, f_tail
from jaxglm.inference._scope import Scope
from jaxglm.inference._submodels import Submodel, dispersion
from jaxglm.intake import Model
from jaxglm.search import Fit
from jaxglm.words import check_choice, listed

Direction = Literal["both", "backward", "forward"]
Criterion = Literal["aic", "bic", "qaic"]
# R's tolerance: a term without a coefficient of its own may raise the criterion by rounding.
_NO_BETTER = 1e-7
_MOST_STEPS = 1000


class Criteria:
    """What models are ranked by, less is better.

    Attributes
    ----------
    name : {"aic", "bic", "qaic"}
    k : float
        What a coefficient costs: 2, or log(nobs) of the BIC.
    scale : float or None
        The dispersion that the deviance is divided by, of the QAIC.
    """

    def __init__(self, name: Criterion, nobs: float, scale: float | None = None):
        self.name, self.scale = name, scale
        self.k = math.log(nobs) if name == "bic" else 2.0

    def of_fit(self, fit: Fit, model: Model) -> float:
        """Of a model with its record: R's `extractAIC`."""
        rank = int((~fit.aliased).sum())
        if self.scale is not None:
            return fit.deviance / self.scale + self.k * rank
        return -2 * fit.log_likelihood + 2 * model.family.n_likelihood_params + self.k * rank

    def of(self, models: Sequence[Submodel], fit: Fit, model: Model) -> np.ndarray:
        """Of models of the same rows, the first of which is that of the record."""
        deviance = np.array([m.deviance for m in models])
        rank = np.array([m.rank for m in models])
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.scale is not None:
                fall = deviance / self.scale
            elif model.family.name == "gaussian":
                fall = fit.nobs * np.log(deviance / fit.nobs)
            else:
                fall = deviance / dispersion(fit, model.family)
            values = fall + self.k * rank
            return values - values[0] + self.of_fit(fit, model)


def drop1(fit: Fit, model: Model, test: str | None) -> Comparison:
    """The model without each of the terms that are part of no other."""
    test = chosen_test(test, model.family)
    scope = Scope.of(fit, model, "drop1()")
    terms = scope.terms.droppable(scope.chosen)
    recoded = [scope.terms.labels[i] for i in terms if i not in scope.droppable]
    models = [scope.current, *(scope.without(i) for i in terms)]
    scores = None
    if test == "Rao":
        scores = [score_over(scope.fits, small, models[0]) for small in models[1:]]
    found = _compared(scope, terms, models, test, scores, "Single terms dropped from")
    return dataclasses.replace(found, notes=(*found.notes, *_on_coding(recoded)))


def add1(fit: Fit, model: Model, scope: Any, data: Any, test: str | None) -> Comparison:
    """The model with each of the terms of a scope that can be added."""
    test = chosen_test(test, model.family)
    among = Scope.of(fit, model, "add1()", scope, data)
    terms = among.terms.addable(among.chosen)
    models = [among.current, *(among.beside(i) for i in terms)]
    scores = None
    if test == "Rao":
        scores = [score_over(among.fits, models[0], large) for large in models[1:]]
    return _compared(among, terms, models, test, scores, "Single terms added to")


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
    what: str,
) -> Comparison:
    """R's table of the model at hand and others that differ from it by a term."""
    fit, model = scope.fit, scope.model
    family, first = model.family, models[0]
    rank = np.array([m.rank for m in models], float)
    deviance = np.array([m.deviance for m in models])
    df = np.abs(rank - rank[0])
    df[0] = np.nan
    adds = bool(rank[1:].sum() > rank[0] * (len(models) - 1))
    aic = Criteria("aic", fit.nobs).of(models, fit, model)
    columns = {"Df": df, "Deviance": deviance}
    if not np.isnan(aic[0]):
        columns["AIC"] = aic
    phi = dispersion(fit, family)
    fall = np.maximum(deviance[0] - deviance if adds else deviance - deviance[0], 0.0)
    fall[df == 0] = 0.0  # the same model, up to rounding
    fall[0] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        if test == "F":
            # Of the larger model in each pair, its deviance over its degrees of freedom, as R.
            error = np.array([m.df_resid for m in (models if adds else [first] * len(models))])
            mean = (deviance if adds else deviance[0]) / error
            columns["F value"] = np.where(df > 0, fall / df / mean, np.nan)
            columns["Pr(>F)"] = f_tail(columns["F value"], df, error)
        elif test == "Rao":
            assert scores is not None
            statistic = np.append(np.nan, np.maximum(scores, 0.0)) / phi
            columns["Rao score" if phi == 1 else "scaled Rao sc."] = statistic
            columns["Pr(>Chi)"] = chi2_tail(statistic, df)
        else:
            if family.name == "gaussian":
                sign = -1.0 if adds else 1.0
                statistic = fit.nobs * np.log1p(sign * fall / deviance[0])
                statistic *= sign
            else:
                statistic = fall / phi
            columns["LRT" if phi == 1 else "scaled dev."] = statistic
            columns["Pr(>Chi)"] = chi2_tail(statistic, df)
    labels = ["<none>", *(scope.terms.labels[i] for i in terms)]
    notes = (*notes_on(fit, model), *troubles(list(models), labels))
    return Comparison(
        pd.DataFrame(columns, index=labels), f"{what} {model.formula or model.y_name}", notes
    )


def step(
    fit: Fit,
    model: Model,
    direction: Direction | None,
    scope: Any,
    data: Any,
    criterion: Criterion,
) -> tuple[Fit, Model, pd.DataFrame]:
    """The model that no single term improves, its record and the way to it; see `Results.step`."""
    check_choice("direction", direction, (None, "both", "backward", "forward"))
    check_choice("criterion", criterion, ("aic", "bic", "qaic"))
    direction = direction or ("backward" if scope is None else "both")
    if direction == "forward" and scope is None:
        raise ValueError(
            "direction='forward' adds terms: give scope='~ . + x + g', and data= with their columns"
        )
    if criterion != "qaic" and not model.family.has_likelihood:
        raise ValueError(
            f"The {model.family.name} family has no likelihood, so there is no "
            f"{criterion.upper()}: give criterion='qaic', which divides the deviance by the "
            "dispersion of the largest model."
        )
    at = Scope.of(fit, model, "step()", scope, data)
    by = Criteria(criterion, fit.nobs, _scale_of_largest(at) if criterion == "qaic" else None)
    value = by.of_fit(at.fit, at.model)
    path = [_row("", at, None, value)]
    for _ in range(_MOST_STEPS):
        change = _best_change(at, by, direction)
        if change is None:
            break
        sign, term = change
        chosen = {*at.chosen, term} if sign == "+" else set(at.chosen) - {term}
        after = at.move(chosen)
        reached = by.of_fit(after.fit, after.model)
        if not reached < value + _NO_BETTER:
            break
        path.append(_row(f"{sign} {at.terms.labels[term]}", after, at, reached))
        at, value = after, reached
    name = {"aic": "AIC", "bic": "BIC", "qaic": "QAIC"}[criterion]
    return at.fit, at.model, pd.DataFrame(path).rename(columns={"criterion": name})


def _best_change(at: Scope, by: Criteria, direction: Direction) -> tuple[str, int] | None:
    """The single term whose loss or gain lowers the criterion most; None where none does."""
    changes: list[tuple[str, int]] = []
    models = [at.current]
    if direction != "forward":
        for i in at.droppable:
            models.append(at.without(i))
            changes.append(("-", i))
        idle = [c for c, m in zip(changes, models[1:], strict=True) if m.rank == models[0].rank]
        if idle:  # terms without a coefficient of their own go first
            return idle[-1]
    if direction != "backward":
        for i in at.addable:
            models.append(at.beside(i))
            changes.append(("+", i))
    with computing():
        values = by.of(models, at.fit, at.model)
    values[1:][[m.rank == models[0].rank for m in models[1:]]] = np.inf
    best = int(np.argmin(np.where(np.isnan(values), np.inf, values)))
    return None if best == 0 else changes[best - 1]


def _scale_of_largest(at: Scope) -> float:
    """Pearson chi2 over df of the model of all terms that there are."""
    largest = at.fits.fit(at.terms.mask(at.terms.all))
    return largest.pearson_chi2 / largest.df_resid if largest.df_resid > 0 else math.nan


def _row(change: str, at: Scope, before: Scope | None, value: float) -> dict[str, Any]:
    """A row of the path, as R's `step` keeps it in `$anova`."""
    fit = at.fit
    return {
        "Step": change,
        "Df": math.nan if before is None else fit.df_resid - before.fit.df_resid,
        "Deviance": math.nan if before is None else abs(fit.deviance - before.fit.deviance),
        "Resid. Df": fit.df_resid,
        "Resid. Dev": fit.deviance,
        "criterion": value,
    }
