"""Owns the choice of terms step by step, as R's `step`."""

import math
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.inference.comparisons._scope import Scope
from jaxglm.inference.comparisons._selection import (
    Criteria,
    Criterion,
    given_dispersion,
    has_likelihood,
)
from jaxglm.inference.comparisons._submodels import announce
from jaxglm.intake import Model
from jaxglm.search import Fit
from jaxglm.words import check_choice

Direction = Literal["both", "backward", "forward"]
# R's tolerance: a term without a coefficient of its own may raise the criterion by rounding.
_NO_BETTER = 1e-7
_MOST_STEPS = 1000


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
    if criterion != "qaic" and not has_likelihood(fit, model):
        name = model.family.name
        why = f"The {name} family has no likelihood"
        if model.family.has_likelihood:
            why = f"The likelihood of the {name} family knows nothing of an estimated dispersion"
        raise ValueError(
            f"{why}, so there is no {criterion.upper()}: give criterion='qaic', which divides the "
            "deviance by the dispersion of the largest model."
        )
    at = Scope.of(fit, model, "step()", scope, data)
    if criterion == "qaic":
        by = Criteria(criterion, fit.nobs, given_dispersion(fit) or _scale_of_largest(at))
    else:
        by = Criteria.of_likelihood(criterion, fit)
    value, name = by.of_fit(at.fit, at.model), criterion.upper()
    if not math.isfinite(value):
        raise DataError(
            f"The fit leaves nothing to estimate a dispersion from, so it has no finite {name}: "
            "there is nothing to choose terms by."
        )
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
    announce(at.notes)
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
