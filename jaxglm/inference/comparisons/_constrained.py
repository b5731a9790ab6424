"""Owns fits under linear constraints R b = q, exact by a change of coefficients.

``b = b0 + N g`` with free coefficients g: the columns become X N, the offset has X b0 added, and
the covariance is N V N' of that of g. Columns that no constraint touches stay in their own form.
Columns that the fit left out (aliased) stay out, so that it is the larger model of the two.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.algebra import Covariance, Relations, Root
from jaxglm.designs import append
from jaxglm.families import NegativeBinomial
from jaxglm.inference.comparisons._submodels import (
    announce,
    record,
    refuse_constrained,
    refuse_reduced,
)
from jaxglm.inference.covariances._dispersion import with_dispersion_of
from jaxglm.inference.hypotheses._combinations import undetermined_by, why_undetermined
from jaxglm.inference.hypotheses._hypothesis import read_hypothesis
from jaxglm.intake import Dataset, Model
from jaxglm.rows import Problem, merge_rows
from jaxglm.search import Fit
from jaxglm.sources import Block

# What elimination leaves of a row is rounding below this share of its largest number.
_ROUNDING = 1e-10


@dataclasses.dataclass(frozen=True)
class _Free:
    """Coefficients b of p as b0 + N g of k free ones.

    The free ones are those that no constraint touches, in their order, and then some of the others.
    Those of `left_out` are neither.

    Attributes
    ----------
    untouched : [u] int
        Columns of no constraint.
    touched : [t] int
        The others.
    N : [t, k - u]
        The touched coefficients from the last free ones.
    base : [t]
        Their part of b0.
    own : [k - u] int
        Which of the touched coefficients are free.
    left_out : [p] bool
        Columns that have no coefficient.
    """

    untouched: np.ndarray
    touched: np.ndarray
    N: np.ndarray
    base: np.ndarray
    own: np.ndarray
    left_out: np.ndarray

    @property
    def public(self) -> np.ndarray:
        """The coefficient that each free one is, [k] int."""
        return np.append(self.untouched, self.touched[self.own])

    def spread(self, values: np.ndarray) -> np.ndarray:
        """N times an array [k, ...] of the free coefficients: [p, ...]."""
        u = self.untouched.size
        out = np.zeros((self.left_out.size, *values.shape[1:]), values.dtype)
        out[self.untouched] = values[:u]
        out[self.touched] = self.N @ values[u:]
        return out


def constrained(fit: Fit, model: Model, constraints: Any) -> tuple[Fit, Model]:
    """The fit under constraints and its model; see `Results.fit_constrained`."""
    what = "fit_constrained()"
    refuse_constrained(model, what)
    refuse_reduced(fit, model.family, what)
    held = model.held(what)
    R, q, text = _read(constraints, fit, model)
    free = _solved(R, q, text, fit.aliased)
    names = [model.names[j] for j in free.public]
    if not names:
        raise DataError(f"{text!r} holds every coefficient: there is nothing to estimate")
    with computing():
        problem = merge_rows(_problem(held, free), "auto")
    family: Any = model.family
    if fit.alpha is not None:
        assert isinstance(family, NegativeBinomial)
        family = dataclasses.replace(family, alpha=None)
    found, family, notes = record(problem, family, names, np.nan_to_num(fit.coef)[free.public])
    announce(notes)
    note = f"Constrained: {text}. Standard errors are those of a model in which this is so."
    found = dataclasses.replace(
        _in_all(found, free, fit),
        # That of a constant beside the offset X b0 would depend on which b0 was taken.
        null_deviance=fit.null_deviance,
        null_log_likelihood=fit.null_log_likelihood,
        notes=(note, *found.notes),
    )
    found = with_dispersion_of(found, fit, family, held)
    return found, dataclasses.replace(model, family=family, constraints=text)


def _read(constraints: Any, fit: Fit, model: Model) -> tuple[np.ndarray, np.ndarray, str]:
    """R, q and words for them; R is 0 at aliased coefficients.

    Raises
    ------
    DataError
        For a dict, which a hypothesis has for coefficients, and a user here perhaps for values;
        and for what aliased columns leave undetermined, as in a Wald test.
    """
    if isinstance(constraints, Mapping | pd.Series):
        some = dict(itertools.islice(constraints.items(), 2))
        held = ", ".join(f"{name} = {value}" for name, value in some.items())
        raise DataError(
            "A dict, or a Series, may mean the values at which coefficients are held, or as in "
            "wald_test() the coefficients of one combination. Write equations for values, "
            f"{held!r}; for a combination give a pair with its value, ({some}, 0)."
        )
    found = read_hypothesis(constraints, model.names)
    if not (np.isfinite(found.matrix).all() and np.isfinite(found.value).all()):
        raise DataError("constraints must hold finite numbers")
    text = constraints.strip() if isinstance(constraints, str) else ", ".join(found.labels)
    unknown = np.flatnonzero(undetermined_by(fit, found.matrix))
    if unknown.size:
        raise DataError(
            f"{found.labels[unknown[0]]!r} is no constraint on this fit, which left columns out "
            f"(aliased): {why_undetermined(fit, model.names)}. Name coefficients that are there."
        )
    return np.where(fit.aliased, 0.0, found.matrix), found.value, text


def _solved(R: np.ndarray, q: np.ndarray, text: str, left_out: np.ndarray) -> _Free:
    """The constraints solved for as many coefficients as they determine.

    Raises
    ------
    DataError
        Where they contradict each other.
    """
    touched = np.flatnonzero(R.any(axis=0))
    table = np.column_stack([R[:, touched], q]).astype(float)
    table /= np.maximum(np.abs(table[:, :-1]).max(axis=1, keepdims=True), np.finfo(float).tiny)
    pivots: list[int] = []
    rows: list[int] = []
    for i in range(len(table)):
        left = np.abs(table[i, :-1])
        if left.max(initial=0.0) <= _ROUNDING:
            if abs(table[i, -1]) > _ROUNDING:
                raise DataError(f"the constraints contradict each other: {text}")
            continue  # it follows from the others
        # Of those as good, the last: the coefficients that are named first stay.
        pivot = int(np.flatnonzero(left >= 0.5 * left.max())[-1])
        table[i] /= table[i, pivot]
        table[i, np.abs(table[i]) <= _ROUNDING] = 0.0
        others = np.arange(len(table)) != i
        table[others] -= np.outer(table[others, pivot], table[i])
        pivots.append(pivot)
        rows.append(i)
    own = np.setdiff1d(np.arange(touched.size), pivots)
    N, base = np.zeros((touched.size, own.size)), np.zeros(touched.size)
    N[own, np.arange(own.size)] = 1.0
    N[pivots] = -table[:, own][rows]
    base[pivots] = table[rows, -1]
    untouched = np.setdiff1d(np.flatnonzero(~left_out), touched)
    return _Free(untouched, touched, N, base, own, left_out)


def _problem(held: Dataset, free: _Free) -> Problem:
    """The rows with the columns X N and the offset of X b0."""
    p = held.order.size
    unit = np.zeros((p, free.touched.size))
    unit[free.touched, np.arange(free.touched.size)] = 1.0
    columns = held.columns.matvec(unit)
    shift = columns @ free.base
    rows = held.rows
    if shift.any():
        offset = shift if rows.offset is None else rows.offset + shift
        rows = dataclasses.replace(rows, offset=offset)
    whole = Problem.of_block(Block(held.block.design, rows), held.order, np.dtype(np.float64))
    keep = np.zeros(p, bool)
    keep[free.untouched] = True
    rest = whole.take_columns(keep)
    if not free.own.size:
        return rest
    design, order = append(rest.design, rest.order, columns @ free.N)
    return Problem.of_block(Block(design, rows), order, whole.dtype)


def _in_all(found: Fit, free: _Free, fit: Fit) -> Fit:
    """The record of the free coefficients as one of all of them, as `fit` is."""
    p = free.left_out.size
    own = found.covariance
    aliased = free.left_out.copy()
    aliased[free.public] = own.aliased
    coef = free.spread(np.nan_to_num(found.coef))
    coef[free.touched] += free.base
    diagonal = np.zeros(p)
    diagonal[free.untouched] = own.root.diagonal[: free.untouched.size]
    recession = free.spread(own.recession)
    return dataclasses.replace(
        found,
        coef=np.where(aliased, np.nan, coef),
        covariance=Covariance(
            root=Root(free.spread(own.root.dense), diagonal),
            aliased=aliased,
            scale=own.scale,
            df=own.df,
            recession=recession,
            open=(np.abs(free.spread(own.open.astype(float))) > 0) & (recession == 0.0),
            kind=own.kind,
        ),
        relations=_joined(found.relations, fit.relations, free),
        relations_at_limit=_relations(found.relations_at_limit, free),
    )


def _joined(own: Relations | None, before: Relations | None, free: _Free) -> Relations | None:
    """Relations among the free columns, and those by which the fit left columns out."""
    if own is None or before is None:
        return None
    return Relations(*map(np.concatenate, zip(_relations(own, free), before, strict=True)))


def _relations(relations: Relations, free: _Free) -> Relations:
    """Relations among the columns X N as relations among those of X.

    A combination of the former that is 0 in every row is one of the latter.
    """
    columns = np.unique(relations.aliased)
    directions = free.spread(relations.directions(free.public.size).T).T
    aliased = free.public[columns]
    rest = directions.copy()
    rest[np.arange(aliased.size), aliased] = 0.0
    which, on = np.nonzero(rest)
    return Relations(aliased[which], on, -rest[which, on]).with_zeros(
        np.setdiff1d(aliased, aliased[which])
    )
