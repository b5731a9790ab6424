"""Owns the comparison of several fits: whether it makes sense, and R's `anova` of them.

Deviances and likelihoods can be compared where the rows, the response, the weights, the family and
the link are the same; a test needs one model inside the other as well.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from jaxglm._jax import computing
from jaxglm._status import DataError
from jaxglm.designs import append
from jaxglm.inference._anova import called, notes_on, sequence_table
from jaxglm.inference._comparison import Comparison
from jaxglm.inference._deviance import chi2_tail, chosen_test
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._score import score_statistic
from jaxglm.inference._submodels import dispersion
from jaxglm.intake import Dataset
from jaxglm.rows import Problem
from jaxglm.search import condition, smallest_pivot
from jaxglm.sources import Block

# Two null models that are the same agree up to rounding.
_SAME = 1e-8


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
        statistic, _ = score_statistic(_problem(held), large.family, eta)
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


# -- whether it makes sense ----------------------------------------------------------------------


def difference(one: Estimates, other: Estimates, shaped: bool = False) -> str:
    """What two fits differ in that a test cannot bridge, in words; empty for nothing."""
    return next(_differences(one, other, shaped), "")


def _differences(one: Estimates, other: Estimates, shaped: bool) -> Iterator[str]:
    yield from _of_rows(one, other)
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


def _of_rows(one: Estimates, other: Estimates) -> Iterator[str]:
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
    inside = _is_among(_problem(held), some + shift[0] - shift[1])
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


def _problem(held: Dataset) -> Problem:
    return Problem.of_block(held.block, held.order, np.dtype(np.float64))


# -- side by side --------------------------------------------------------------------------------


def compare_of(fits: Sequence[Estimates], names: Sequence[str] | None) -> Comparison:
    """A row of scalars for each fit; see `jaxglm.compare`."""
    rows = [
        {
            "family": fit.family.name,
            "link": fit.family.link.name,
            "nobs": fit.nobs,
            "df": fit._n_parameters,
            "llf": fit.llf,
            "aic": fit.aic,
            "bic": fit.bic,
            "deviance": fit.deviance,
            "scale": fit.scale,
            "pseudo_r2": pseudo_r2(fit),
        }
        for fit in fits
    ]
    named = _row_names(fits, names)
    told = [
        f"{name}: {called(fit.model)}"
        for name, fit in zip(named, fits, strict=True)
        if name != called(fit.model)
    ]
    cautions = list(dict.fromkeys(_incomparable(fits, named)))
    return Comparison(pd.DataFrame(rows, index=named), "Comparison of models", tuple(told)).warned(
        cautions
    )


def pseudo_r2(fit: Estimates) -> float:
    """McFadden's, 1 - llf / llnull; nan without a likelihood."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(1.0 - np.float64(fit.llf) / fit.llnull)


def _row_names(fits: Sequence[Estimates], names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [f"m{i}" for i in range(1, len(fits) + 1)]
    if isinstance(names, str) or len(names) != len(fits):
        raise ValueError(f"names must hold {len(fits)} names, one for each model, not {names!r}")
    return [str(name) for name in names]


def _incomparable(fits: Sequence[Estimates], names: Sequence[str]) -> Iterator[str]:
    for fit, name in zip(fits, names, strict=True):
        if not fit.family.has_likelihood:
            yield (
                f"{name} is of the {fit.family.name} family, which has no likelihood: it has no "
                "AIC or BIC."
            )
        elif not fit.converged:
            yield f"{name} has no ordinary optimum: {fit.status.message}"
    for fit, name in zip(fits[1:], names[1:], strict=True):
        different = next(_of_rows(fits[0], fit), "")
        if different:
            yield (
                f"AIC, BIC and llf of {names[0]} and {name} cannot be compared: {different}. They "
                "are comparable for the same values of the response in the same rows."
            )
