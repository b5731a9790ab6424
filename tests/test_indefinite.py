"""Clusterings of several ways whose covariance has negative eigenvalues: sandwich has it so."""

import dataclasses
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.algebra import Covariance, Root, root_of, without_negative
from jaxglm.designs import Dense
from jaxglm.intake import Columns

R = json.loads((Path(__file__).parent / "data" / "robust" / "indefinite.json").read_text())
TABLE = pd.DataFrame(R["table"])
N, K = len(TABLE), 3
BOTH = ["a", "b"]


@pytest.fixture(scope="module")
def fit() -> jg.Results:
    return jg.glm("y ~ x + z", TABLE, "poisson")


@pytest.fixture(scope="module")
def raw(fit: jg.Results) -> jg.Results:
    return fit.robust(cluster=BOTH)


def test_the_matrix_is_that_of_sandwich(fit: jg.Results, raw: jg.Results) -> None:
    np.testing.assert_allclose(raw.cov_params(), R["raw"], rtol=1e-8)
    corrected = fit.robust(cluster=BOTH, type="HC1").cov_params()
    np.testing.assert_allclose(corrected, R["raw_HC1"], rtol=1e-8)
    np.testing.assert_allclose(fit.robust(cluster="a").cov_params(), R["by_a"], rtol=1e-8)
    assert fit.robust(cluster="a").fit.covariance.signs is None


def test_positive_variances_are_those_of_sandwich_too() -> None:
    found = jg.glm("y ~ x", TABLE, "poisson", cluster=BOTH)
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(R["raw_one"])), rtol=1e-8)


@pytest.mark.parametrize(("formula", "of"), [("y ~ x + z", ""), ("y ~ x", "_one")])
def test_fixest_sets_negative_eigenvalues_to_zero(formula: str, of: str) -> None:
    result = jg.glm(formula, TABLE, "poisson")
    found = result.robust(cluster=BOTH, correction="fixest", cadjust=False)
    factor = (N - 1) / (N - len(result.names))
    wanted = factor * np.array(R[f"plain_fixed{of}"])
    np.testing.assert_allclose(found.cov_params(), wanted, rtol=1e-8, atol=1e-16)
    assert found.fit.covariance.signs is None
    assert any("they were set to 0, as fixest does" in note for note in found.notes)


def test_a_negative_variance_has_no_error_and_a_note(raw: jg.Results) -> None:
    assert raw.bse.isna().tolist() == [True, False, False]
    assert raw.pvalues.isna().tolist() == [True, False, False]
    np.testing.assert_allclose(raw.bse[1:], np.sqrt(np.diag(R["raw"])[1:]), rtol=1e-8)
    assert any("correction='fixest' sets negative" in note for note in raw.notes)
    assert "negative eigenvalues" in " ".join(str(raw.summary()).split())


def test_combinations_have_the_variance_of_the_matrix(raw: jg.Results) -> None:
    matrix, estimate = np.array(R["raw"]), raw.params.to_numpy()
    weights = np.array([[0.0, 1, 1], [0, 0, 1]])
    tests = raw.t_test("x + z = 0, z = 0")
    np.testing.assert_allclose(tests.sd, np.sqrt(np.diag(weights @ matrix @ weights.T)), rtol=1e-8)
    with pytest.warns(jg.JaxglmWarning, match="its variance is negative"):
        assert raw.lincom("x - z").std_error.isna().all()
    joint = raw.wald_test("x = 0, z = 0")
    assert np.isnan(joint.statistic) and "not positive definite" in joint.notes[0]
    single = raw.wald_test("z = 0").statistic
    assert single == pytest.approx(estimate[2] ** 2 / matrix[2, 2])


def test_a_joint_test_where_the_part_is_positive() -> None:
    rng = np.random.default_rng(0)
    dense, signs = rng.normal(size=(3, 4)), np.array([-1.0, 1, 1, 1])
    dense[:, 0] *= 0.1
    dense[0, 1:] = 0.0  # the negative eigenvalue is that of the intercept
    plain = jg.glm("y ~ x + z", TABLE, "poisson")
    covariance = dataclasses.replace(
        plain.fit.covariance, root=Root(dense, np.zeros(3)), signs=signs
    )
    own = jg.Results(dataclasses.replace(plain.fit, covariance=covariance), plain.model)
    matrix = ((dense * signs) @ dense.T)[1:, 1:]
    assert np.linalg.eigvalsh(matrix).min() > 0
    b = plain.params.to_numpy()[1:]
    wanted = b @ np.linalg.solve(matrix, b)
    assert own.wald_test("x = 0, z = 0").statistic == pytest.approx(wanted, rel=1e-9)
    assert own.wald_test_terms().table.loc["x", "statistic"] == pytest.approx(
        b[0] ** 2 / matrix[0, 0]
    )


def test_predictions_and_margins(raw: jg.Results) -> None:
    X, matrix = raw.design_matrix().to_numpy(), np.array(R["raw"])
    variance = np.einsum("ij,jk,ik->i", X, matrix, X)
    with pytest.warns(
        jg.DataWarning, match=f"{(variance < 0).sum() - 5} more .*variance is negative"
    ):
        found = raw.get_prediction().linear_se
    assert found.isna().equals(pd.Series(variance < 0))
    np.testing.assert_allclose(found.dropna(), np.sqrt(variance[variance >= 0]), rtol=1e-7)
    effects = raw.margins()
    mean = raw.fittedvalues.to_numpy()
    jacobian = np.stack([mean @ X, mean @ X]) / N * raw.params.to_numpy()[1:, None]
    jacobian[[0, 1], [1, 2]] += mean.mean()
    np.testing.assert_allclose(
        effects.margeff_cov, jacobian @ matrix @ jacobian.T, rtol=1e-7, atol=1e-12
    )


def test_margins_say_which_have_none(raw: jg.Results) -> None:
    # Where the derivatives of the slope of x are along the eigenvector of the negative one.
    v = np.linalg.eigh(np.array(R["raw"]))[1][:, 0]
    slope = raw.params["x"]
    at = {"x": [v[1] / v[0] - 1 / slope], "z": [v[2] / v[0]]}
    effect = raw.margins("x", at=at)
    assert np.isnan(effect.margeff_se[0]) and np.isfinite(effect.margeff[0])
    assert "'x': no standard error, because its variance is negative" in effect.notes[0]


def test_files_and_pickles_keep_it(raw: jg.Results, tmp_path: Path) -> None:
    raw.save(tmp_path / "fit")
    for other in (jg.load(tmp_path / "fit"), pickle.loads(pickle.dumps(raw))):
        np.testing.assert_array_equal(other.cov_params(), raw.cov_params())
        assert other.bse.equals(raw.bse)
        assert other.robust("nonrobust").bse.notna().all()


def test_signs_are_held_to_what_they_can_be(raw: jg.Results, tmp_path: Path) -> None:
    raw.save(tmp_path / "fit")
    with np.load(tmp_path / "fit") as archive:
        members = {name: archive[name] for name in archive.files}
    members["cov_signs"] = 2 * members["cov_signs"]
    with open(tmp_path / "fit", "wb") as file:
        np.savez(file, **members)
    with pytest.raises(jg.DataError, match=r"cov_signs.* holds other numbers than 1 and -1"):
        jg.load(tmp_path / "fit")


def test_a_robust_covariance_leaves_the_profile_alone(fit: jg.Results, raw: jg.Results) -> None:
    with pytest.warns(jg.DataWarning, match="the robust covariance .* has no part"):
        found = raw.conf_int(method="profile")
    assert found.equals(fit.conf_int(method="profile"))


@pytest.mark.slow
def test_segments_alike(fit: jg.Results, raw: jg.Results, tmp_path: Path) -> None:
    table = pd.concat([TABLE.assign(s="p"), TABLE.assign(s="q", y=TABLE.y[::-1].to_numpy())])
    fits = jg.fit_groups("y ~ x + z", table, "s", "poisson", cluster=BOTH)
    np.testing.assert_allclose(fits["p"].cov_params(), R["raw"], rtol=1e-8)
    assert fits.bse.loc["p"].isna().tolist() == [True, False, False]
    assert any("'p'" in note and "negative eigenvalues" in note for note in fits.notes)
    fits.save(tmp_path / "fits")
    np.testing.assert_array_equal(jg.load(tmp_path / "fits").bse, fits.bse)
    again = fits.robust(cluster=BOTH, correction="fixest")
    one = fit.robust(cluster=BOTH, correction="fixest")
    np.testing.assert_allclose(again.bse.loc["p"], one.bse, rtol=1e-8)
    with tuned(most_lane_rows=1):
        alone = fits.robust(cluster=BOTH)
        np.testing.assert_allclose(alone["p"].cov_params(), R["raw"], rtol=1e-8)
        assert alone.notes == fits.notes
    assert fits.robust("HC1").notes == ()


def test_roots_with_signs() -> None:
    rng = np.random.default_rng(2)
    made = rng.normal(size=(3, 4, 4))
    matrices = made + made.swapaxes(1, 2)
    matrices[1] = made[1] @ made[1].T
    root, signs = root_of(matrices)
    assert signs is not None and (signs[1] == 1).all()
    np.testing.assert_allclose((root * signs[:, None]) @ root.swapaxes(1, 2), matrices, atol=1e-12)


def test_a_block_without_negative_eigenvalues() -> None:
    made = np.random.default_rng(2).normal(size=(4, 4))
    matrix = made + made.T
    root, signs = root_of(matrix)
    assert signs is not None
    for among in (np.ones(4, bool), np.array([True, False, True, True])):
        found, own = without_negative(root, signs, among)
        assert (own is None) == among.all()
        found = (found if own is None else found * own) @ found.T
        values, vectors = np.linalg.eigh(matrix[np.ix_(among, among)])
        assert values[0] < 0
        wanted = matrix.copy()
        wanted[np.ix_(among, among)] = (vectors * np.maximum(values, 0)) @ vectors.T
        np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.slow
def test_the_intercept_of_an_absorbed_factor_has_no_part() -> None:
    """Its levels have the scores of their own rows only, which clusterings of two ways spoil."""
    rng = np.random.default_rng(3)
    firm = np.repeat(np.arange(40), 4)
    table = pd.DataFrame({"x": rng.normal(size=160), "z": rng.normal(size=160)})
    table["firm"], table["year"] = firm.astype(str), rng.integers(0, 12, 160)
    table["y"] = rng.poisson(np.exp(1 + 0.1 * table.x + rng.normal(size=40)[firm] * 0.3))
    with tuned(least_eliminated=10):
        fit = jg.glm("y ~ x + z + C(firm)", table, "poisson")
    ways = ["firm", "year"]
    found = fit.robust(cluster=ways, correction="fixest")
    raw = fit.robust(cluster=ways).cov_params().loc[["x", "z"], ["x", "z"]]
    assert np.linalg.eigvalsh(raw)[0] > 0
    assert any("beside the levels" in note for note in found.notes)
    # Nothing is negative there, so that the two differ by corrections alone: nested levels count 1.
    n, k, least = 160, 3, 12
    parts = [
        fit.robust(cluster=way, cadjust=False)
        for way in (*ways, table.firm + table.year.astype(str))
    ]
    first, second, both = (part.cov_params().loc[["x", "z"], ["x", "z"]] for part in parts)
    wanted = (first + second - both) * least / (least - 1) * (n - 1) / (n - k)
    np.testing.assert_allclose(found.cov_params().loc[["x", "z"], ["x", "z"]], wanted, rtol=1e-8)


@pytest.mark.slow
def test_an_eliminated_factor(fit: jg.Results) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tuned(least_eliminated=2):
            one: Any = jg.glm("y ~ x + C(b)", TABLE, "poisson").robust(cluster=BOTH)
        other = jg.glm("y ~ x + C(b)", TABLE, "poisson").robust(cluster=BOTH)
    assert other.fit.covariance.signs is not None
    np.testing.assert_allclose(one.cov_params(), other.cov_params(), rtol=1e-7, atol=1e-12)


def test_a_covariance_with_signs_answers_as_its_matrix_does() -> None:
    rng = np.random.default_rng(1)
    dense, signs = rng.normal(size=(4, 3)), np.array([-1.0, 1.0, 1.0])
    diagonal = np.array([0.0, 0.0, 0.7, 0.0])
    none = np.zeros(4)
    covariance = Covariance(
        Root(dense, diagonal), none != 0, 2.0, None, none, open=none != 0, signs=signs
    )
    wanted = 2.0 * ((dense * signs) @ dense.T + np.diag(diagonal**2))
    np.testing.assert_allclose(covariance.matrix, wanted, rtol=1e-12)
    X = rng.normal(size=(6, 4))
    X[:, 2] = X[:, 2] > 0
    found = covariance.linear_variance(Columns(Dense(X), np.arange(4), 6))
    np.testing.assert_allclose(found, np.diag(X @ wanted @ X.T), rtol=1e-10)
    np.testing.assert_allclose(covariance.spread(X).matrix, X @ wanted @ X.T, rtol=1e-10)
    some = np.array([3, 2])
    np.testing.assert_allclose(
        covariance.spread_of(some).matrix, wanted[np.ix_(some, some)], rtol=1e-12
    )
