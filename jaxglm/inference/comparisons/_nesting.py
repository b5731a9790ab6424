"""Owns whether fits can be compared: the same rows and family, one model inside the other.

Deviances and likelihoods can be compared where the rows, the response, the weights, the family and
the link are the same; a test needs one model inside the other as well.
"""

from collections.abc import Iterator

import numpy as np

from jaxglm._jax import computing
from jaxglm.designs import append
from jaxglm.inference._estimates import Estimates
from jaxglm.inference.comparisons._anova import called
from jaxglm.intake import Dataset
from jaxglm.rows import Problem
from jaxglm.search import condition, smallest_pivot
from jaxglm.sources import Block

# Two null models that are the same agree up to rounding.
_SAME = 1e-8


def difference(one: Estimates, other: Estimates, shaped: bool = False) -> str:
    """What two fits differ in that a test cannot bridge, in words; empty for nothing."""
    return next(_differences(one, other, shaped), "")


def _differences(one: Estimates, other: Estimates, shaped: bool) -> Iterator[str]:
    yield from differences_of_rows(one, other)
    families = [fit.family for fit in (one, other)]
    links = [family.link for family in families]
    if links[0] != links[1]:
        yield f"their links differ, {links[0].name} and {links[1].name}"
    names = [family.name for family in families]
    if shaped:
        for fit in (one, other):
            name = fit.family.name
            if name != "poisson" and (name != "negative_binomial" or fit.fit.alpha is None):
                yield (
                    f"one is a negative binomial model with its shape estimated, and "
                    f"{called(fit.model)!r} is of the {_named(fit)} family: only Poisson and other "
                    "estimated shapes can be compared with it"
                )
    elif names[0] != names[1]:
        yield f"their families differ, {names[0]} and {names[1]}"
    elif families[0] != families[1]:
        yield f"the parameters of their families differ, {families[0]} and {families[1]}"


def _named(fit: Estimates) -> str:
    name = fit.family.name
    fixed = name == "negative_binomial" and fit.fit.alpha is None
    return f"{name} (its alpha given)" if fixed else name


def differences_of_rows(one: Estimates, other: Estimates) -> Iterator[str]:
    """What the rows of two fits differ in, as far as that can be told."""
    if one.fit.n_rows != other.fit.n_rows or one.nobs != other.nobs:
        what = "rows" if one.fit.n_rows != other.fit.n_rows else "observations"
        numbers = (one.fit.n_rows, other.fit.n_rows) if what == "rows" else (one.nobs, other.nobs)
        yield (
            f"they have different numbers of {what}, {numbers[0]:.10g} and {numbers[1]:.10g} (rows "
            "that miss a value in one model only? Fit both to the rows complete in all columns)"
        )
    if one.model.y_name != other.model.y_name or one.model.event != other.model.event:
        names = [fit.model.y_name for fit in (one, other)]
        yield f"their responses differ, {names[0]!r} and {names[1]!r}"
    held = one.model.dataset, other.model.dataset
    if held[0] is not None and held[1] is not None:
        yield from _of_vectors(held[0], held[1])
        return
    if not np.isclose(one.fit.weight_sum, other.fit.weight_sum, rtol=_SAME):
        yield "their weights differ"
    with_constant = [fit.df_model < fit._rank for fit in (one, other)]
    nulls = one.null_deviance, other.null_deviance
    alike = one.family == other.family and all(with_constant) and np.isfinite(nulls).all()
    if alike and not np.isclose(*nulls, rtol=_SAME):
        yield "their null deviances differ, so their responses, weights or offsets do"


def _of_vectors(one: Dataset, other: Dataset) -> Iterator[str]:
    words = {"y": "responses", "freq": "freq_weights", "trials": "trials", "weight": "weights"}
    for name, what in words.items():
        pair = [getattr(held.rows, name) for held in (one, other)]
        if (pair[0] is None) != (pair[1] is None) or (
            pair[0] is not None and not np.array_equal(*pair)
        ):
            yield f"their {what} differ"


def nesting(one: Estimates, other: Estimates) -> str:
    """Why a test of two models may mean nothing, in words; empty where one is inside the other."""
    small, large = sorted((one, other), key=lambda fit: (-fit.df_resid, fit._n_parameters))
    between = f"{called(small.model)!r} and {called(large.model)!r}"
    if small._n_parameters == large._n_parameters:
        return f"{between} have as many coefficients as each other: there is nothing to test."
    inside = is_inside(small, large)
    if inside is None:
        return (
            f"Whether {between} are nested cannot be told from what their results hold (rows, and "
            "no constraints). Where they are not, the p-value means nothing."
        )
    if not inside:
        return (
            f"{between} are not nested: the columns of the smaller model are no combinations of "
            "those of the larger, so the p-value means nothing. Compare them by AIC or BIC, "
            "jaxglm.compare(m1, m2)."
        )
    return ""


def is_inside(small: Estimates, large: Estimates) -> bool | None:
    """Whether a model is a special case of another; None where that cannot be told.

    With probability one a random combination of columns lies among the columns of the larger model
    only where all of them do.
    """
    own, held = small.model.dataset, large.model.dataset
    if large.model.constraints:
        return None
    if own is None or held is None:
        return set(small.names) <= set(large.names) or None
    coef = np.random.default_rng(0).normal(size=len(small.names))
    some = own.columns.matvec(coef * np.where(small.fit.aliased, 0.0, 1.0) / _sizes(own))
    shift = [0.0 if data.rows.offset is None else data.rows.offset for data in (own, held)]
    inside = _is_among(problem_of(held), some + shift[0] - shift[1])
    # What constraints leave of a model may lie inside another although its columns do not.
    return inside or (None if small.model.constraints else False)


def _sizes(held: Dataset) -> np.ndarray:
    """The largest entry of each column, in public order, 1 for a column of zeros."""
    largest = np.ones(held.order.size)
    largest[held.order] = held.block.design.largest()
    return np.where(largest > 0, largest, 1.0)


def _is_among(problem: Problem, values: np.ndarray) -> bool:
    """Whether values of the rows are a combination of the columns of a problem."""
    with computing():
        design, order = append(problem.design, problem.order, values[:, None])
        wider = problem.with_block(Block(design, problem.rows), order=order)
        basis, _ = condition(wider, wider.source, smallest_pivot(wider.dtype), None)
    return not basis.keep[order == problem.n_columns].any()


def problem_of(held: Dataset) -> Problem:
    return Problem.of_block(held.block, held.order, np.dtype(np.float64))
