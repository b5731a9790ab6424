"""Group lasso: what must hold at any optimum, a plain method, paths and what is refused."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from tests.marks import slow_among

RNG = np.random.default_rng(11)
N = 80
LABELS = np.repeat([3, 1, 4, 7, 9], [1, 3, 5, 2, 4])
P = LABELS.size
X = jg.add_constant(RNG.normal(size=(N, P)))
X[:, 7] = X[:, 6] + 0.1 * X[:, 7]
ETA = 0.2 + X[:, 2:5] @ [0.6, -0.5, 0.3] + 0.4 * X[:, 1]
MEANS = np.exp(ETA)
RESPONSES = {
    "gaussian": ("gaussian", ETA + RNG.normal(size=N)),
    "binomial": ("binomial", RNG.binomial(1, 1 / (1 + np.exp(-ETA)))),
    "poisson": ("poisson", RNG.poisson(MEANS)),
    "gamma": (jg.Gamma(link=jg.Log()), RNG.gamma(2.0, MEANS / 2)),
    "negative binomial": (jg.NegativeBinomial(alpha=0.5), RNG.poisson(MEANS)),
    "probit": (jg.Binomial(link=jg.Probit()), RNG.binomial(1, 1 / (1 + np.exp(-ETA)))),
}
WEIGHT, OFFSET = RNG.uniform(0.5, 2.0, N), 0.3 * RNG.normal(size=N)
GROUPS = [1 + np.flatnonzero(label == LABELS) for label in dict.fromkeys(LABELS)]


def misses(
    slope: np.ndarray, b: np.ndarray, groups: list[np.ndarray], multiples: list[float], units: Any
) -> list[float]:
    """How far each group is from its condition of Karush, Kuhn and Tucker."""
    out = []
    for places, multiple in zip(groups, multiples, strict=True):
        own, pull = units[places] * b[places], slope[places] / units[places]
        size = np.linalg.norm(own)
        there = np.linalg.norm(pull + multiple * own / size) if size else 0.0
        out.append(there if size else max(np.linalg.norm(pull) - multiple, 0.0))
    return out


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("name", slow_among(RESPONSES, list(RESPONSES)[3:]))
def test_slopes_of_the_loss_are_those_of_the_norms(name: str, standardize: bool) -> None:
    family, y = RESPONSES[name]
    lam, factors = 0.09, np.array([1.0, 1.0, 0.5, 2.0, 0.0])
    penalty = jg.GroupLasso(lam, groups=LABELS, standardize=standardize, penalty_factor=factors)
    fit = jg.GLM(y, X, family, var_weights=WEIGHT, offset=OFFSET).fit(penalty=penalty, tol=1e-11)
    assert fit.converged
    with jax.enable_x64(True):
        eta = np.asarray(X @ fit.params + OFFSET)
        score = np.asarray(fit.family.score(np.asarray(y, float), eta))
    slope, b = X.T @ (WEIGHT * score) / WEIGHT.sum(), fit.params.to_numpy()
    mean = WEIGHT @ X / WEIGHT.sum()
    spread = np.sqrt(WEIGHT @ (X - mean) ** 2 / WEIGHT.sum())
    units = spread if standardize else np.ones(P + 1)
    multiples = [lam * f * np.sqrt(g.size) for f, g in zip(factors, GROUPS, strict=True)]
    assert max(misses(slope, b, GROUPS, multiples, units)) < 1e-9
    assert abs(slope[0]) < 1e-9
    out = [not b[places].any() for places in GROUPS]
    assert any(out) and not all(out)
    assert all((b[places] == 0).all() or (b[places] != 0).all() for places in GROUPS)
    assert fit.df_model == np.count_nonzero(b) - 1
    assert fit.bse.isna().all()
    assert "no standard errors" in " ".join(fit.notes)


def plain_optimum(y: np.ndarray, lam: float, ridge: float) -> np.ndarray:
    """Poisson with log link by accelerated proximal gradient steps, restarted where they turn."""
    b = np.r_[np.log(y.mean()), np.zeros(P)]
    ahead, speed, step = b, 1.0, 0.5 / np.linalg.eigvalsh(X.T @ (X * y.max()) / N)[-1]
    for _ in range(200_000):
        slope = X.T @ (np.exp(X @ ahead) - y) / N + ridge * np.r_[0.0, ahead[1:]]
        new = ahead - step * slope
        for places in GROUPS:
            size, least = np.linalg.norm(new[places]), step * lam * np.sqrt(places.size)
            new[places] *= max(1 - least / size, 0.0)
        if (ahead - new) @ (new - b) > 0:
            speed = 1.0
        faster = 0.5 * (1 + np.sqrt(1 + 4 * speed**2))
        ahead, moved = new + (speed - 1) / faster * (new - b), np.abs(new - b).max()
        b, speed = new, faster
        if moved < 1e-15:
            return b
    raise AssertionError(f"no optimum: {moved}")


@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_a_plain_method_ends_at_the_same_optimum(ridge: float) -> None:
    y = np.asarray(RESPONSES["poisson"][1], float)
    penalty = jg.GroupLasso(0.12, groups=LABELS) + jg.Ridge(ridge)
    fit = jg.GLM(y, X, "poisson").fit(penalty=penalty)
    expected = plain_optimum(y, 0.12, ridge)
    np.testing.assert_allclose(fit.params, expected, atol=1e-10)
    assert ((fit.params == 0) == (expected == 0)).all()
    assert 0 < (fit.params == 0).sum() < P


def test_groups_of_one_column_are_the_lasso() -> None:
    family, y = RESPONSES["poisson"]
    model = jg.GLM(y, X, family, var_weights=WEIGHT)
    lasso = model.fit(penalty=jg.Lasso(0.1))
    for labels in (None, np.arange(P), np.arange(P + 1)):
        alone = model.fit(penalty=jg.GroupLasso(0.1, groups=labels))
        np.testing.assert_allclose(alone.params, lasso.params, atol=1e-12)


def test_nearly_collinear_columns_of_a_group() -> None:
    """Powers of a column, whose squared condition number is beyond a double's digits."""
    x = np.linspace(0, 1, N)
    powers = np.column_stack([x**k for k in range(11)])
    y = np.sin(5 * x) + RESPONSES["gaussian"][1]
    fit = jg.GLM(y, powers).fit(penalty=jg.GroupLasso(1e-4, groups=["powers"] * 10))
    assert fit.converged
    b, slope = fit.params.to_numpy(), powers.T @ (powers @ fit.params - y) / N
    whole = [np.arange(1, 11)]
    assert max(misses(slope, b, whole, [1e-4 * np.sqrt(10)], np.ones(11))) < 1e-12


def test_more_columns_than_rows_identical_ones_and_one_of_zeros() -> None:
    few = X[:12].copy()
    few[:, 3], few[:, 9] = few[:, 2], 0.0
    y = RESPONSES["gaussian"][1][:12]
    fit = jg.GLM(y, few).fit(penalty=jg.GroupLasso(0.05, groups=LABELS))
    assert fit.converged
    b, slope = fit.params.to_numpy(), few.T @ (few @ fit.params - y) / 12
    multiples = [0.05 * np.sqrt(places.size) for places in GROUPS]
    assert max(misses(slope, b, GROUPS, multiples, np.ones(P + 1))) < 1e-11
    assert b[2] == pytest.approx(b[3]) and b[9] == 0


# --------------------------------------------------------------------------- terms of a formula

TABLE = pd.DataFrame(X[:, 1:4], columns=list("xuv")).assign(
    town=RNG.choice(list("abcdef"), N), kind=RNG.choice(list("rst"), N), w=WEIGHT
)
TABLE["y"] = RNG.poisson(np.exp(0.5 * TABLE.x + 0.8 * (TABLE.kind == "s")))
FORMULA = "y ~ x + bs(u, df=4) + town + kind"


@functools.cache
def path() -> jg.PathResults:
    return jg.fit_path(
        FORMULA, TABLE, "poisson", penalty=jg.GroupLasso(1.0), n_lambdas=30, tol=1e-9
    )


def test_terms_come_in_as_a_whole() -> None:
    assert (path().params.iloc[0].iloc[1:] == 0).all()
    assert (path().params.iloc[1].iloc[1:] != 0).any()
    assert path().kkt_residual.max() < 1e-9
    for _, where in path().model.terms:
        inside = path().params.iloc[:, where] != 0
        assert (inside.all(axis=1) == inside.any(axis=1)).all()
    assert list(path().df) == list((path().params != 0).sum(axis=1))
    assert len(set(path().df)) > 3


def test_the_first_strength_is_where_the_first_term_comes_in() -> None:
    most = path().lambdas[0]
    above, below = (
        jg.glm(FORMULA, TABLE, "poisson", penalty=jg.GroupLasso(share * most)).params.iloc[1:]
        for share in (1 + 1e-6, 1 - 1e-6)
    )
    assert (above == 0).all()
    assert (below != 0).any()


def test_a_point_of_a_path_is_the_fit_at_its_strength() -> None:
    lam = path().lambdas[12]
    alone = jg.glm(FORMULA, TABLE, "poisson", penalty=jg.GroupLasso(lam))
    np.testing.assert_allclose(path().params.iloc[12], alone.params, atol=1e-8)
    at = path().at(lam)
    np.testing.assert_allclose(at.params, alone.params, atol=1e-9)
    assert at.model.penalty == f"{lam:g} * GroupLasso(1)"
    assert path().best("bic").params.equals(path().at(float(path().bic.idxmin())).params)


def test_names_make_groups_and_factors_of_terms() -> None:
    by_name = jg.GroupLasso(
        0.1, groups={"both": ["x", "kind"]}, penalty_factor={"both": 2, "town": 0}
    )
    fit = jg.glm(FORMULA, TABLE, "poisson", penalty=by_name)
    labels = pd.Series({"x": "both", "kind": "both"})
    factors = pd.Series({"town": 0.0, "both": 2.0})
    same = jg.GroupLasso(0.1, groups=labels, penalty_factor=factors)
    np.testing.assert_allclose(jg.glm(FORMULA, TABLE, "poisson", penalty=same).params, fit.params)
    by_place = jg.GroupLasso(
        0.1, groups=["b", *["u"] * 4, *["t"] * 5, "b", "b"], penalty_factor=[2, 1, 0]
    )
    at = jg.glm(FORMULA, TABLE, "poisson", penalty=by_place)
    np.testing.assert_allclose(at.params, fit.params)
    assert (fit.params.filter(like="town") != 0).all()


def test_a_sum_holds_each_column_by_its_own_part() -> None:
    own = jg.Lasso(0.2, penalty_factor={"town": 0, "kind": 0, "bs(u, df=4)": 0})
    rest = jg.GroupLasso(0.2, penalty_factor={"x": 0})
    together = jg.glm(FORMULA, TABLE, "poisson", penalty=own + rest)
    np.testing.assert_allclose(
        together.params, jg.glm(FORMULA, TABLE, "poisson", penalty=jg.GroupLasso(0.2)).params
    )
    bounded = jg.Bounds(upper={"x": 0.1}) + jg.GroupLasso(0.1)
    assert jg.glm(FORMULA, TABLE, "poisson", penalty=bounded).params["x"] == 0.1


def test_cross_validation_fits_without_the_rows_that_it_asks() -> None:
    number = np.arange(N) % 4
    given: Any = {"penalty": jg.GroupLasso(1.0), "var_weights": "w"}
    given["lambdas"] = [0.2, 0.05]
    cv = jg.cross_validate("y ~ x + town + kind", TABLE, "poisson", folds=number, **given)
    rest = TABLE[number != 2]
    penalty = jg.GroupLasso(0.05)
    fit = jg.glm("y ~ x + town + kind", rest, "poisson", penalty=penalty, var_weights="w")
    mean = fit.predict(TABLE[number == 2])
    np.testing.assert_allclose(cv.predictions[0.05][number == 2], mean, rtol=1e-6)


def test_a_model_of_arrays_has_paths_too() -> None:
    family, y = RESPONSES["gaussian"]
    penalty = jg.GroupLasso(1.0, groups=LABELS, standardize=True)
    along = jg.GLM(y, X, family).fit_path(penalty=penalty, n_lambdas=8)
    assert along.df.iloc[0] == 1 and along.kkt_residual.max() < 1e-5
    cv = jg.GLM(y, X, family).cross_validate(penalty=penalty, n_lambdas=4, folds=3)
    assert cv.folds.notna().all(axis=None)


def test_a_path_may_end_without_a_penalty() -> None:
    penalty = jg.GroupLasso(1.0)
    along = jg.fit_path("y ~ x + kind", TABLE, "poisson", penalty=penalty, lambdas=[0.1, 0.0])
    plain = jg.glm("y ~ x + kind", TABLE, "poisson")
    np.testing.assert_allclose(along.params.loc[0.0], plain.params, atol=1e-6)


def test_float32_ends_as_near_as_it_can() -> None:
    family, y = RESPONSES["poisson"]
    short, long = (
        jg.GLM(y, X, family).fit(penalty=jg.GroupLasso(0.1, groups=LABELS), dtype=dtype)
        for dtype in ("float32", "float64")
    )
    assert short.converged
    np.testing.assert_allclose(short.params, long.params, atol=1e-5)


# ------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: jg.GroupLasso(-1), "GroupLasso: lam must be a number of 0 or more, not -1"),
        (lambda: jg.GroupLasso(1, standardize=1), "GroupLasso: standardize must be True or"),
        (
            lambda: jg.fit_path(FORMULA, TABLE, penalty=jg.GroupLasso(1), standardize=True),
            "are of the elastic net that penalty= replaces",
        ),
        (
            lambda: jg.cross_validate(FORMULA, TABLE, penalty=jg.GroupLasso(1), l1_ratio=0.5),
            "are of the elastic net that penalty= replaces",
        ),
        (
            lambda: jg.fit_groups("y ~ x", TABLE, "town", penalty=jg.GroupLasso(1, groups=["a"])),
            "quadratic penalty only",
        ),
        (
            lambda: jg.fit_groups("y ~ u + kind", TABLE, "town", penalty=jg.GroupLasso(1)),
            "quadratic penalty only",
        ),
    ],
)
def test_what_cannot_be_asked(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("penalty", "words"),
    [
        (jg.GroupLasso(1, groups={"a": ["x", "q"]}), "no column or term 'q' to group"),
        (jg.GroupLasso(1, groups={"a": ["x"], "b": "x"}), "groups: 'x' is named twice"),
        (jg.GroupLasso(1, groups={"kind": ["x"]}), "'kind' is the label of a group, and the name"),
        (jg.GroupLasso(1, groups={"x": 1}), "a dict of names by group"),
        (jg.GroupLasso(1, groups=[1, 2]), "groups must hold a label for each of 13 columns"),
        (jg.GroupLasso(1, groups=[np.nan] * 13), "groups: a label is missing"),
        (jg.GroupLasso(1, penalty_factor={"twon": 1}), "no group 'twon': did you mean 'town'"),
        (jg.GroupLasso(1, penalty_factor={"town": -1}), r"penalty_factor\['town'\] must be"),
        (jg.GroupLasso(1, penalty_factor=[1, 2]), "a number for each of 4 groups"),
        (jg.GroupLasso(1) + jg.Lasso(1), "can have no lasso and no bound of its own"),
        (jg.GroupLasso(1) + jg.Bounds(upper={"kind": 1}), r"kind\[T.s\], kind\[T.t\]: a column in"),
        (jg.GroupLasso(1) + jg.GroupLasso(2), "stand in no other group"),
    ],
)
def test_groups_that_cannot_be(penalty: Any, words: str) -> None:
    with pytest.raises(jg.DataError, match=words):
        jg.glm(FORMULA, TABLE, "poisson", penalty=penalty)


def test_a_path_wants_something_to_choose() -> None:
    with pytest.raises(jg.DataError, match="no column is penalised"):
        jg.fit_path(FORMULA, TABLE, "poisson", penalty=jg.Bounds(upper=1))
    with pytest.raises(TypeError, match=r"jg.GroupLasso\(lam\)"):
        jg.fit_path(FORMULA, TABLE, "poisson", penalty=0.1)  # type: ignore[arg-type]


def test_no_strength_is_no_penalty() -> None:
    plain = jg.glm("y ~ x + kind", TABLE, "poisson")
    none = jg.glm("y ~ x + kind", TABLE, "poisson", penalty=jg.GroupLasso(0))
    np.testing.assert_allclose(none.params, plain.params)
    np.testing.assert_allclose(none.bse, plain.bse)
