"""The covariance of coefficients: every answer against dense products of the same root."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from jaxglm.algebra import Covariance, Root
from jaxglm.designs import Dense
from jaxglm.intake import Columns

P, K, N, G = 5, 3, 40, 4
RNG = np.random.default_rng(1)
DENSE, X = RNG.normal(size=(P, K)), RNG.normal(size=(N, P))
# The diagonal belongs to columns of 0 and 1, the levels of a factor.
LEVELS = np.array([0.0, 0.7, 1.3, 0.0, 2.0])
X[:, LEVELS > 0] = X[:, LEVELS > 0] > 0
NONE = np.zeros(P, bool)


def written_out(X: np.ndarray) -> Columns:
    """Rows with columns of numbers."""
    return Columns(Dense(X), np.arange(X.shape[1]), len(X))


def covariance(diagonal: np.ndarray = LEVELS, **given: Any) -> Covariance:
    settings: dict[str, Any] = {
        "aliased": NONE,
        "scale": 2.5,
        "df": 7.0,
        "recession": np.zeros(P),
        "open": NONE,
    }
    return Covariance(Root(DENSE, diagonal), **settings | given)


@pytest.mark.parametrize("diagonal", [np.zeros(P), LEVELS], ids=["dense", "with a diagonal"])
def test_everything_is_the_product_of_the_root(diagonal: np.ndarray) -> None:
    ours = covariance(diagonal)
    expected = 2.5 * (DENSE @ DENSE.T + np.diag(diagonal**2))
    np.testing.assert_allclose(ours.matrix, expected, rtol=1e-14)
    np.testing.assert_allclose(ours.standard_errors, np.sqrt(np.diag(expected)), rtol=1e-14)
    found = ours.linear_variance(written_out(X))
    np.testing.assert_allclose(found, np.diag(X @ expected @ X.T), rtol=1e-13)


def test_the_variance_of_a_prediction_keeps_its_digits_where_a_product_would_lose_them() -> None:
    # The mean of y at x = 1e8 + 1, in a line through rows about 1e8.
    root = Root(np.array([[1.0, -1e8], [0.0, 1.0]]), np.zeros(2))
    row = np.array([[1.0, 1e8 + 1]])
    ours = Covariance(root, np.zeros(2, bool), 1.0, None, np.zeros(2), open=np.zeros(2, bool))
    assert ours.linear_variance(written_out(row)) == 2.0
    assert row @ ours.matrix @ row.T != 2.0


def test_aliased_columns_have_no_answer_and_no_part() -> None:
    aliased = np.array([False, True, False, False, False])
    root = Root(DENSE * ~aliased[:, None], LEVELS * ~aliased)
    ours = Covariance(root, aliased, 1.0, None, np.zeros(P), open=NONE)
    assert np.array_equal(np.isnan(ours.standard_errors), aliased)
    assert np.array_equal(np.isnan(ours.matrix), aliased[:, None] | aliased)
    kept = Root(*(part[~aliased] for part in root))
    without = Covariance(kept, NONE[~aliased], 1.0, None, np.zeros(P - 1), NONE[~aliased])
    np.testing.assert_allclose(
        ours.linear_variance(written_out(X)),
        without.linear_variance(written_out(X[:, ~aliased])),
        rtol=1e-14,
    )
    np.testing.assert_array_equal(ours.standard_errors[~aliased], without.standard_errors)


def test_what_runs_to_infinity_has_no_error_and_what_cancels_there_has_one() -> None:
    recession = np.array([-0.5, 0.0, 0.0, 0.25, 0.0])
    left = np.array([False, True, False, False, False])
    ours = covariance(recession=recession, open=left)
    unsaid = (recession != 0.0) | left
    assert np.array_equal(np.isnan(ours.standard_errors), unsaid)
    assert np.array_equal(np.isnan(ours.matrix), unsaid[:, None] | unsaid)
    np.testing.assert_array_equal(ours.at_limit(np.ones(P)), [-np.inf, np.nan, 1.0, np.inf, 1.0])
    at = X.copy()
    at[::2, 3] = 2 * at[::2, 0]  # these stay where they are, up to rounding
    at[::2, 3] *= 1 + 1e-12
    found = ours.linear_variance(written_out(at))
    assert np.isnan(found[1::2]).all()
    wanted = covariance().linear_variance(written_out(at))
    np.testing.assert_array_equal(found[::2], wanted[::2])


def test_an_unknown_dispersion_leaves_nothing_known() -> None:
    ours = covariance(scale=np.nan)
    assert np.isnan(ours.standard_errors).all() and np.isnan(ours.matrix).all()
    assert np.isnan(ours.linear_variance(written_out(X))).all()


@pytest.mark.parametrize("use_t", [True, False])
def test_many_fits_at_once_are_those_fits_one_by_one(use_t: bool) -> None:
    rng = np.random.default_rng(2)
    singles = []
    for g in range(G):
        aliased = np.arange(P) == g
        root = Root(rng.normal(size=(P, K)) * ~aliased[:, None], LEVELS * ~aliased)
        df = 10.0 + g if use_t else None
        recession = np.where(np.arange(P) == g + 1, -0.5, 0.0)
        left = np.arange(P) == g + 2
        singles.append(
            Covariance(root, aliased, scale=1.0 + g, df=df, recession=recession, open=left)
        )
    many = Covariance.empty(G + 1, P, use_t=use_t)
    for g, single in enumerate(singles):
        many.put(g, single)
    assert np.isnan(many.standard_errors[G]).all(), "a fit that is not there"
    for g, single in enumerate(singles):
        one = many.one(g)
        assert (one.scale, one.df, one.kind) == (single.scale, single.df, single.kind)
        np.testing.assert_array_equal(one.recession, single.recession)
        np.testing.assert_array_equal(one.open, single.open)
        for its in (one.at_limit(X[0]), many.at_limit(X[:1])[g]):
            np.testing.assert_array_equal(its, single.at_limit(X[0]))
        for its in (one.standard_errors, many.standard_errors[g]):
            np.testing.assert_allclose(its, single.standard_errors, rtol=1e-14)
        for its in (one.matrix, many.matrix[g]):
            np.testing.assert_allclose(its, single.matrix, rtol=1e-13, atol=1e-14)


def test_one_of_many_has_arrays_of_its_own() -> None:
    many = Covariance.empty(2, P, use_t=False)
    many.put(0, covariance())
    one = many.one(0)
    before = one.standard_errors
    many.put(0, dataclasses.replace(covariance(), aliased=~NONE, scale=9.0))
    np.testing.assert_array_equal(one.standard_errors, before)
