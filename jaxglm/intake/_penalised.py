"""Owns the way from the penalty that a user asks for to that of a fit's columns."""

import dataclasses
import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxglm._jax import fetched
from jaxglm._status import DataError
from jaxglm._tuning import tuning
from jaxglm.intake._model import Model
from jaxglm.penalties import (
    AskedPenalty,
    OpenStrengths,
    PenalisedColumns,
    Thresholded,
    open_strengths,
    penalty_of,
)
from jaxglm.rows import Problem
from jaxglm.search import Options
from jaxglm.sources import Block
from jaxglm.words import listed

# Under this squared share of a column's size a spread has lost half of its digits.
_FAR = 1e-8


def with_penalty(
    options: Options, asked: Any, problem: Problem, model: Model
) -> tuple[Options, OpenStrengths | None]:
    """The options with the penalty asked for, or the strengths that are to be found of it first.

    Raises
    ------
    TypeError
        For what is no penalty.
    DataError
        For a column that there is not.
    """
    columns = penalised_columns(problem, model)
    if asked is None and not columns.shrunk:
        return options, None
    if options.reduced:
        what = "penalty=" if asked is not None else f"{listed(columns.shrunk, 3)} in the formula"
        raise ValueError(f"bias='firth' and {what} both shrink the estimates: leave out one")
    given = None if asked is None else checked_penalty(asked)
    sought = open_strengths(given, columns)
    if sought is not None:
        _check_levels(columns, problem, model)
        return options, sought
    assert given is not None
    penalty = penalty_of(given, columns)
    if isinstance(penalty, Thresholded):
        check_columns(columns, penalty)
        if options.method != "irls":
            raise ValueError("a lasso, or bounds, have a method of their own: leave out method=")
    return dataclasses.replace(options, penalty=penalty), None


def _check_levels(columns: PenalisedColumns, problem: Problem, model: Model) -> None:
    """Refuse random effects whose variance no rows can tell."""
    for label, where in columns.terms:
        count = where.stop - where.start
        if label not in columns.shrunk or not columns.is_random(label):
            continue
        if count < 2:
            raise DataError(f"{label} has one level only, and a variance is told from several")
        if count >= problem.n_rows and not model.family.dispersion_fixed:
            raise DataError(
                f"{label} has {count:,} levels in {problem.n_rows:,} rows: with a row for each, "
                "nothing tells its variance from the dispersion"
            )


def refuse_shrunk(model: Model, what: str) -> None:
    """Refuse terms with a penalty of their own where their strengths are not estimated.

    Raises
    ------
    DataError
    """
    if model.spec is not None and model.spec.shrunk:
        raise DataError(
            f"{what} has no place for {listed(model.spec.shrunk, 3)}, whose penalty is estimated "
            "for one fit by glm(); in place of a curve s(x) write ns(x, df=5), and in place of a "
            "random effect re(g) the factor g with penalty=jg.Ridge(lam)"
        )


def check_columns(columns: PenalisedColumns, penalty: Thresholded) -> None:
    """Refuse groups of too many columns, or a column that looks like the intercept.

    Raises
    ------
    DataError
    """
    p = len(columns.names)
    if penalty.bend.norms is not None and p**2 > tuning().most_cells:
        raise DataError(
            f"a group lasso takes a matrix of all columns with each other, and {p:,} columns "
            f"are more than the {math.isqrt(int(tuning().most_cells)):,} that it may have: take a "
            "lasso, or leave out columns"
        )
    if columns.constant is not None:
        columns.spreads()


def with_common_penalty(options: Options, asked: Any, problem: Problem, model: Model) -> Options:
    """The same for many fits of one model, each beside the mean of its own losses.

    Raises
    ------
    ValueError
        For a penalty that is not quadratic, or follows the spread of columns.
    """
    refuse_shrunk(model, "fit_groups()")
    if asked is None:
        return options
    if options.reduced or options.reduce_separated:
        raise ValueError(
            "bias='firth', or on_separation='firth', and penalty= both shrink the estimates: leave "
            "out one"
        )
    columns = dataclasses.replace(penalised_columns(problem, model), spreads=_refuse_spreads)
    penalty = penalty_of(checked_penalty(asked), columns)
    if isinstance(penalty, Thresholded):
        raise ValueError(
            "many fits take a quadratic penalty only, as jg.Ridge(lam) and jg.Quadratic(P): a "
            f"lasso and bounds are for one fit, and this is {asked!r}"
        )
    return dataclasses.replace(options, penalty=penalty)


def _refuse_spreads() -> np.ndarray:
    raise ValueError(
        "standardize=True is for one fit: among many each would have a penalty of its own. Divide "
        "the columns by their standard deviation in the table"
    )


def checked_penalty(asked: Any) -> AskedPenalty:
    """The penalty, if it is one."""
    if not isinstance(asked, AskedPenalty):
        raise TypeError(
            "penalty must be one of jg.Ridge(lam), jg.Lasso(lam), jg.ElasticNet(lam, l1_ratio), "
            "jg.GroupLasso(lam), jg.Smooth(lam, term), jg.Quadratic(P) and "
            "jg.Bounds(lower, upper), or a sum of these, "
            f"not {asked!r}"
        )
    return asked


def penalised_columns(problem: Problem, model: Model) -> PenalisedColumns:
    """The columns of a fit, as a penalty sees them."""
    constant, spec = problem.constant, model.spec
    own: dict[str, Any] = {}
    if spec is not None:
        names = ("shrunk", "is_random", "n_in_order", "in_order")
        own = {name: getattr(spec, name) for name in names}
    return PenalisedColumns(
        names=model.names,
        terms=model.terms,
        constant=None if constant is None else int(problem.order[constant[0]]),
        spreads=functools.cache(lambda: _spreads(problem, model.names)),
        **own,
    )


def _spreads(problem: Problem, names: Sequence[str]) -> np.ndarray:
    """Weighted standard deviations [p] of the columns, public order; 0 of a constant.

    Raises
    ------
    DataError
        For a column so far from zero that neither its spread nor its slope can be told.
    """
    first, second, weight = fetched(problem.source.reduce(_sums_of_columns))
    mean = np.asarray(first, float) / float(weight)
    square = np.asarray(second, float) / float(weight)
    variance = np.maximum(square - mean**2, 0.0)
    far = np.flatnonzero(variance < _FAR * square)
    for j, values in enumerate(_columns(problem) if far.size else ()):
        if j in far:
            if np.ptp(values) > 0:
                name = names[int(problem.order[j])]
                raise DataError(
                    f"column {name!r} is so far from zero, beside how it varies, that a penalty "
                    "cannot tell it from the intercept: subtract its mean before the fit"
                )
            variance[j] = 0.0
    return problem.public(np.sqrt(variance))


def _columns(problem: Problem) -> Iterator[np.ndarray]:
    """The columns of the rows that count, in design order."""
    return problem.design.columns_at(np.flatnonzero(problem.rows.live))


def _sums_of_columns(block: Block) -> tuple[Any, Any, Any]:
    weight = jnp.where(block.rows.weight > 0, block.rows.weight, 0.0)
    design = block.design
    return design.rmatvec(weight), design.gram_diagonal(weight), block.total(weight)
