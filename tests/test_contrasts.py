"""Contrasts of a factor: the values of emmeans, and what is said where there are none."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import studentized_range

import jaxglm as jg
from jaxglm.inference import wald
from jaxglm.inference.hypotheses._multiplicity import _MOST_VALUES, adjusted
from tests.hypothesis_fits import R, birthwt, esoph, mtcars, warpbreaks

pytestmark = pytest.mark.slow

COLUMNS = ["contrast", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


@pytest.fixture(scope="module")
def poisson() -> jg.Results:
    return jg.glm("breaks ~ wool * tension", warpbreaks, "poisson")


@pytest.fixture(scope="module")
def crossed() -> jg.Results:
    return jg.glm("mpg ~ C(cyl) * wt + hp", mtcars)


@pytest.fixture(scope="module")
def main() -> jg.Results:
    return jg.glm("mpg ~ C(cyl) + wt + hp", mtcars)


@pytest.fixture(scope="module")
def binomial() -> jg.Results:
    return jg.glm("low ~ race + age + smoke", birthwt, "binomial")


def averaged(fit: jg.Results, *args: Any, **kwargs: Any) -> pd.DataFrame:
    """Contrasts that come with the warning that they are averages."""
    with pytest.warns(jg.DataWarning, match=r"averages .*Give at="):
        return fit.contrasts(*args, **kwargs)


def as_in_r(table: pd.DataFrame, name: str, *, p: bool = True) -> None:
    theirs = R["contrasts"][name]
    assert list(table.columns) == COLUMNS
    assert [label.replace("cyl", "") for label in theirs["contrast"]] == table["contrast"].tolist()
    np.testing.assert_allclose(table["estimate"], theirs["estimate"], rtol=1e-9)
    np.testing.assert_allclose(table["std_error"], theirs["se"], rtol=1e-8)
    if p:
        # R's ptukey is right to some 1e-10.
        np.testing.assert_allclose(table["p_value"], theirs["p"], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(table["conf_low"], theirs["low"], rtol=1e-6)
        np.testing.assert_allclose(table["conf_high"], theirs["high"], rtol=1e-6)


@pytest.mark.parametrize("adjust", ["tukey", "holm", "bonferroni", "none"])
def test_pairs_as_emmeans(poisson: jg.Results, adjust: Any) -> None:
    as_in_r(averaged(poisson, "tension", adjust=adjust), f"poisson_{adjust}")


def test_other_contrasts_as_emmeans(poisson: jg.Results) -> None:
    as_in_r(averaged(poisson, "tension", "trt.vs.ctrl", adjust="none"), "poisson_ctrl")
    as_in_r(averaged(poisson, "tension", "trt.vs.ctrl", ref="L"), "poisson_ctrl_holm")
    as_in_r(poisson.contrasts("tension", at={"wool": "A"}), "poisson_wool_a")
    own = pd.DataFrame([[1, -0.5, -0.5], [0, 1, -1]], ["H - others", "L - M"], list("HLM"))
    for given in (own, own[["M", "H", "L"]], own.T.to_dict("list")):
        as_in_r(averaged(poisson, "tension", given, adjust="none"), "poisson_own")
    plain = averaged(poisson, "tension", own.to_numpy(), adjust="none")
    assert plain["contrast"].tolist() == ["C1", "C2"]


@pytest.mark.slow
def test_numbers_stand_at_their_mean(crossed: jg.Results, main: jg.Results) -> None:
    with pytest.warns(jg.DataWarning, match=r"at 'wt' = 3.21725, its mean. Give at=\{'wt': 3.22\}"):
        as_in_r(crossed.contrasts("cyl"), "gaussian_at_mean")
    as_in_r(crossed.contrasts("C(cyl)", at={"wt": 3.0}), "gaussian_at_3")
    as_in_r(main.contrasts("cyl"), "gaussian_main")
    as_in_r(main.contrasts("cyl", adjust="holm"), "gaussian_main_holm")
    as_in_r(main.without_data().contrasts("cyl"), "gaussian_main")
    # What the contrasts do not depend on may be given, and is let be.
    as_in_r(main.contrasts("cyl", at={"wt": 9.0}), "gaussian_main")


@pytest.mark.slow
def test_other_families_as_emmeans(binomial: jg.Results) -> None:
    as_in_r(binomial.contrasts("race", "trt.vs.ctrl", adjust="none"), "binomial_ctrl")
    quasi = jg.glm("breaks ~ wool * tension", warpbreaks, "quasipoisson")
    # emmeans takes the normal distribution here; the dispersion is estimated.
    as_in_r(averaged(quasi, "tension"), "quasi_tukey", p=False)
    table = esoph[esoph["ncases"] + esoph["ncontrols"] > 0]
    grouped = jg.glm("cbind(ncases, ncontrols) ~ agegp + alcgp + tobgp", table, "binomial")
    as_in_r(grouped.contrasts("agegp"), "grouped_tukey")


def test_ratios(binomial: jg.Results, main: jg.Results) -> None:
    link = binomial.contrasts("race")
    ratio = binomial.contrasts("race", exponentiate=True)
    assert list(ratio.columns) == ["contrast", "odds ratio", *COLUMNS[2:]]
    assert ratio["contrast"].tolist() == ["black / other", "black / white", "other / white"]
    np.testing.assert_allclose(ratio["odds ratio"], np.exp(link["estimate"]))
    np.testing.assert_allclose(ratio[["conf_low", "conf_high"]], np.exp(link.iloc[:, 5:]))
    np.testing.assert_allclose(ratio["std_error"], link["std_error"] * ratio["odds ratio"])
    assert ratio["p_value"].equals(link["p_value"])
    with pytest.raises(ValueError, match="identity link"):
        main.contrasts("cyl", exponentiate=True)


@pytest.mark.parametrize(
    "coding",
    ["wool * C(tension, Sum)", "0 + C(tension, Helmert):wool", "wool + relevel(tension, 'M'):wool"],
)
def test_the_coding_does_not_matter(poisson: jg.Results, coding: str) -> None:
    other = jg.glm(f"breaks ~ {coding}", warpbreaks, "poisson")
    pd.testing.assert_frame_equal(
        averaged(other, "tension"), averaged(poisson, "tension"), rtol=1e-8, atol=1e-12
    )


def test_truth_values_and_numbers_are_factors_too() -> None:
    table = mtcars.assign(heavy=mtcars["wt"] > 3)
    fit = jg.glm("mpg ~ heavy * C(gear) + hp", table)
    one = averaged(fit, "heavy").iloc[0]
    cell = fit.predict(
        pd.DataFrame({"heavy": [False] * 3 + [True] * 3, "gear": [3, 4, 5] * 2, "hp": 1.0})
    )
    assert one["contrast"] == "False - True"
    assert one["estimate"] == pytest.approx(cell[:3].mean() - cell[3:].mean(), rel=1e-9)
    table = averaged(fit, "gear", "trt.vs.ctrl", ref=4)
    assert table["contrast"].tolist() == ["3 - 4", "5 - 4"]


@pytest.mark.slow
def test_frequencies_are_repeated_rows() -> None:
    times = np.arange(len(mtcars)) % 3
    weighted = jg.glm("mpg ~ C(cyl) * wt", mtcars, freq_weights=times)
    repeated = jg.glm("mpg ~ C(cyl) * wt", mtcars.loc[mtcars.index.repeat(times)])
    pd.testing.assert_frame_equal(averaged(weighted, "cyl"), averaged(repeated, "cyl"), rtol=1e-8)


def test_a_grid_reads_only_what_the_factor_meets() -> None:
    """Splines, logarithms and other factors of the formula cancel, and need no value."""
    table = mtcars.assign(am=mtcars["am"].map({0: "no", 1: "yes"}))
    fit = jg.glm("mpg ~ C(cyl) + bs(wt, df=4) + log(hp) * am", table, missing="drop")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = fit.without_data().contrasts("cyl").iloc[0]
    assert first["estimate"] == pytest.approx(-fit.params["C(cyl)[T.6]"])
    with pytest.raises(jg.DataError, match=r"depend on 'hp'.*at=\{'hp': ...\}"):
        fit.contrasts("am")
    low = fit.contrasts("am", at={"hp": 100.0}).iloc[0]
    names = ["am[T.yes]", "log(hp):am[T.yes]"]
    assert low["estimate"] == pytest.approx(-fit.params[names] @ [1, np.log(100.0)])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: f.contrasts("tensoin"), "no factor 'tensoin' .*did you mean 'tension'"),
        (lambda f: f.contrasts("tension", "pairwize"), "kind must be one of"),
        (lambda f: f.contrasts("tension", adjust="sidak"), "adjust must be one of"),
        (lambda f: f.contrasts("tension", "trt.vs.ctrl", adjust="tukey"), "is for all pairs"),
        (lambda f: f.contrasts("tension", ref="L"), "ref= belongs to"),
        (lambda f: f.contrasts("tension", "trt.vs.ctrl", ref="Q"), "is no level of 'tension'"),
        (lambda f: f.contrasts("tension", [[1, -1]]), "a column for each of the 3 levels"),
        (lambda f: f.contrasts("tension", [[1, 1, -1]]), "'C1' sum to 1"),
        (lambda f: f.contrasts("tension", [[0, 0, 0]]), "compares nothing"),
        (lambda f: f.contrasts("tension", [["a", "b", "c"]]), "cannot be read"),
        (
            lambda f: f.contrasts("tension", pd.DataFrame({"H": [1], "Q": [-1]})),
            "a column 'Q', which is no level",
        ),
        (lambda f: f.contrasts("tension", at={"wolle": "A"}), "did you mean 'wool'"),
        (lambda f: f.contrasts("tension", at={"wool": "C"}), "had no level 'C'"),
        (lambda f: f.contrasts("tension", at={"wool": ["A", "B"]}), "held at one value"),
        (lambda f: f.contrasts("tension", at={"tension": "H"}), "is the factor whose levels"),
        (lambda f: f.contrasts("tension", at="A"), "is a dict"),
        (lambda f: f.contrasts(3), "name of a column"),
        (lambda f: f.contrasts("tension", at={"wool": "A"}, alpha=2), "alpha must lie"),
    ],
)
def test_what_cannot_be_compared(poisson: jg.Results, call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(poisson)


def test_what_is_no_factor(main: jg.Results) -> None:
    with pytest.raises(jg.DataError, match=r"'wt' holds numbers.*write C\(wt\)"):
        main.contrasts("wt")
    computed = jg.glm("mpg ~ I(wt > 3) + hp", mtcars)
    with pytest.raises(jg.DataError, match="are computed in the formula"):
        computed.contrasts("I(wt > 3)")
    with pytest.raises(jg.DataError, match="has none"):
        computed.contrasts("g")


@pytest.mark.slow
def test_contrasts_that_the_data_leave_open() -> None:
    """No row has p and w: what p less q is, with levels of b counted equally, is not known."""
    table = pd.DataFrame({"a": list("ppqq") * 6, "b": list("uvw") * 8})
    table = table[(table["a"] != "p") | (table["b"] != "w")].reset_index(drop=True)
    table["y"] = np.arange(len(table)) % 5 + 1.0
    with pytest.warns(jg.RankWarning, match="Rank deficient"):
        fit = jg.glm("y ~ a * b", table, "poisson")
    with pytest.warns(jg.JaxglmWarning) as caught:
        assert fit.contrasts("b")["estimate"].isna().tolist() == [False, True, True]
    assert any("No test of u - w, v - w: the rows of the fit" in str(w.message) for w in caught)
    known = fit.contrasts("b", at={"a": "q"})
    assert not known.isna().any(axis=None)
    # A factor that lies inside another: a - b is a matter of which column was left out.
    table = pd.DataFrame({"f": list("aabb") * 5, "g": list("rstu") * 5})
    table["y"] = np.arange(20) % 7 + 1.0
    with pytest.warns(jg.RankWarning, match="Rank deficient"):
        nested = jg.glm("y ~ f + g", table, "poisson")
    with pytest.warns(jg.RankWarning, match="No test of a - b"):
        assert nested.contrasts("f").isna().loc[0, "estimate"]


def test_the_studentised_range_as_ptukey() -> None:
    ours, theirs = [], []
    for one in R["range"]:
        df = None if one["df"] < 0 else float(one["df"])
        t = np.array([one["q"] / 2**0.5])
        _, p = wald(t, np.ones(1), df)
        ours.append(adjusted("tukey", p, t, one["levels"], df)[0])
        theirs.append(one["p"])
    # R's is right to four digits with 3 degrees of freedom.
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-9)


def test_far_out_and_of_many_pairs() -> None:
    """The tail is that of the largest of so many, and no rounding error."""
    t = np.array([30.0])
    _, p = wald(t, np.ones(1), None)
    assert adjusted("tukey", p, t, 4, None)[0] == 6 * p[0] > 0
    many = np.linspace(0.01, 6, _MOST_VALUES + 1)
    _, p = wald(many, np.ones(many.size), None)
    np.testing.assert_allclose(
        adjusted("tukey", p, many, 15, None),
        studentized_range.sf(2**0.5 * many, 15, np.inf),
        rtol=1e-5,
        atol=1e-10,
    )
