"""Results in other packages: marginaleffects and maketables, the real ones, where installed.

What marginaleffects says of a result is held to what it says of statsmodels' fit of the same model.
"""

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import jaxglm as jg

# Of the other packages, not of the library.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

N = 120
SPLINE = "fell ~ bs(x, knots=(-0.5,), {}) + z * g"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x, z, g = rng.normal(size=N), rng.normal(size=N), rng.choice(list("abc"), N)
    days = rng.uniform(0.5, 3, N)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "twice": 2 * x,
            "g": pd.Categorical(g),
            "year": rng.choice([2001, 2004, 2010], N),
            "firm": rng.integers(0, 15, N),
            "days": days,
            "hours": rng.gamma(2, 2, N),
            "claims": rng.poisson(days * np.exp(0.2 + 0.3 * x - 0.2 * x**2 + (g == "b"))),
            "fell": (rng.uniform(size=N) < 1 / (1 + np.exp(-x + (g == "c")))).astype(int),
        }
    )


@pytest.fixture(scope="module")
def fits(table: pd.DataFrame) -> dict[str, tuple[jg.Results, Any]]:
    """Each model by us and by statsmodels, whose covariances follow on demand."""

    def by_both(ours: str, theirs: str, family: str, as_theirs: Any) -> tuple[jg.Results, Any]:
        return jg.glm(ours, table, family), smf.glm(theirs, table, family=as_theirs)

    polynomial = "claims ~ x + I(x**2) + z + g"
    bounds = "boundary_knots=(-4, 4)", "lower_bound=-4, upper_bound=4"
    ours, theirs = (SPLINE.format(own) for own in bounds)
    return {
        "poisson": by_both(polynomial, polynomial, "poisson", sm.families.Poisson()),
        "binomial": by_both(ours, theirs, "binomial", sm.families.Binomial()),
    }


def close(found: Any, wanted: Any, rtol: float = 1e-6, atol: float = 1e-9) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=rtol, atol=atol)


# -- maketables ------------------------------------------------------------------------------------


def test_prsquared_is_statsmodels_and_nan_where_it_has_no_meaning(table: pd.DataFrame) -> None:
    theirs = smf.logit("fell ~ x + g", table).fit(disp=0)
    close(jg.glm("fell ~ x + g", table, "binomial").prsquared, theirs.prsquared)
    for formula, family in (("hours ~ x", "gaussian"), ("claims ~ x", "quasipoisson")):
        assert np.isnan(jg.glm(formula, table, family).prsquared)


@pytest.fixture
def maketables() -> Any:
    return pytest.importorskip("maketables")


STATS = ["N", "pseudo_r2", "ll", "aic", "se_type"]


def test_a_table_of_two_models(maketables: Any, fits: dict[str, Any]) -> None:
    claims = fits["poisson"][0]
    robust = claims.robust("HC3")
    made = maketables.ETable([claims, robust], model_stats=STATS).df
    for column, fit in zip(made.columns, (claims, robust), strict=True):
        coefficients, stats = made.loc["coef", column], made.loc["stats", column]
        for label, name in (("x", "x"), ("g=b", "g[T.b]"), ("Intercept", "Intercept")):
            assert coefficients[label].startswith(f"{fit.params[name]:.3f}")
            assert coefficients[label].endswith(f"({fit.bse[name]:.3f})")
        assert stats["Observations"] == str(N)
        assert stats["Pseudo R²"] == f"{fit.pseudo_rsquared():.3f}"
        assert stats["S.E. type"] == fit.cov_type
    assert made.columns.get_level_values(0).tolist() == ["claims", "claims"]
    assert "HC3" in made.loc["stats"].to_numpy()


def test_their_plug_in_format_gives_the_same_table(
    maketables: Any, fits: dict[str, Any], table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which they ask for last: after whether it looks like a result of statsmodels."""
    extractors = importlib.import_module("maketables.extractors")
    models = [fits["poisson"][0], fits["binomial"][0].robust(cluster="firm")]
    everything = "b:.3f (se:.3f) [ci95l:.3f, ci95u:.3f] t:.3f p:.3f"
    as_statsmodels = maketables.ETable(models, coef_fmt=everything, model_stats=STATS).df
    monkeypatch.setattr(extractors, "_EXTRACTOR_REGISTRY", [])
    assert type(extractors.get_extractor(models[0])).__name__ == "PluginExtractor"
    plugged = maketables.ETable(models, coef_fmt=everything, model_stats=STATS).df
    pd.testing.assert_frame_equal(plugged, as_statsmodels)
    models.append(jg.glm("claims ~ x", table, "quasipoisson"))
    shown = maketables.ETable(models).df.loc["stats"]
    assert shown.index.tolist() == ["Observations", "Pseudo R²", "R²"]
    assert shown.loc["Pseudo R²"].iloc[2] == "-"
    assert shown.loc["R²"].iloc[2] == f"{models[2].rsquared:.3f}"


def test_a_separated_model_in_a_table(maketables: Any, table: pd.DataFrame) -> None:
    above = table.assign(above=(table.x > 0).astype(int))
    fit = jg.glm("above ~ x", above, "binomial", on_failure="ignore")
    assert maketables.ETable([fit]).df.loc[("coef", "x")].iloc[0] == "inf \n (-)"


# -- marginaleffects -------------------------------------------------------------------------------


@functools.cache
def works(polars: Any) -> bool:
    """marginaleffects 0.6 asks polars for what polars 2 has no longer."""
    labels = polars.DataFrame({"g": polars.Series(["a"], dtype=polars.Enum(["a"]))})
    try:
        importlib.import_module("marginaleffects.utils").upcast(
            polars.DataFrame({"g": "a"}), labels
        )
    except AttributeError:
        return False
    return True


@pytest.fixture
def me() -> Iterator[Any]:
    """The package, with the setting of jax that it makes when it differentiates."""
    package = pytest.importorskip("marginaleffects")
    if not works(pytest.importorskip("polars")):
        pytest.skip("this marginaleffects does not work with this polars")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield package
    jax.config.update("jax_enable_x64", before)


NUMBERS = {"estimate": 1e-6, "std_error": 1e-6, "p_value": 1e-5, "conf_low": 1e-5}
# Their derivatives are differences of differences: with the steps that they take unless told
# otherwise, errors of slopes hold rounding errors in the fourth digit.
STEP = 0.1
ASKED: dict[str, Callable[[Any, Any], Any]] = {
    "avg_slopes": lambda me, model: me.avg_slopes(model, eps_vcov=STEP),
    "avg_slopes by": lambda me, model: me.avg_slopes(model, by="g", eps_vcov=STEP),
    "slopes": lambda me, model: me.slopes(
        model, "x", newdata=model.get_modeldata().head(9), eps_vcov=STEP
    ),
    "slopes at means": lambda me, model: me.slopes(model, newdata="mean", eps_vcov=STEP),
    "avg_comparisons": lambda me, model: me.avg_comparisons(model),
    "ratios": lambda me, model: me.avg_comparisons(model, comparison="ratioavg", by="g"),
    "pairs": lambda me, model: me.comparisons(model, {"g": "pairwise", "x": [0, 1]}),
    "predictions": lambda me, model: me.predictions(model),
    "avg_predictions": lambda me, model: me.avg_predictions(model, by="g"),
    "grid": lambda me, model: me.predictions(
        model, newdata=me.datagrid(model=model, x=[0.0, 1.0], g=["a", "c"])
    ),
    "balanced": lambda me, model: me.predictions(model, newdata="balanced"),
    "differences": lambda me, model: me.avg_predictions(model, by="g", hypothesis="~pairwise"),
    "hypothesis": lambda me, model: me.hypotheses(model, hypothesis="z / x = 0.1"),
}


@pytest.mark.parametrize("robust", [False, True], ids=["nonrobust", "cluster"])
@pytest.mark.parametrize("name", ["poisson", "binomial"])
def test_it_says_of_a_result_what_it_says_of_statsmodels(
    name: str, robust: bool, me: Any, fits: dict[str, Any], table: pd.DataFrame
) -> None:
    ours, specified = fits[name]
    if robust:
        ours = ours.robust(cluster="firm", correction="statsmodels")
    kind = {"cov_type": "cluster", "cov_kwds": {"groups": table.firm}} if robust else {}
    theirs = importlib.import_module("marginaleffects.sanitize").sanitize_model(
        specified.fit(tol=1e-13, **kind)
    )
    theirs.set_variable_type("x", "numeric")  # they do not see it inside bs()
    model = jg.adapters.marginaleffects(ours, table)
    for what, ask in ASKED.items():
        if what == "hypothesis" and name == "binomial":
            continue  # of a coefficient that it has not
        found, wanted = ask(me, model), ask(me, theirs)
        assert found.shape[0] == wanted.shape[0] > 0, what
        for column in ("term", "contrast", "g"):
            if column in wanted.columns:
                assert found[column].cast(str).to_list() == wanted[column].cast(str).to_list(), what
        for column, rtol in NUMBERS.items():
            np.testing.assert_allclose(
                found[column].to_numpy(),
                wanted[column].to_numpy(),
                rtol=rtol,
                atol=1e-7,
                err_msg=f"{what}: {column}",
            )
    every, params = me.hypotheses(model), theirs.model.params.to_numpy()
    close(np.sort(every["estimate"].to_numpy()), np.sort(params))
    close(np.sort(every["std_error"].to_numpy()), np.sort(theirs.model.bse.to_numpy()))
    assert every["term"].to_list() == ours.names


def test_columns_of_new_rows_are_made_as_in_the_fit(me: Any, table: pd.DataFrame) -> None:
    """Knots and means that were learnt from the data do not move with a variable."""
    fit = jg.glm("fell ~ ns(x, df=3) + scale(z) * g", table, "binomial").robust("HC1")
    found = me.avg_slopes(jg.adapters.marginaleffects(fit, table), eps_vcov=1e-6)
    wanted = fit.margins(data=table).tidy().sort_values(["variable", "change"])
    assert found["term"].to_list() == wanted.variable.to_list()
    close(found["estimate"], wanted.estimate)
    close(found["std_error"], wanted.std_error, rtol=1e-4)


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("claims ~ x + g", jg.NegativeBinomial()),
        ("fell ~ x + g", jg.Binomial(jg.Cauchit())),
        ("hours ~ x + g", jg.Gamma()),
        ("claims ~ x + offset(log(days))", jg.Poisson()),
    ],
    ids=["negative binomial", "cauchit", "gamma", "offset"],
)
def test_errors_of_predictions_are_those_of_the_result(
    formula: str, family: Any, me: Any, table: pd.DataFrame
) -> None:
    fit = jg.glm(formula, table, family).robust("HC0")
    found = me.predictions(jg.adapters.marginaleffects(fit, table))
    wanted = fit.get_prediction().summary_frame()
    close(found["estimate"], wanted["mean"])
    close(found["std_error"], wanted["mean_se"])


def test_other_covariances_and_student_t(me: Any, table: pd.DataFrame) -> None:
    fit = jg.glm("hours ~ x + g", table)
    model = jg.adapters.marginaleffects(fit, table)
    plain, robust = me.hypotheses(model), me.hypotheses(model, vcov="HC3")
    close(plain["p_value"], fit.pvalues)
    close(plain.select("conf_low", "conf_high"), fit.conf_int())
    close(robust["std_error"], fit.robust("HC3").bse)
    clustered = fit.robust(cluster="firm")
    model = jg.adapters.marginaleffects(clustered, table)
    close(me.hypotheses(model).select("conf_low", "conf_high"), clustered.conf_int())
    assert "std_error" not in me.avg_slopes(model, vcov=False).columns
    with pytest.raises(ValueError, match=r"result\.robust\(cluster="):
        me.avg_slopes(model, vcov={"cluster": "firm"})


def test_joint_tests_are_of_the_coefficients_named_or_refused(me: Any, table: pd.DataFrame) -> None:
    fit = jg.glm("hours ~ x + z", table)
    found = me.hypotheses(jg.adapters.marginaleffects(fit, table), joint=["x", "z"])
    close(found["p_value"], fit.wald_test("x, z").pvalue)
    counts = jg.glm("claims ~ x + z", table, "poisson")
    found = me.hypotheses(jg.adapters.marginaleffects(counts, table), joint=["x"])
    close(found["p_value"], counts.f_test("x").pvalue)
    other = jg.adapters.marginaleffects(jg.glm("hours ~ x + g", table), table)
    with pytest.raises(NotImplementedError, match="would test others than you mean"):
        me.hypotheses(other, joint=["x"])


def test_factors_of_numbers_and_the_order_of_levels(me: Any, table: pd.DataFrame) -> None:
    ordered = table.assign(g=pd.Categorical(table.g, ["c", "a", "b"]), late=table.year > 2003)
    fit = jg.glm("claims ~ C(year) + g + late:x", ordered, "poisson")
    found = me.avg_comparisons(jg.adapters.marginaleffects(fit, ordered), ["year", "g", "late"])
    assert found["contrast"].to_list() == [
        *("2004 - 2001", "2010 - 2001", "a - c", "b - c"),
        "True - False",
    ]
    means = [fit.predict(ordered.assign(year=year)).mean() for year in (2001, 2004, 2010)]
    close(found["estimate"][:2], np.subtract(means[1:], means[0]))


def test_tables_of_any_kind_names_of_any_kind_and_rows_with_gaps(
    me: Any, table: pd.DataFrame
) -> None:
    import polars as pl
    import pyarrow as pa

    gaps = table.rename(columns={"x": "my x", "z": "z.score"}).assign(
        note=[None, "seen"] * (N // 2)
    )
    gaps["g"] = gaps.g.astype(object)
    gaps.loc[3, "my x"] = gaps.loc[5, "claims"] = np.nan
    gaps.loc[7, "g"] = None
    fit = jg.glm("claims ~ `my x` + z.score + g", gaps, "poisson", missing="drop")
    assert fit.nobs == N - 3
    kinds = [gaps, pl.from_pandas(gaps), pa.Table.from_pandas(gaps), gaps.to_dict("list")]
    kinds.append({name: gaps[name].to_numpy() for name in gaps})
    for data in kinds:
        found = me.avg_predictions(jg.adapters.marginaleffects(fit, data))
        close(found["estimate"], gaps.claims.drop([3, 5, 7]).mean())
    found = me.avg_slopes(jg.adapters.marginaleffects(fit, gaps))
    assert found["term"].to_list() == ["g", "g", "my x", "z.score"]
    close(found["estimate"][2], fit.params["my x"] * gaps.claims.drop([3, 5, 7]).mean())


def test_an_exposure_beside_the_formula(me: Any, table: pd.DataFrame) -> None:
    beside = jg.glm("claims ~ x", table, "poisson", exposure="days")
    inside = jg.glm("claims ~ x + offset(log(days))", table, "poisson")
    named = jg.adapters.marginaleffects(beside, table, exposure="days")
    close(
        me.avg_slopes(named).select("estimate", "std_error"),
        me.avg_slopes(jg.adapters.marginaleffects(inside, table)).select("estimate", "std_error"),
        rtol=1e-3,  # of errors by their smallest steps
    )
    close(me.avg_slopes(named)["estimate"], beside.params["x"] * table.claims.mean())
    rate = me.avg_predictions(jg.adapters.marginaleffects(beside, table, exposure=1))
    close(rate["estimate"], beside.predict(table, exposure=1).mean())
    with pytest.raises(jg.DataError, match="fitted with exposure="):
        jg.adapters.marginaleffects(beside, table)
    with pytest.raises(jg.DataError, match="the name of a column or one number"):
        jg.adapters.marginaleffects(beside, table, exposure=table.days)


def test_aliased_columns_have_no_part_and_rows_that_differ_are_nan(
    me: Any, table: pd.DataFrame
) -> None:
    fit = jg.glm("claims ~ x + twice + z", table, "poisson", on_failure="ignore")
    plain = jg.glm("claims ~ x + z", table, "poisson")
    model = jg.adapters.marginaleffects(fit, table)
    assert me.hypotheses(model)["term"].to_list() == plain.names
    reference = jg.adapters.marginaleffects(plain, table)
    asked = {"variables": "z", "eps_vcov": STEP}
    columns = ["estimate", "std_error"]
    close(
        me.avg_slopes(model, **asked).select(columns),
        me.avg_slopes(reference, **asked).select(columns),
    )
    with pytest.warns(jg.JaxglmWarning, match="'twice' = 2 [*] 'x', but not in these"):
        assert np.isnan(me.avg_slopes(model, variables="x")["estimate"].to_numpy()).all()


def test_one_of_many_and_one_from_a_file(me: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    groups = jg.fit_groups("claims ~ x", table, by="g", family="poisson")
    of_a = table[table.g == "a"]
    found = me.avg_predictions(jg.adapters.marginaleffects(groups["a"], of_a))
    close(found["estimate"], of_a.claims.mean())
    groups["a"].save(tmp_path / "fit.jaxglm")
    again = jg.adapters.marginaleffects(jg.load(tmp_path / "fit.jaxglm"), of_a)
    close(me.avg_predictions(again)["estimate"], found["estimate"])
    with pytest.raises(TypeError, match=r"fits\[key\]"):
        jg.adapters.marginaleffects(groups, table)


def test_what_cannot_be_a_model_there_is_refused_in_words(me: Any, table: pd.DataFrame) -> None:
    wrap = jg.adapters.marginaleffects
    fit = jg.glm("claims ~ x + g", table, "poisson")
    with pytest.raises(TypeError, match="a result of jaxglm is needed, not a str"):
        wrap("claims ~ x", table)
    with pytest.raises(jg.DataError, match="model of arrays"):
        wrap(jg.GLM(table.claims, table[["x", "z"]], "poisson").fit(), table)
    with pytest.raises(jg.DataError, match="no column 'g' in the data"):
        wrap(fit, table[["x", "z"]])
    with pytest.raises(jg.DataError, match="no row with a value in each of"):
        wrap(fit, table.assign(x=np.nan))
    with pytest.raises(jg.DataError, match="column 'odd' does not go into a polars table"):
        wrap(fit, table.assign(odd=[{1}, "two"] * (N // 2)))
    above = table.assign(above=(table.x > 0).astype(int))
    with pytest.raises(jg.DataError, match=r"this fit has none\. Separation"):
        wrap(jg.glm("above ~ x", above, "binomial", on_failure="ignore"), above)


def test_without_the_package(table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = jg.glm("claims ~ x", table, "poisson")
    monkeypatch.delitem(sys.modules, "jaxglm.adapters._marginaleffects", raising=False)
    for name in [name for name in sys.modules if name.startswith("marginaleffects.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "marginaleffects", None)
    with pytest.raises(ImportError, match="pip install marginaleffects"):
        jg.adapters.marginaleffects(fit, table)
