"""Marginal effects: against statsmodels, R, and averages of predictions differentiated by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import statsmodels.api as sm

import jaxglm as jg

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
R = json.loads((DATA / "margins" / "margins.json").read_text())
TABLES = DATA / "reference" / "data"
PROBIT = sm.families.Binomial(sm.families.links.Probit())
RNG = np.random.default_rng(20)
N = 120


def made() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "x": RNG.normal(size=N),
            "z": RNG.exponential(size=N) + 0.1,
            "b": RNG.integers(0, 2, N),
            "k": RNG.poisson(2, N),
            "g": RNG.choice(list("abc"), N),
            "t": RNG.uniform(1, 5, N),
            "f": RNG.integers(0, 3, N),
        }
    )
    eta = 0.3 * table["x"] - 0.4 * table["z"] + 0.4 * table["b"] + 0.5 * (table["g"] == "b")
    table["died"] = (RNG.uniform(size=N) < 1 / (1 + np.exp(-eta))).astype(int)
    table["n"] = RNG.poisson(np.exp(eta) * table["t"])
    return table


TABLE = made()
FORMULA = "n ~ bs(x, df=4) * g + log(z) + I(z**2) + b:k + scale(k) + offset(log(t))"


@pytest.fixture(scope="module")
def count() -> jg.Results:
    return jg.glm(FORMULA, TABLE, "poisson")


@pytest.fixture(scope="module")
def plain() -> jg.Results:
    return jg.glm("n ~ x * g + b", TABLE, "poisson", freq_weights="f")


@pytest.fixture(scope="module")
def separated() -> jg.Results:
    table = TABLE.assign(died=np.where(TABLE["g"] == "c", 0, TABLE["died"]))
    return jg.glm("died ~ x + b + g", table, "binomial", on_failure="ignore")


def close(effects: jg.Results, values: Any, errors: Any, rtol: float = 1e-6) -> None:
    np.testing.assert_allclose(effects.margeff, values, rtol=rtol)
    np.testing.assert_allclose(effects.margeff_se, errors, rtol=rtol)


def same(one: Any, other: Any, rtol: float = 1e-9) -> None:
    close(one, other.margeff, other.margeff_se, rtol)


@pytest.mark.parametrize(
    ("y", "ours", "theirs"),
    [
        ("died", "binomial", sm.families.Binomial()),
        pytest.param("died", jg.Binomial(link="probit"), PROBIT, marks=pytest.mark.slow),
        ("n", "poisson", sm.families.Poisson()),
    ],
)
def test_get_margeff_is_that_of_statsmodels(y: str, ours: Any, theirs: Any) -> None:
    X = jg.add_constant(TABLE[["x", "z", "b", "k"]])
    fit = jg.GLM(TABLE[y], X, ours).fit()
    other = sm.GLM(TABLE[y], X, theirs).fit(tol=1e-14, maxiter=100)
    for given in (
        {},
        {"at": "mean"},
        {"at": "median"},
        {"at": "zero"},
        {"method": "eyex"},
        {"method": "dyex", "at": "mean"},
        {"method": "eydx"},
        {"dummy": True},
        {"dummy": True, "count": True},
        {"dummy": True, "method": "eydx"},
        {"atexog": {1: 0.5, 2: 1.0}},
    ):
        effects, wanted = fit.get_margeff(**given), other.get_margeff(**given)
        np.testing.assert_allclose(effects.margeff, wanted.margeff, rtol=1e-7)
        np.testing.assert_allclose(effects.margeff_cov, wanted.margeff_cov, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(effects.pvalues, wanted.pvalues, rtol=1e-6)
        np.testing.assert_allclose(effects.conf_int(0.1), wanted.conf_int(0.1), rtol=1e-6)
        if "dummy" not in given and "atexog" not in given:
            frame = effects.summary_frame()
            pd.testing.assert_frame_equal(frame, wanted.summary_frame(), rtol=1e-6)


def test_average_effects_are_those_of_r() -> None:
    table = pd.read_csv(TABLES / "birthwt.csv")
    fit = jg.glm("low ~ age + I(age^2) + lwt * smoke + race", table, "binomial")
    want = R["low"]
    frame = fit.margins().tidy().set_index(["variable", "change"])[["estimate", "std_error"]]
    for key, name in {
        ("age", "dy/dx"): "age",
        ("lwt", "dy/dx"): "lwt",
        ("smoke", "1 - 0"): "smoke",
        ("race", "other - black"): "other",
        ("race", "white - black"): "white",
    }.items():
        np.testing.assert_allclose(frame.loc[key], want[name], rtol=2e-6)
    smokers = fit.margins("lwt", by="smoke")
    close(smokers, *zip(want["lwt_others"], want["lwt_smokers"], strict=True))
    weights = fit.margins("smoke", at={"lwt": [100, 150]})
    close(weights, *zip(want["smoke_100"], want["smoke_150"], strict=True))
    close(fit.margins("lwt", method="eyex"), *want["elasticity_lwt"])


def test_average_effects_of_splines_are_those_of_r() -> None:
    table = pd.read_csv(TABLES / "mtcars.csv")
    family = jg.Gamma(link="log")
    fit = jg.glm("mpg ~ ns(hp, df=3) * am + log(wt)", table, family)
    for name in ("hp", "am", "wt"):
        close(fit.margins(name, data=table), *R["power"][name])
    effects = fit.margins("am")  # the columns that are kept tell it
    close(effects, *R["power"]["am"])
    assert list(effects.summary_frame())[2:4] == ["t", "Pr(>|t|)"]


def by_hand(
    fit: jg.Results, tables: list[pd.DataFrame], shares: list[float]
) -> tuple[float, float]:
    """A sum of average Poisson means of tables, and its delta-method error."""
    value, jacobian = 0.0, np.zeros(len(fit.names))
    for table, share in zip(tables, shares, strict=True):
        X = fit.design_matrix(table).to_numpy()
        means = table["t"].to_numpy() * np.exp(X @ fit.params.to_numpy())
        value += share * means.mean()
        jacobian += share * (means @ X) / len(table)
    return value, float(np.sqrt(jacobian @ fit.cov_params().to_numpy() @ jacobian))


@pytest.mark.filterwarnings("ignore:.*boundary knots")
@pytest.mark.slow
def test_effects_move_every_column_of_a_variable(count: jg.Results) -> None:
    effects = count.margins(data=TABLE, dummy="slope").tidy().set_index("variable")
    assert list(effects.index) == ["x", "g", "g", "z", "k", "b"]
    for name in ("x", "z", "k", "b"):
        h = 2e-5
        pair = [TABLE.assign(**{name: TABLE[name] + s * h}) for s in (1, -1)]
        wanted = by_hand(count, pair, [0.5 / h, -0.5 / h])
        found = effects.loc[name, ["estimate", "std_error"]].astype(float)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    for level, found in zip(
        "bc", effects.loc["g", ["estimate", "std_error"]].to_numpy(), strict=True
    ):
        wanted = by_hand(count, [TABLE.assign(g=level), TABLE.assign(g="a")], [1, -1])
        np.testing.assert_allclose(found.astype(float), wanted, rtol=1e-10)


def test_a_variable_of_the_offset(count: jg.Results) -> None:
    """In n ~ ... + offset(log(t)) the mean is in proportion to t."""
    effects = count.margins("t", data=TABLE, method="eyex")
    close(effects, [1.0], [0.0])


def test_the_linear_predictor(plain: jg.Results) -> None:
    effects = plain.margins("b", which="linear")
    close(effects, plain.params["b"], plain.bse["b"], rtol=1e-12)


def test_frequencies_are_repeated_rows(plain: jg.Results) -> None:
    repeated = TABLE.loc[TABLE.index.repeat(TABLE["f"])].reset_index(drop=True)
    other = jg.glm("n ~ x * g + b", repeated, "poisson")
    for given in ({}, {"at": "mean"}, {"at": "median"}, {"by": "g"}, {"at": {"x": [0, 1]}}):
        same(plain.margins(**given), other.margins(**given))
    # The table of the fit is known again, and its weights hold.
    same(plain.margins(data=TABLE), plain.margins())
    same(plain.margins(data=pl.from_pandas(TABLE)), plain.margins())
    some = TABLE[:50]
    same(
        plain.margins(data=some, freq_weights="f"),
        plain.margins(
            data=some[some["f"] > 0].iloc[
                np.repeat(np.arange((some["f"] > 0).sum()), some["f"][some["f"] > 0])
            ],
            freq_weights=1,
        ),
    )
    with pytest.raises(jg.DataError, match="fitted with freq_weights="):
        plain.margins(data=some)


def test_rows_left_out_do_not_count() -> None:
    gaps = TABLE.copy()
    gaps.loc[3, "x"] = gaps.loc[5, "n"] = gaps.loc[9, "z"] = np.nan
    fit = jg.glm("n ~ x + log(z)", gaps, "poisson", missing="drop")
    other = jg.glm("n ~ x + log(z)", gaps.dropna(), "poisson")
    same(fit.margins(data=gaps), other.margins(data=gaps.dropna()))
    same(fit.margins("x", by=gaps["g"]), other.margins("x", by=gaps.dropna()["g"]))
    same(fit.without_data().margins(data=gaps.dropna()), other.margins(data=gaps.dropna()))


def test_groups_and_their_contrasts(plain: jg.Results) -> None:
    effects = plain.margins(["x", "b"], by="g")
    assert effects.labels["by g"].to_list() == list("aabbcc")
    pairs = effects.contrasts("pairwise")
    names = ["b - a", "b - a", "c - a", "c - a", "c - b", "c - b"]
    assert pairs.labels["by g"].to_list() == names
    rows = np.array([[2, 0], [3, 1], [4, 0], [5, 1], [4, 2], [5, 3]])
    C = np.zeros((6, 6))
    C[np.arange(6), rows[:, 0]], C[np.arange(6), rows[:, 1]] = 1, -1
    close(pairs, C @ effects.margeff, np.sqrt(np.diag(C @ effects.margeff_cov @ C.T)), 1e-9)
    assert len(effects.contrasts()) == 4
    with pytest.raises(ValueError, match=r"margins\(by=...\)"):
        plain.margins().contrasts()


@pytest.mark.parametrize(
    "coding", ["C(g, Sum)", "C(g, Helmert)", "C(g, Poly)", "C(g, Treatment('b'))"]
)
def test_codings_and_kept_columns_change_nothing(plain: jg.Results, coding: str) -> None:
    fit = jg.glm(f"n ~ x * {coding} + b", TABLE, "poisson", freq_weights="f")
    reference = "b" if "Treatment" in coding else "a"
    steps = {f"{level} - {reference}" for level in "abc" if level != reference}
    kept, given = fit.margins("g"), fit.margins("g", data=TABLE)
    assert set(kept.labels["change"]) == steps
    same(kept, given)
    same(fit.margins(["x", "b"]), plain.margins(["x", "b"]), rtol=1e-8)


def test_numbers_as_labels() -> None:
    table = TABLE.assign(year=2001 + TABLE["f"], old=TABLE["x"] > 0)
    fit = jg.glm("z ~ C(year) * old", table)
    effects = fit.margins()
    assert effects.labels["change"].to_list() == ["2002 - 2001", "2003 - 2001", "True - False"]
    same(effects, fit.margins(data=table))
    at = fit.margins("old", at={"year": 2002})
    means = fit.predict(table.assign(year=2002, old=[True] * N)).iloc[0]
    assert at.margeff[0] == pytest.approx(
        means - fit.predict(table.assign(year=2002, old=False))[0]
    )


def test_sparse_and_dense_columns() -> None:
    X = jg.add_constant(TABLE[["x", "z", "b"]]).to_numpy()
    names = ["c", "x", "z", "b"]
    dense = jg.GLM(TABLE["n"], pd.DataFrame(X, columns=names), "poisson").fit()
    sparse = jg.GLM(TABLE["n"], scipy.sparse.csr_array(X), "poisson").fit()
    for at in ("overall", "median", {"z": [0.5, 1]}):
        renamed = {"x3": [0.5, 1]} if isinstance(at, dict) else at
        same(dense.margins(at=at), sparse.margins(at=renamed))


@pytest.mark.slow
def test_what_the_rows_do_not_determine() -> None:
    """With w = 2 x + 1 in all rows, moving x alone asks for what nothing tells."""
    table = TABLE.assign(w=2 * TABLE["x"] + 1)
    with pytest.warns(jg.RankWarning):
        fit = jg.glm("n ~ x + w + g", table, "poisson")
    effects = fit.margins()
    assert np.isnan(effects.margeff).tolist() == [True, True, False, False]
    assert np.isnan(effects.margeff_se).tolist() == [True, True, False, False]
    assert any("'x', 'w': the rows of the fit do not determine" in note for note in effects.notes)
    other = jg.glm("n ~ x + g", table, "poisson").margins("g")
    np.testing.assert_allclose(effects.margeff[2:], other.margeff, rtol=1e-8)


@pytest.mark.slow
def test_separation(separated: jg.Results) -> None:
    """Means at the limit: those of the rows of the other levels."""
    effects = separated.margins()
    frame = effects.tidy().set_index(["variable", "change"])
    left = TABLE[TABLE["g"] != "c"]
    other = jg.glm("died ~ x + b + g", left, "binomial")
    share = len(left) / N
    np.testing.assert_allclose(
        frame.loc[[("x", "dy/dx"), ("b", "1 - 0")], ["estimate", "std_error"]],
        share * other.margins(["x", "b"]).tidy()[["estimate", "std_error"]],
        rtol=1e-6,
    )
    rare = frame.loc[("g", "c - a")]
    a = other.predict(TABLE.assign(g="a")).mean()
    assert rare["estimate"] == pytest.approx(-a) and np.isnan(rare["std_error"])
    assert any("'g': takes part in separation" in note for note in effects.notes)
    c = separated.margins("x", by="g").tidy().iloc[2]
    assert c["estimate"] == 0 and np.isnan(c["std_error"])
    linear = separated.margins("g", which="linear")
    assert linear.margeff[1] == -np.inf and np.isfinite(linear.margeff_se[0])
    table = TABLE.assign(died=TABLE["x"] > 0)
    step = jg.glm("died ~ x", table, "binomial", on_failure="ignore")
    assert np.isnan(step.margins().margeff).all()


def test_derivatives_near_the_end_of_a_function() -> None:
    """The step of a difference is shorter there: log(x) of x far below its spread."""
    table = pd.DataFrame({"x": np.geomspace(1e-7, 1e3, 40)})
    table["y"] = 1 + 0.1 * np.log(table["x"]) + np.tile([0.1, -0.1], 20)
    fit = jg.glm("y ~ log(x) + sqrt(x)", table)
    _, b, c = fit.params
    wanted = np.mean(b / table["x"] + c / (2 * np.sqrt(table["x"])))
    assert fit.margins(data=table).margeff[0] == pytest.approx(wanted, rel=1e-9)
    zero = pd.concat([table, pd.DataFrame({"x": [0.0], "y": [1.0]})])
    with pytest.raises(jg.DataError, match=r"sqrt\(x\) has no slope along 'x' where 'x' is 0"):
        jg.glm("y ~ sqrt(x)", zero).margins(data=zero)


def test_negative_means_have_elasticities() -> None:
    fit = jg.glm("x ~ z", TABLE)
    b = fit.params["z"]
    wanted = np.mean(b * TABLE["z"] / fit.fittedvalues)
    assert fit.margins("z", method="eyex").margeff[0] == pytest.approx(wanted, rel=1e-10)


def test_rows_come_in_chunks(plain: jg.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [plain.margins(at=at) for at in ("overall", "mean")]
    monkeypatch.setattr("jaxglm.intake._population._rows_at_once", lambda rows: 17)
    for one, at in zip(wanted, ("overall", "mean"), strict=True):
        same(plain.margins(at=at), one, rtol=1e-11)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda f: f.margins("q"), jg.DataError, "'q' is no variable of the formula"),
        (lambda f: f.margins("g", at={"g": "q"}), jg.DataError, "'g' has no level 'q'"),
        (
            lambda f: f.margins("g", at={"z": -1}, data=TABLE),
            jg.DataError,
            r"no log\(z\) with 'z' at -1",
        ),
        (lambda f: f.margins("g", at={"k": "a"}, data=TABLE), jg.DataError, "holds numbers"),
        (lambda f: f.margins("g", at={"z": []}), ValueError, "no value for 'z'"),
        (lambda f: f.margins("g", at="all"), ValueError, r"by=range\(len\(table\)\)"),
        (lambda f: f.get_margeff("all"), ValueError, r"by=range\(len\(table\)\)"),
        (lambda f: f.margins("g", at="each"), ValueError, "at must be one of"),
        (lambda f: f.margins("g", method="dy"), ValueError, "method must be one of"),
        (lambda f: f.margins("g", dummy=1), ValueError, "dummy must be one of"),
        (lambda f: f.margins("g", which="link"), ValueError, "which must be"),
        (lambda f: f.margins("g", which="linear", method="eyex"), ValueError, "logarithm"),
        (lambda f: f.margins("g", alpha=2), ValueError, "alpha must lie"),
        (lambda f: f.margins([]), ValueError, "names none"),
        (lambda f: f.margins(["g", "g"]), ValueError, "'g' twice"),
        (lambda f: f.margins(3), ValueError, "variables must be the name"),
        (lambda f: f.margins("g", by="q", data=TABLE), jg.DataError, "no column 'q'"),
        (lambda f: f.margins("g", by=[1, 2]), jg.DataError, "by has length 2"),
        (lambda f: f.margins("g", offset=1), jg.DataError, "belong to new data"),
        (lambda f: f.without_data().margins("g"), jg.DataError, "keep_data=True"),
        (lambda f: f.get_margeff(atexog={99: 1}), ValueError, "atexog: 99"),
        (lambda f: f.get_margeff(atexog=[1]), ValueError, "atexog must be a dict"),
        (lambda f: f.get_margeff(dummy="yes"), ValueError, "dummy must be one of"),
    ],
)
def test_what_cannot_be_is_said(
    count: jg.Results, call: Callable[[Any], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call(count)


def test_the_table_of_the_fit_tells_what_stands_only_inside_functions(count: jg.Results) -> None:
    wanted = count.margins(data=TABLE)
    same(count.margins(), wanted)
    same(count.margins("z"), count.margins("z", data=TABLE))
    same(count.margins("x", by="b"), count.margins("x", by="b", data=TABLE))
    same(count.get_margeff(at="median"), count.margins(at="median", dummy="slope", data=TABLE))
    table = TABLE[["n", "x", "z", "g"]].copy()
    fit = jg.glm("n ~ x + log(z)", table, "poisson")
    # Groups of a column that the formula has not.
    assert len(fit.margins("x", by="g")) == 3
    table["z"] = 1.0
    for lost in (fit, jg.glm("n ~ x + log(z)", TABLE[["n", "x", "z"]].to_dict("list"), "poisson")):
        for call in (lost.margins, lambda f=lost: f.margins("z")):
            with pytest.raises(jg.DataError, match=r"only in log\(z\).*not at hand.*data=table"):
                call()
        assert len(lost.margins("x")) == 1


def test_the_effects_of_each_row_are_groups(plain: jg.Results) -> None:
    some = TABLE[:4]
    each = plain.margins("x", data=some, freq_weights=1, by=range(4))
    b, mean = plain.params, plain.predict(some)
    slope = b["x"] + b["x:g[T.b]"] * (some["g"] == "b") + b["x:g[T.c]"] * (some["g"] == "c")
    np.testing.assert_allclose(each.margeff, mean * slope, rtol=1e-9)


def test_rows_that_miss_a_value_are_counted(plain: jg.Results) -> None:
    table = TABLE.assign(x=TABLE["x"].where(TABLE.index >= 3))
    effects = plain.margins("g", data=table, freq_weights="f")
    same(effects, plain.margins("g", data=table[3:], freq_weights="f"))
    assert effects.notes == ("3 of 120 rows of data miss a value, and do not count.",)
    assert plain.margins("g").notes == ()


def test_comparisons_have_no_slope() -> None:
    fit = jg.glm("n ~ x + I(z > 1)", TABLE, "poisson")
    effects = fit.margins(data=TABLE)
    assert list(effects.labels["variable"]) == ["x"]
    assert "'z': enters by comparisons only" in effects.notes[0]
    with pytest.raises(ValueError, match="has no slope"):
        fit.margins("z", data=TABLE)


def test_it_reads_well(plain: jg.Results) -> None:
    text = str(plain.margins("x", at={"b": [0, 1]}))
    assert (
        "x | b = 0" in text
        and "dy/dx" in text
        and text == repr(plain.margins("x", at={"b": [0, 1]}))
    )
    assert "<table>" in plain.margins("x")._repr_html_()
    assert plain.margins("x", alpha=0.5).conf_int() == pytest.approx(
        plain.margins("x").conf_int(0.5)
    )
