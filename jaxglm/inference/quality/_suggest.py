"""Owns `suggest_family`: which families suit a response, and why, without a fit."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxglm import io
from jaxglm._status import DataError
from jaxglm.diagnostics import response_facts
from jaxglm.inference.quality._number_families import beyond, of_numbers
from jaxglm.inference.quality._suggestions import (
    NOTHING_VARIES,
    FamilySuggestions,
    Suggestion,
    rare,
    two_outcomes,
)
from jaxglm.words import count, listed, measure, understands_habits

# The cubes of larger numbers are no numbers.
_LARGEST = 1e100
_TOO_LARGE = (
    "Their variance is more than a number can hold. Look for values that stand for something else "
    "(a code for missing), or give the response in another unit: y / 1e100."
)


@understands_habits
def suggest_family(y: Any, trials: Any = None, weights: Any = None) -> FamilySuggestions:
    """Say which families suit a response and why, from its values alone; nothing is fitted.

    What counts in the end is the distribution of the response about its mean, which a model of the
    predictors shows: see `Results.overdispersion`, `Results.calibration` and `Results.resid`.

    Parameters
    ----------
    y : array-like [n], or [n, 2] of successes and failures
        The response: numbers, truth values or labels.
    trials : array or number, optional
        Trials behind each number of successes, or behind each share of them.
    weights : array or number, optional
        What each row counts for; rows of weight 0 do not count.

    Returns
    -------
    FamilySuggestions
        Prints as text; `family` is the first one's name, `table` a data frame of all.

    Raises
    ------
    DataError
        When `y` has no rows or another shape, or `trials` or `weights` do not fit to it.

    Examples
    --------
    >>> import jaxglm as jg
    >>> jg.suggest_family([0, 3, 1, 0, 12, 0, 5, 0, 0, 21]).table[["family", "link"]]
                  family link
    0  negative_binomial  log
    1       quasipoisson  log
    2            poisson  log
    >>> print(jg.suggest_family(["yes", "no", "no"] * 20))
    Response: 60 labels of two kinds, 'no' and 'yes'
    1. family='binomial', link='logit'
       Two outcomes: the model is of the probability of 'yes', the later of the
       two in order; coefficients are log odds ratios.
    """
    response, told = _read(y)
    if response is None:
        return FamilySuggestions("not of a kind that a model can have", (), (told,))
    n = len(response.y)
    weight = np.ones(n) if weights is None else _vector(weights, "weights", n)
    size = response.trials if trials is None else _vector(trials, "trials", n)
    if response.trials is not None and trials is not None:
        raise DataError(
            "y holds successes and failures, which contain the trials; leave trials= out."
        )
    there = ~np.isnan(response.y)
    notes = []
    if not there.all():
        notes.append(
            f"{int(np.sum(~there))} of {n} values are missing: a fit refuses these rows, or leaves "
            "them out with missing='drop'."
        )
    keep = there & (weight > 0)
    if not keep.any():
        return FamilySuggestions("no values", (), (*notes, "There is no value to look at."))
    largest = max(float(np.abs(response.y[keep]).max()), float(weight[keep].max()))
    if largest > _LARGEST:
        return FamilySuggestions(f"numbers as large as {largest:.3g}", (), (*notes, _TOO_LARGE))
    if response.levels is not None:
        return _of_labels(response.y[keep].astype(int), weight[keep], response.levels, notes)
    if size is not None:
        return _of_shares(response.y[keep], size[keep], weight[keep], notes)
    return of_numbers(response_facts(response.y[keep], weight[keep]), notes)


def _read(y: Any) -> tuple[io.Response | None, str]:
    """The response, or why there is none that a family could have."""
    if isinstance(y, str) or not hasattr(y, "__len__"):
        raise DataError(f"y is a single {type(y).__name__}; give the values of the response.")
    if isinstance(y, Mapping):
        raise DataError("y is a table; give the values of the response, table['column'].")
    n, width = len(y), io.width_of(y)
    if n == 0 or width > 2:
        what = "has no rows" if n == 0 else f"has {width} columns"
        raise DataError(f"y {what}; give one column, or two of successes and failures.")
    try:
        return io.read_response(y, n, allow_missing=True), ""
    except DataError as error:
        return None, f"{error}."


def _vector(given: Any, name: str, n: int) -> np.ndarray:
    values = io.read_vector(given, name, n)
    if np.any(values < 0):
        raise DataError(f"{name} must not be negative.")
    return values


def _of_labels(
    codes: np.ndarray, weight: np.ndarray, levels: Sequence[Any], notes: Sequence[str]
) -> FamilySuggestions:
    used = [levels[code] for code in np.unique(codes)]
    rows = count(float(np.sum(weight)))
    if len(used) == 2:
        seen = f"{rows} labels of two kinds, {used[0]!r} and {used[1]!r}"
        events = float(np.sum(weight * (codes == np.max(codes))))
        event = f"{used[1]!r}, the later of the two in order"
        return FamilySuggestions(
            seen, (two_outcomes(event, events, float(np.sum(weight))),), tuple(notes)
        )
    seen = (
        f"{rows} labels of {len(used)} kind{'s' * (len(used) != 1)} ({listed(map(repr, used), 4)})"
    )
    if len(used) == 1:
        return FamilySuggestions(seen, (), (*notes, NOTHING_VARIES))
    if pd.to_numeric(pd.Series(used), errors="coerce").notna().all():
        why = (
            "The labels are numbers, written as text or marked as categories: convert them, "
            "pd.Series(y).astype(float), and ask again."
        )
    else:
        why = (
            "A GLM has a number or one of two outcomes as its response. Of several labels take one "
            "against the others (y == 'label', family='binomial'), count the rows of each label "
            "(family='poisson'), or use a multinomial model, or an ordinal one if they have an "
            "order; these are no GLMs."
        )
    return FamilySuggestions(seen, (), (*notes, why))


def _of_shares(
    y: np.ndarray, size: np.ndarray, weight: np.ndarray, notes: Sequence[str]
) -> FamilySuggestions:
    shares = bool(np.any((y > 0) & (y < 1)))
    successes = y * size if shares else y
    wrong = (successes < 0) | (successes > size)
    if wrong.any():
        raise DataError(
            f"There are more successes than trials, or less than none, in {int(wrong.sum())} rows "
            f"(the first holds {y[wrong][0]:g} of {size[wrong][0]:g})."
        )
    live = size > 0
    successes, size, weight = successes[live], size[live], weight[live]
    if not live.any():
        return FamilySuggestions("no trials", (), (*notes, "There is no trial to look at."))
    total = float(np.sum(weight * size))
    rate = float(np.sum(weight * successes) / total)
    seen = f"{count(np.sum(weight))} rows of successes among trials, {measure(rate)} on average"
    if rate in (0.0, 1.0):
        return FamilySuggestions(seen, (), (*notes, NOTHING_VARIES))
    chi2 = np.sum(weight * (successes - size * rate) ** 2 / (size * rate * (1 - rate)))
    left = float(np.sum(weight)) - 1
    few = rare(float(np.sum(weight * successes)), total)
    binomial = Suggestion(
        "binomial",
        "logit",
        "Successes among known trials; coefficients are log odds ratios. Give the trials to the "
        "fit: trials=, or cbind(successes, failures).",
        few,
    )
    quasi = Suggestion(
        "quasibinomial",
        "logit",
        "The same coefficients, with standard errors for trials of a row that depend on each "
        "other.",
    )
    if left > 0 and beyond(chi2 / left, left):
        binomial = dataclasses.replace(
            binomial,
            cautions=(
                *few,
                f"The shares vary {chi2 / left:.3g} times as much as trials of one probability. "
                "Predictors may account for that; overdispersion() of the fit tells.",
            ),
        )
    return FamilySuggestions(seen, (binomial, quasi), tuple(notes))
