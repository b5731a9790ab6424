"""Owns whether fits can be compared: of the same rows, response, weights, family and link."""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from jaxglm.families import Family
from jaxglm.inference._estimates import Estimates
from jaxglm.inference.comparisons._anova import called
from jaxglm.inference.covariances._dispersion import scale_choice
from jaxglm.intake import Dataset
from jaxglm.rows import Problem
from jaxglm.search import Fit

# Two null models that are the same agree up to rounding.
_SAME = 1e-8


def difference(one: Estimates, other: Estimates, shaped: bool = False) -> str:
    """What two fits differ in that a test cannot bridge, in words; empty for nothing.

    `shaped` where the negative binomial shape of some model was estimated.
    """
    found = itertools.chain(
        differences_of_rows(one, other),
        _beside_a_shape(one, other) if shaped else _of_families(one.family, other.family),
        _of_dispersions(one.fit, other.fit),
    )
    return next(found, "")


def _of_families(one: Family, other: Family) -> Iterator[str]:
    if one.name != other.name:
        yield f"their families differ, {one.name} and {other.name}"
    yield from _of_links(one, other)
    for field in dataclasses.fields(one) if type(one) is type(other) else ():
        values = [getattr(family, field.name) for family in (one, other)]
        if field.name != "link" and values[0] != values[1]:
            yield f"their families have another {field.name}, {values[0]!r} and {values[1]!r}"
    if one != other:
        yield f"their families differ, {one} and {other}"


def _beside_a_shape(one: Estimates, other: Estimates) -> Iterator[str]:
    for fit in (one, other):
        name = fit.family.name
        if name != "poisson" and (name != "negative_binomial" or fit.fit.alpha is None):
            yield (
                f"one is a negative binomial model with its shape estimated, and "
                f"{called(fit.model)!r} is of the {_named(fit)} family: only Poisson and other "
                "estimated shapes can be compared with it"
            )
        if scale_choice(fit.fit) is not None:
            yield (
                f"{called(fit.model)!r} has a dispersion of its own (scale=), and models whose "
                "shape was estimated are compared by likelihoods, which have none"
            )
    yield from _of_links(one.family, other.family)


def _of_links(one: Family, other: Family) -> Iterator[str]:
    if one.link != other.link:
        yield f"their links differ, {one.link.name} and {other.link.name}"


def _of_dispersions(one: Fit, other: Fit) -> Iterator[str]:
    scales = scale_choice(one), scale_choice(other)
    if scales[0] != scales[1]:
        yield f"their dispersions were asked for as scale={scales[0]!r} and scale={scales[1]!r}"


def _named(fit: Estimates) -> str:
    name = fit.family.name
    fixed = name == "negative_binomial" and fit.fit.alpha is None
    return f"{name} (its alpha given)" if fixed else name


def differences_of_rows(one: Estimates, other: Estimates) -> Iterator[str]:
    """What the rows of two fits differ in, as far as that can be told."""
    if one.fit.n_rows != other.fit.n_rows:
        yield (
            f"they have different numbers of rows, {one.fit.n_rows} and {other.fit.n_rows} (rows "
            "that miss a value in one model only? Fit both to the rows complete in all columns)"
        )
    if one.nobs != other.nobs:
        yield (
            f"they have different numbers of observations, {one.nobs:.10g} and {other.nobs:.10g} "
            "(other freq_weights, or weights of 0 in other rows)"
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


def problem_of(held: Dataset) -> Problem:
    return Problem.of_block(held.block, held.order, np.dtype(np.float64))
