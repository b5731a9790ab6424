"""Estimates without their first-order bias: R's brglm2, 60-digit certificates, brute force."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

import jaxglm as jg
from jaxglm._tuning import tuned
from jaxglm.search import Options
from tests.engine import chunked, problem
from tests.engine import fit as fit_of
from tests.reference.cases import FOLDER, read_csv
from tests.reference.engine import family_of

pytestmark = pytest.mark.slow

R = json.loads((Path(__file__).parent / "data" / "firth" / "cases.json").read_text())
X = np.column_stack([np.ones(len(R["x"])), R["x"], R["z"]])
QUICK = (*("logit", "logit, complete separation", "weighted logit", "poisson, offset"),)
REDUCED = Options(reduced=True)


def slow(value: Any) -> Any:
    return pytest.param(value, marks=pytest.mark.slow)


def of_r(case: dict[str, Any]) -> jg.GLM:
    vectors = {"var_weights": case["weights"], "offset": case["offset"], "trials": case["trials"]}
    given = {name: np.array(value) for name, value in vectors.items() if value}
    return jg.GLM(np.array(case["y"]), X, family_of(case["family"], case["link"]), **given)


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else slow(name) for name in R["cases"]],
)
def test_brglm2(name: str) -> None:
    case = R["cases"][name]
    fit = of_r(case).fit(bias="firth")
    assert fit.converged and fit.method == "firth"
    for ours, theirs in (
        (fit.params, case["coef"]),
        (fit.bse, case["se"]),
        (fit.scale, case["dispersion"]),
        (fit.deviance, case["deviance"]),
        (fit.fittedvalues[:5], case["fitted"]),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7)
    assert fit.df_resid == case["df_residual"]
    assert "Bias reduced" in fit.notes[0]


CERTIFIED = ["firth_endometrial", *map(slow, ("firth_birthwt", "firth_beetles_grouped"))]


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified(name: str) -> None:
    case = json.loads((FOLDER / "firth" / f"{name}.json").read_text())
    design = read_csv(FOLDER / "firth" / case["design"])
    y, trials = design["__y__"], design["__w__"]
    model = jg.GLM(y, design[case["R"]["names"]], "binomial", trials=trials, proportions=True)
    fit = model.fit(bias="firth")
    np.testing.assert_allclose(fit.params, case["certified"]["coefficients"], rtol=1e-11)
    np.testing.assert_allclose(fit.bse, case["certified"]["se"], rtol=1e-10)
    assert fit.llf == pytest.approx(case["certified"]["logLik"], rel=1e-12)
    assert fit.penalized_llf == pytest.approx(case["certified"]["penalised_logLik"], rel=1e-12)


# -- one estimate, whichever way the rows are visited ---------------------------------------------

RNG = np.random.default_rng(5)
N = 120
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "g": RNG.choice([f"g{i:02d}" for i in range(40)], N),
        "k": RNG.choice(list("abc"), N),
    }
)
TABLE["y"] = (RNG.random(N) < special.expit(TABLE["x"])) * 1
TABLE["c"] = RNG.poisson(np.exp(0.5 * TABLE["x"])) * (TABLE["k"] != "b")
FORMULAS = {"y ~ x + k": "binomial(probit)", "c ~ x + k": "poisson", "c ~ x + g": "poisson"}


@pytest.mark.slow
@pytest.mark.parametrize("formula", [slow("y ~ x + k"), "c ~ x + k", "c ~ x + g"])
def test_ways(formula: str) -> None:
    """Blocks and the compiled loop; a factor of many levels, eliminated or not."""
    family = FORMULAS[formula]
    one = problem(formula, TABLE, family)
    wanted = fit_of(one, family, REDUCED)
    assert wanted.status == jg.Status.CONVERGED and np.isfinite(wanted.coef).all()
    others = [fit_of(chunked(one, 50), family, REDUCED)]
    if formula == "y ~ x + k":
        with tuned(driver="compiled"):
            others.append(fit_of(one, family, REDUCED))
    if "g" in formula:
        assert one.design.n_eliminated
        with tuned(least_eliminated=100):
            others.append(fit_of(problem(formula, TABLE, family), family, REDUCED))
    for other in others:
        np.testing.assert_allclose(other.coef, wanted.coef, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(
            other.covariance.standard_errors, wanted.covariance.standard_errors, rtol=1e-9
        )


@pytest.mark.slow
def test_columns_of_a_root_by_turns() -> None:
    """A root of more columns than rows are multiplied with at a time."""
    with tuned(least_eliminated=100):
        many = jg.glm("c ~ x + g", TABLE, "poisson", bias="firth")
    assert len(many.names) > 32
    held = many.design_matrix().to_numpy()
    mean = many.fittedvalues.to_numpy()
    inverse = np.linalg.inv(held.T @ (mean[:, None] * held))
    leverage = mean * np.einsum("ij,jk,ik->i", held, inverse, held)
    score = held.T @ (TABLE["c"] - mean + leverage / 2)
    np.testing.assert_allclose(score, 0, atol=1e-9)


def jeffreys(beta: np.ndarray, columns: np.ndarray, y: np.ndarray) -> float:
    eta = columns @ beta
    mean = special.expit(eta)
    weight = mean * (1 - mean)
    determinant = np.linalg.slogdet(columns.T @ (weight[:, None] * columns))[1]
    return float(y @ eta - np.logaddexp(0, eta).sum() + determinant / 2)


@pytest.fixture(scope="module")
def separated() -> jg.Results:
    y = np.array(R["cases"]["logit, quasi-separation"]["y"])
    return jg.GLM(y, pd.DataFrame(X, columns=["const", "x", "z"]), "binomial").fit(bias="firth")


def test_the_penalised_likelihood_is_at_its_maximum(separated: jg.Results) -> None:
    y = np.array(R["cases"]["logit, quasi-separation"]["y"])
    best = optimize.minimize(lambda b: -jeffreys(b, X, y), np.zeros(3), options={"gtol": 1e-9})
    np.testing.assert_allclose(separated.params, best.x, atol=1e-6)
    assert separated.penalized_llf == pytest.approx(-best.fun, rel=1e-12)


def test_penalised_likelihood_ratios_by_brute_force(separated: jg.Results) -> None:
    y = np.array(R["cases"]["logit, quasi-separation"]["y"])
    table = separated.firth_test(alpha=0.1)

    def lost(j: int, value: float) -> float:
        def others(free: np.ndarray) -> float:
            return -jeffreys(np.insert(free, j, value), X, y)

        start = np.delete(separated.params.to_numpy(), j)
        found = optimize.minimize(others, start, options={"gtol": 1e-8})
        return float(2 * (separated.penalized_llf + found.fun))

    for j, name in enumerate(separated.names):
        row = table.loc[name]
        assert row["statistic"] == pytest.approx(lost(j, 0.0), rel=1e-8)
        assert row["p_value"] == pytest.approx(special.chdtrc(1, row["statistic"]), rel=1e-12)
        for end in (row["conf_low"], row["conf_high"]):
            assert lost(j, end) == pytest.approx(special.chdtri(1, 0.1), rel=1e-7)


def test_likelihood_ratios_of_aliased_columns_and_other_fits(separated: jg.Results) -> None:
    y = np.array(R["cases"]["logit, quasi-separation"]["y"])
    twice = pd.DataFrame({"const": 1.0, "x": X[:, 1], "again": 2 * X[:, 1], "z": X[:, 2]})
    with pytest.warns(jg.RankWarning):
        fit = jg.GLM(y, twice, "binomial").fit(bias="firth")
    table = fit.firth_test()
    assert table.loc["again"].isna().all()
    pd.testing.assert_frame_equal(table.drop("again"), separated.firth_test(), rtol=1e-7)
    assert fit.penalized_llf == pytest.approx(separated.penalized_llf, rel=1e-12)
    plain = jg.GLM(y, X[:, :2], "binomial").fit()
    assert np.isnan(plain.penalized_llf)
    with pytest.raises(ValueError, match="bias='firth' under a canonical link"):
        plain.firth_test()


# -- what counts how often ------------------------------------------------------------------------

TIMES = np.resize([1, 2, 3, 0], N)


def weighted(**given: Any) -> jg.Results:
    return jg.glm("y ~ x + k", TABLE, "binomial", bias="firth", **given)


def same(one: jg.Results, other: jg.Results) -> None:
    np.testing.assert_allclose(one.params, other.params, rtol=1e-9)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-9)
    assert one.llf == pytest.approx(other.llf, rel=1e-10)


def test_frequencies_are_repeated_rows() -> None:
    repeated = TABLE.loc[np.repeat(np.arange(N), TIMES)]
    wanted = jg.glm("y ~ x + k", repeated, "binomial", bias="firth")
    same(weighted(freq_weights=TIMES), wanted)
    same(jg.glm("y ~ x + k", repeated, "binomial", bias="firth", compress=True), wanted)


@pytest.mark.slow
def test_frequencies_of_an_estimated_dispersion() -> None:
    table = TABLE.assign(t=np.exp(TABLE["x"]) + 0.2, w=np.resize([1.0, 2.5], N))
    given = {"family": "gamma(log)", "bias": "firth"}
    repeated = table.loc[np.repeat(np.arange(N), TIMES)]
    once = jg.glm("t ~ k", table, freq_weights=TIMES, var_weights="w", **given)
    wanted = jg.glm("t ~ k", repeated, var_weights="w", **given)
    same(once, wanted)
    assert once.scale == pytest.approx(wanted.scale, rel=1e-9)


def test_trials_are_single_outcomes() -> None:
    wide = TABLE.groupby("k")["y"].agg(["sum", "count"]).reset_index()
    grouped = jg.glm("sum ~ k", wide, "binomial", trials="count", bias="firth")
    single = jg.glm("y ~ k", TABLE, "binomial", bias="firth")
    np.testing.assert_allclose(grouped.params, single.params, rtol=1e-9)
    np.testing.assert_allclose(grouped.bse, single.bse, rtol=1e-9)
    assert grouped.penalized_llf - grouped.llf == pytest.approx(single.penalized_llf - single.llf)


def test_a_start_ends_at_the_same_place() -> None:
    wanted = weighted()
    same(weighted(start=[3.0, -2.0, 1.0, 0.0]), wanted)


@pytest.mark.slow
def test_float32_comes_near() -> None:
    wanted = weighted()
    low = weighted(dtype="float32")
    np.testing.assert_allclose(low.params, wanted.params, atol=2e-4)


@pytest.mark.slow
def test_units_of_the_response_change_nothing() -> None:
    table = TABLE.assign(t=np.exp(TABLE["x"]) + 0.2)
    one = jg.glm("t ~ k", table, "gamma(log)", bias="firth")
    small = jg.glm("t ~ k", table.assign(t=1e-9 * table["t"]), "gamma(log)", bias="firth")
    np.testing.assert_allclose(small.params[1:], one.params[1:], rtol=1e-8)
    assert small.scale == pytest.approx(one.scale, rel=1e-8)


# -- other families, and what is refused ----------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bias": "jeffreys"}, "bias must be"),
        ({"bias": "firth", "method": "newton"}, "leave out method="),
        ({"bias": "firth", "family": "negative_binomial"}, "whose alpha is given"),
        ({"bias": "firth", "family": "quasipoisson"}, "Fit family='poisson' with it"),
        ({"bias": "firth", "family": "tweedie(power=1.5)"}, "not for the tweedie family"),
    ],
)
def test_refusals(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        jg.glm("c ~ x", TABLE, **({"family": "poisson"} | given))


def test_segments_are_refused_what_a_fit_is() -> None:
    with pytest.raises(ValueError, match="on_separation='firth' needs"):
        jg.fit_groups("c ~ x", TABLE, "k", "negative_binomial", on_separation="firth")
    with pytest.raises(ValueError, match="on_separation must be"):
        jg.fit_groups("c ~ x", TABLE, "k", "poisson", on_separation="drop")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_shape_that_is_given() -> None:
    fit = jg.glm("c ~ x", TABLE, jg.NegativeBinomial(alpha=0.5), bias="firth")
    held, mean = fit.design_matrix().to_numpy(), fit.fittedvalues.to_numpy()
    weight = mean / (1 + 0.5 * mean)
    inverse = np.linalg.inv(held.T @ (weight[:, None] * held))
    leverage = weight * np.einsum("ij,jk,ik->i", held, inverse, held)
    score = held.T @ ((TABLE["c"] - mean) * weight / mean + leverage / 2)
    np.testing.assert_allclose(score, 0, atol=1e-9)
    with pytest.raises(ValueError, match="maximise no penalised likelihood"):
        _ = fit.penalized_llf


# -- segments -------------------------------------------------------------------------------------

SEGMENTS = pd.DataFrame(
    {
        "s": np.repeat(list("abcd"), 12),
        "x": np.tile(RNG.normal(size=12), 4),
        "o": RNG.normal(size=48) * 0.2,
    }
)
SEGMENTS["y"] = (RNG.random(48) < special.expit(SEGMENTS["x"])) * 1
SEGMENTS.loc[SEGMENTS["s"] == "b", "y"] = (SEGMENTS["x"] > 0) * 1
SEGMENTS.loc[SEGMENTS["s"] == "d", "y"] = 1


def of_segments(**given: Any) -> jg.GroupResults:
    return jg.fit_groups("y ~ x", SEGMENTS, "s", "binomial", **given)


@pytest.fixture(scope="module")
def segments() -> jg.GroupResults:
    return of_segments(on_separation="firth")  # no warning: each has what was asked for


@pytest.mark.slow
def test_separated_segments_are_fitted_again(segments: jg.GroupResults) -> None:
    plain = of_segments(on_failure="ignore")
    assert plain.counts()["separated"] == 2 and plain.counts()["bias reduced"] == 0
    assert segments.counts()["separated"] == 0 and segments.counts()["bias reduced"] == 2
    assert segments.converged.all() and len(segments.failed) == 0
    assert "2 bias reduced" in repr(segments)
    for key in "abcd":
        own = SEGMENTS[SEGMENTS["s"] == key]
        bias: Any = "firth" if key in "bd" else None
        one = jg.glm("y ~ x", own, "binomial", bias=bias)
        np.testing.assert_allclose(segments.params.loc[key], one.params, rtol=1e-9)
        np.testing.assert_allclose(segments.bse.loc[key], one.bse, rtol=1e-9)
        assert segments[key].llf == pytest.approx(one.llf, rel=1e-10)
        assert segments[key].method == one.method
    assert not segments.infinite.to_numpy().any()


def test_segments_say_which_were_reduced(segments: jg.GroupResults, tmp_path: Path) -> None:
    methods = segments.tidy().set_index("s")["method"]
    assert methods["b"].tolist() == ["firth"] * 2 and methods["a"].tolist() == ["irls"] * 2
    assert segments["b"].notes[0].startswith("Separated")
    assert np.isfinite(segments["b"].penalized_llf) and np.isnan(segments["a"].penalized_llf)
    assert segments["b"].firth_test().notna().all(axis=None)
    segments.save(tmp_path / "fits")
    back = jg.load(tmp_path / "fits")
    pd.testing.assert_frame_equal(back.tidy(), segments.tidy())
    segments["b"].save(tmp_path / "fit")
    assert jg.load(tmp_path / "fit").penalized_llf == segments["b"].penalized_llf


@pytest.mark.slow
def test_segments_with_an_offset_under_another_link() -> None:
    found = of_segments(on_separation="firth", link="probit", offset="o")
    for key in "bd":
        own = SEGMENTS[SEGMENTS["s"] == key]
        one = jg.glm("y ~ x", own, found.model.family, bias="firth", offset="o")
        np.testing.assert_allclose(found.params.loc[key], one.params, rtol=1e-8)
        assert found[key].llnull == pytest.approx(one.llnull, rel=1e-9, nan_ok=True)


@pytest.mark.slow
def test_the_bootstrap_reduces_bias_as_the_fit_does() -> None:
    own = SEGMENTS[SEGMENTS["s"] == "b"]
    fit = jg.glm("y ~ x", own, "binomial", bias="firth")
    drawn = fit.bootstrap(n=40, seed=1)
    assert drawn.kinds["separated"] == 0 and np.isfinite(drawn.params.dropna()).all(axis=None)
    assert drawn.params["x"].abs().max() < 20
    rng = np.random.default_rng([1, 0])
    times = rng.multinomial(12, np.full(12, 1 / 12))
    again = jg.glm("y ~ x", own, "binomial", freq_weights=times, bias="firth")
    np.testing.assert_allclose(drawn.params.loc[0], again.params, rtol=1e-7)


def test_a_profile_is_that_of_the_penalised_likelihood(separated: jg.Results) -> None:
    y = np.array(R["cases"]["logit, quasi-separation"]["y"])
    curve = separated.profile("z", n=5)
    limits = separated.conf_int(0.01, method="profile").loc["z"]
    np.testing.assert_allclose(curve["value"].iloc[[0, -1]], limits, rtol=1e-7)
    np.testing.assert_allclose(curve["zeta"].iloc[[0, 2, -1]], [-2.5758, 0, 2.5758], atol=1e-4)
    held = curve["value"].iloc[1]
    found = optimize.minimize(
        lambda b: -jeffreys(np.array([*b, held]), X, y), np.zeros(2), options={"gtol": 1e-9}
    )
    assert curve["penalized_llf"].iloc[1] == pytest.approx(-found.fun, rel=1e-9)
    assert curve["penalized_llf"].max() == pytest.approx(separated.penalized_llf)
    with pytest.raises(jg.DataError, match="no coefficient 'zz'"):
        separated.profile("zz")
