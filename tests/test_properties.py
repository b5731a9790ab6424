"""Transformations of random small regressions that must not change what is said of them."""

import dataclasses
import pickle
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, note
from hypothesis import strategies as st

import jaxglm as jg
from jaxglm.intake import Given, array_intake
from tests.engine import chunked
from tests.engine import fit as fit_problem
from tests.marks import slow_among
from tests.strategies import COMMON, LAWS, SCALES, Case, cases, examples, model, quiet


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a fit says; None where a transformation has no say."""

    status: jg.Status
    coef: np.ndarray | None = None
    se: np.ndarray | None = None
    infinite: np.ndarray | None = None
    deviance: float | None = None
    llf: float | None = None
    scale: float | None = None
    df_resid: float | None = None
    means: np.ndarray | None = None

    def but(self, **changes: Any) -> "Facts":
        return dataclasses.replace(self, **changes)


def fitted(case: Case, X: Any = None, **options: Any) -> jg.Results:
    return quiet(model(case, X).fit, **options)


def formula_fit(case: Case, labels: str = "abcd") -> jg.Results:
    given = {**case.vectors, "proportions": case.proportions}
    return quiet(jg.glm, case.formula, case.table(labels), case.law, **given)


def numbers(fit: Any) -> Facts:
    """What the record of a fit says."""
    return Facts(
        jg.Status(fit.status),
        fit.coef,
        fit.covariance.standard_errors,
        fit.infinite,
        fit.deviance,
        fit.log_likelihood,
        fit.scale,
        fit.df_resid,
    )


def facts(result: jg.Results, case: Case) -> Facts:
    """What a result says, with its predictions for the rows of the case."""
    means = quiet(result.predict, case.X, offset=case.vectors["offset"])
    return numbers(result.fit).but(means=np.asarray(means))


# -- transformations: what another way of saying the case answers, in terms of the case ------------


def permuted(case: Case) -> Facts:
    n = len(case.y)
    return facts(fitted(case.rows(np.roll(np.arange(n)[::-1], n // 3))), case)


def repeated(case: Case) -> Facts:
    """Each row as often as its frequency says; rows of weight 0 keep the shape."""
    n = len(case.y)
    times = case.vectors["freq_weights"].astype(int)
    rows = np.repeat(np.arange(n), times)
    filled = case.rows(np.resize(rows, 2 * n))
    counted = (np.arange(2 * n) < len(rows)).astype(float)
    return facts(fitted(filled.weighing("freq_weights", lambda _: counted)), case)


def with_weightless_rows(name: str) -> Callable[[Case], Facts]:
    """Rows that contradict the case, but count for nothing."""

    def transformed(case: Case) -> Facts:
        n = len(case.y)
        both = case.rows(np.tile(np.arange(n), 2))
        both = both.but(
            y=np.r_[case.y, case.y[::-1]],
            x=np.r_[case.x, 3.0 - 5.0 * case.x],
            codes=np.r_[case.codes, (case.codes + 1) % case.levels],
        )
        if "trials" in case.vectors:
            both = both.weighing("trials", lambda trials: np.r_[trials[:n], trials[:n][::-1]])
        silent = both.weighing(name, lambda weights: np.r_[weights[:n], np.zeros(n)])
        return facts(fitted(silent), case)

    return transformed


def columns_scaled(case: Case) -> Facts:
    """Coefficients and their errors scale inversely."""
    k = case.x.shape[1]
    factor = np.resize(SCALES, k)
    result = fitted(case.but(x=case.x * factor))
    own = np.r_[1.0, factor, np.ones(case.levels - 1)]
    found = facts(result, case.but(x=case.x * factor))
    return found.but(coef=found.coef * own, se=found.se * own)


def weights_scaled(case: Case) -> Facts:
    """Where the dispersion is estimated it takes up the factor; else information does."""
    factor = SCALES[len(case.y) // 8 % 2]
    found = facts(fitted(case.weighing("var_weights", lambda weights: factor * weights)), case)
    deviance = found.deviance / factor
    if case.law.dispersion_fixed:
        return found.but(se=found.se * np.sqrt(factor), deviance=deviance, llf=None)
    return found.but(scale=found.scale / factor, deviance=deviance, llf=None)


def pickled(case: Case) -> Facts:
    result = fitted(case)
    again = pickle.loads(pickle.dumps(result))
    assert str(again.summary()) == str(result.summary())
    return facts(again, case)


def saved(case: Case) -> Facts:
    result = fitted(case)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fit.npz"
        result.save(path)
        again = jg.load(path)
    assert str(again.summary()) == str(result.summary())
    return facts(again, case)


def grouped(case: Case) -> Facts:
    """The case as one segment, beside another that has its rows with other responses."""
    n = len(case.y)
    both = case.rows(np.tile(np.arange(n), 2)).but(y=np.r_[case.y, np.roll(case.y, 1)])
    if "trials" in case.vectors:
        both = both.weighing("trials", lambda trials: np.r_[trials[:n], np.roll(trials[:n], 1)])
    segments = quiet(model(both).fit_groups, np.repeat(["own", "other"], n))
    return facts(segments["own"], case)


def one_of_many_responses(case: Case) -> Facts:
    responses = pd.DataFrame({"own": case.y, "other": np.minimum(case.y, case.y[::-1])})
    return facts(quiet(model(case.but(y=responses)).fit_responses)["own"], case)


def sparse(case: Case) -> Facts:
    return facts(fitted(case, scipy.sparse.csr_array(case.X)), case)


def by_formula(case: Case) -> Facts:
    """Levels that are absent have no column in a formula, and none that is determined in arrays."""
    result = formula_fit(case)
    present = np.r_[
        np.ones(1 + case.x.shape[1], bool), np.isin(np.arange(1, case.levels), case.codes)
    ]
    found = numbers(result.fit)
    whole = {"coef": np.full(len(present), np.nan), "se": np.full(len(present), np.nan)}
    whole["infinite"] = np.zeros(len(present), bool)
    for name, values in whole.items():
        values[present] = getattr(found, name)
    means = quiet(result.predict, case.table(), offset=case.vectors["offset"])
    return found.but(**whole, means=np.asarray(means))


def relabelled(case: Case) -> Facts:
    """Another level is the reference: only coefficients change."""
    result = formula_fit(case, "dbca"[-case.levels :])
    means = quiet(result.predict, case.table("dbca"[-case.levels :]), offset=case.vectors["offset"])
    return numbers(result.fit).but(coef=None, se=None, infinite=None, means=np.asarray(means))


def in_blocks(case: Case) -> Facts:
    asked = Given(case.law, case.vectors, "raise", np.dtype(float), proportions=case.proportions)
    resident = array_intake(case.y, case.X, asked).problem
    return numbers(fit_problem(chunked(resident, len(case.y) // 2), case.law))


# Some run the programs of every other fit of the law, the others have programs of their own.
TRANSFORMATIONS: tuple[Callable[[Case], Facts], ...] = (
    permuted,
    repeated,
    with_weightless_rows("freq_weights"),
    with_weightless_rows("var_weights"),
    columns_scaled,
    weights_scaled,
    pickled,
    saved,
)
OTHER_WAYS: tuple[Callable[[Case], Facts], ...] = (
    grouped,
    one_of_many_responses,
    sparse,
    by_formula,
    relabelled,
    in_blocks,
)


# A fit ends within 4e-11 standard errors of its optimum; a thousand times that is left to the
# rounding of information matrices. A separated fit stops anywhere on its way.
FINE, ROUGH = 4e-8, 1e-4
# Of its standard errors, what float32 may hide of a coefficient before it must say so.
RESOLVED = 1e-3
# Errors from which the likelihood is flat to rounding, of columns that are of order one: means have
# gone to a limit that some responses object to, but no longer enough to turn the search back, and
# where it stops is chance.
FLAT = 1e4
# Deviances of responses of order one that are rounding: what is left of them has no digits.
PERFECT = 1e-16


def assert_same(found: Facts, expected: Facts, fine: float = FINE) -> None:
    """The two end alike and, where that is at one optimum, say the same of it.

    How near to the edge of a link's domain a fit gets depends on its way, and so does whether it is
    held there or meets an optimum that lies on the edge: two fits that end there need not agree.
    """
    separated = expected.status is jg.Status.SEPARATED
    known = ~np.isnan(expected.coef) & ~expected.infinite
    error = expected.se[known]
    assert found.df_resid == expected.df_resid
    if not separated and (error > FLAT).any():
        return
    ends = {found.status, expected.status}
    if not any(status.usable or status is jg.Status.SEPARATED for status in ends):
        return  # how a search fails depends on its way
    assert len(ends) == 1 or ends == {jg.Status.CONVERGED, jg.Status.BOUNDARY}
    if not separated and ends != {jg.Status.CONVERGED}:
        return
    tolerance = max(fine, ROUGH) if separated else fine
    names = ["deviance", "means"]
    names += ["llf", "scale"] if expected.deviance > PERFECT else []
    size = np.nan_to_num(np.abs(expected.means)).max(initial=1.0)
    for name in names:
        a, b = getattr(found, name), getattr(expected, name)
        if a is not None:
            np.testing.assert_allclose(a, b, tolerance, tolerance * size, err_msg=name)
    if found.coef is None:
        return
    assert np.array_equal(np.isnan(found.coef), np.isnan(expected.coef)), "aliased"
    assert np.array_equal(found.infinite, expected.infinite), "infinite"
    if separated:  # a coefficient without an error is on its way too, at another pace
        known &= ~np.isnan(expected.se)
        error = expected.se[known]
    a, b = found.coef[known], expected.coef[known]
    if expected.deviance > PERFECT:
        np.testing.assert_allclose(found.se[known], error, tolerance, err_msg="se")
    # Next to its error; where that is 0 or nan, as rounding leaves it in numbers of order one.
    assert (np.abs(a - b) <= tolerance * (np.nan_to_num(error) + 1.0)).all(), f"{a} is not {b}"


def check(case: Case, transformations: Sequence[Callable[[Case], Facts]]) -> None:
    """All transformations of a case; the last one that a failure notes is the one at fault."""
    expected = facts(fitted(case), case)
    for transformed in transformations:
        note(transformed.__qualname__)
        assert_same(transformed(case), expected)


@pytest.mark.parametrize("law", slow_among(COMMON[:4], COMMON[:1] + COMMON[2:4]), ids=repr)
@examples(3)
@given(st.data())
def test_another_way_of_saying_it(law: jg.Family, data: st.DataObject) -> None:
    check(data.draw(cases(law)), TRANSFORMATIONS)


@pytest.mark.slow
@examples(3)
@given(cases(jg.Poisson()))
def test_another_way_of_fitting_it(case: Case) -> None:
    check(case, OTHER_WAYS)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=repr)
@examples(8)
@given(st.data())
def test_every_family_and_link_said_in_another_way(law: jg.Family, data: st.DataObject) -> None:
    check(data.draw(cases(law)), TRANSFORMATIONS)


@pytest.mark.slow
@pytest.mark.parametrize("law", COMMON, ids=repr)
@examples(8)
@given(st.data())
def test_every_family_fitted_in_another_way(law: jg.Family, data: st.DataObject) -> None:
    check(data.draw(cases(law)), OTHER_WAYS)


@pytest.mark.slow
@pytest.mark.parametrize("law", COMMON, ids=repr)
@examples(8)
@given(st.data())
def test_float32_has_the_answer_or_says_that_it_does_not(
    law: jg.Family, data: st.DataObject
) -> None:
    case = data.draw(cases(law))
    expected = numbers(fitted(case).fit)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = numbers(model(case).fit(dtype="float32").fit)
    if any(issubclass(one.category, jg.PrecisionWarning) for one in caught):
        return
    assert found.status is expected.status
    if expected.status is jg.Status.CONVERGED and expected.deviance > PERFECT:
        assert np.array_equal(np.isnan(found.coef), np.isnan(expected.coef))
        off = np.abs(found.coef - expected.coef) / expected.se
        assert np.nan_to_num(off).max() < RESOLVED
