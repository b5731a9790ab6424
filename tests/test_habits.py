"""Keywords, orders and names that users of statsmodels and R type: the same answers, or words."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import jaxglm as jg

TABLE = pd.DataFrame(
    {
        "y": [1, 0, 2, 3, 5, 8, 2, 4],
        "x": [0.0, 1, 2, 3, 4, 5, 1, 4],
        "g": list("aabbaabb"),
        "n": [9] * 8,
    }
)
X = jg.add_constant(TABLE[["x"]])


@pytest.fixture(scope="module")
def fit() -> jg.Results:
    return jg.glm("y ~ x", TABLE, "poisson")


@pytest.fixture(scope="module")
def groups() -> jg.GroupResults:
    return jg.fit_groups("y ~ x", TABLE, "g", "poisson", on_failure="ignore")


# A call is written as its users write it; a type checker would refuse it.
glm: Any = jg.glm
GLM: Any = jg.GLM
fit_groups: Any = jg.fit_groups
fit_responses: Any = jg.fit_responses


@pytest.mark.parametrize(
    "call",
    [
        lambda: glm(formula="y ~ x", data=TABLE, family="poisson", start_params=[0, 0], maxit=30),
        lambda: GLM(endog=TABLE.y, exog=X, family=sm.families.Poisson()).fit(maxiter=30, disp=0),
        lambda: GLM(TABLE.y, X, "poisson").fit(method="IRLS"),
        lambda: GLM.from_formula("y ~ x", TABLE, family="poisson").fit(maxiter=30),
    ],
)
def test_what_means_the_same_gives_the_same(fit: jg.Results, call: Callable) -> None:
    np.testing.assert_allclose(call().params, fit.params, rtol=1e-12)


def test_predict_as_elsewhere(fit: jg.Results, groups: jg.GroupResults) -> None:
    for result in (fit, groups):
        predict: Any = result.predict
        assert predict(newdata=TABLE, type="link").equals(predict(TABLE, "linear"))
        assert predict(exog=TABLE, transform=True).equals(predict(TABLE, "mean"))
        assert predict(TABLE, type="response").equals(predict(TABLE, "mean"))


@pytest.mark.parametrize("kind", ["response", "pearson", "deviance", "working"])
def test_residuals_as_in_r(fit: jg.Results, kind: str) -> None:
    resid: Any = fit.resid
    assert resid(type=kind).equals(resid(kind))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: glm("y ~ x", TABLE, weights="n"), "var_weights=.*freq_weights="),
        (lambda: GLM(TABLE.y, X, weights=TABLE.n), "var_weights=.*freq_weights="),
        (lambda: fit_groups("y ~ x", TABLE, "g", weights="n"), "var_weights=.*freq_weights="),
        (lambda: fit_responses("~ x", TABLE, ["y"], weights="n"), "var_weights=.*freq_weights="),
        (lambda: glm("y ~ x", TABLE, subset=TABLE.x > 0), "data.query"),
        (lambda: glm("y ~ x", TABLE, na_action="na.omit"), "missing='drop'"),
        (lambda: glm("y ~ x", TABLE, famly="poisson"), r"^glm\(\).*did you mean 'family'"),
        (lambda: glm("y ~ x", TABLE, by="g"), "fit_groups"),
        (lambda: glm("y ~ x", TABLE, start=[0, 0], start_params=[0, 0]), "start_params= is start="),
        (lambda: GLM(TABLE.y, X).fit(disp=True), "nothing is printed"),
        (lambda: GLM(TABLE.y, X).fit(use_t=True), "Student's t"),
        (lambda: fit_responses("~ x", TABLE, ["y"], cov_type="HC0"), r"robust\('HC1'\)"),
        (lambda: GLM(TABLE.y, X).fit(max_turn=1), "did you mean 'max_turns'"),
        (lambda: glm("y ~ x", TABLE).predict(TABLE, se_fit=True), "get_prediction"),
        (lambda: glm("y ~ x", TABLE).predict(TABLE, linear=True), "which='linear'"),
        (lambda: glm("y ~ x", TABLE).get_prediction(TABLE, which="mean"), "summary_frame"),
        (lambda: glm("y ~ x", TABLE, **{"na.action": "na.omit"}), "missing='drop'"),
        (lambda: glm("y ~ x", TABLE).conf_int(level=0.9), "alpha="),
        (lambda: glm("y ~ x", TABLE).fit(), "fitted already"),
        (lambda: glm("y ~ x", TABLE).summary(xname=["a"]), r"^summary\(\).*rename them"),
        (lambda: glm("y ~ x", TABLE).glance(level=1), r"^glance\(\).*alpha="),
        (lambda: glm("y ~ x", TABLE).overdispersion(trafo=1), r"^overdispersion\(\).*takes none"),
        (lambda: glm("y ~ x", TABLE).cov_params(r_matrix=[1]), r"^cov_params\(\).*R.T"),
        (lambda: glm("y ~ x", TABLE).tidy(exponentiate=True), r"^tidy\(\).*effects\(\)"),
        (lambda: glm("y ~ x", TABLE).conf_int(cols=[0]), r"^conf_int\(\).*loc"),
        (lambda: glm("y ~ x", TABLE).get_prediction().conf_int(lvl=0.9), r"^conf_int\(\).*alpha"),
        (lambda: glm("y ~ x", TABLE).bootstrap(), r"^bootstrap\(\): .*'seed'"),
        (lambda: glm("y ~ x", TABLE).predict(1, 2, 3), r"^predict\(\): too many"),
        (lambda: fit_groups("y ~ x", TABLE, "g").tidy(conf_level=0.9), r"^tidy\(\) has no"),
    ],
)
def test_another_keyword_says_what_to_write(call: Callable, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: glm(TABLE, "y ~ x"), r"glm\('y ~ x', data"),
        (lambda: fit_groups(TABLE, "y ~ x", "g"), r"fit_groups\('y ~ x', data"),
        (lambda: fit_responses(TABLE, "~ x", ["y"]), r"fit_responses\('~ x', data"),
        (lambda: glm(TABLE.y, X), r"jaxglm.GLM\(y, X, family=...\).fit\(\)"),
        (lambda: GLM("y ~ x", TABLE), r"jaxglm.glm\('y ~ x', data"),
        (lambda: GLM(TABLE, "y ~ x"), r"jaxglm.glm\('y ~ x', data"),
        (
            lambda: GLM(TABLE[["x", "y", "n"]], TABLE.y).fit(),
            "response comes first",
        ),
        (lambda: GLM(TABLE[["x", "y", "n"]], TABLE.y).fit_groups(TABLE.g), "response comes first"),
        (lambda: GLM(X, TABLE.y, "poisson").fit(), "response comes first"),
        (lambda: GLM(X.to_numpy(), TABLE.y.to_list()).fit_groups(TABLE.g), "response comes first"),
        (lambda: GLM(TABLE[["x", "y"]], X, "poisson").fit(), "binomial family.*poisson.*fit_resp"),
        (lambda: GLM(TABLE[["x", "y", "n"]], X).fit(), r"fit_responses\(\)"),
        (lambda: GLM.from_formula("y ~ x", TABLE).fit_groups("g"), r"jaxglm.fit_groups\(formula"),
        (lambda: GLM.from_formula("~ x", TABLE).fit_responses(), r"jaxglm.fit_responses\(formula"),
    ],
)
def test_another_order_says_what_to_write(call: Callable, words: str) -> None:
    with pytest.raises(jg.DataError, match=words):
        call()


@pytest.mark.parametrize("data", [5, [5], (1.0, 2.0), np.array([[1.0]]), TABLE.x])
def test_numbers_without_names_for_a_formula(fit: jg.Results, data: Any) -> None:
    with pytest.raises(jg.DataError, match=r"give a table or a dict, \{'x': \[...\]\}"):
        fit.predict(data)


def test_one_row_for_a_fit_of_arrays() -> None:
    fit = jg.GLM(TABLE.y, X, "poisson").fit()
    with pytest.raises(jg.DataError, match=r"2 \(const, x\); one row is written \[\[...\]\]"):
        fit.predict([1.0, 2.0])
    # A dict has names, as a frame has.
    assert fit.predict({"x": [2.0], "const": [1.0]}).equals(fit.predict([[1.0, 2.0]]))


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2), np.array(2.0)])
@pytest.mark.parametrize("name", ["offset", "exposure", "freq_weights", "var_weights"])
def test_one_number_holds_for_all_rows(name: str, number: Any) -> None:
    one, each = ({name: value} for value in (number, np.full(8, 2.0)))
    whole = jg.glm("y ~ x", TABLE, "poisson", **each)
    assert jg.glm("y ~ x", TABLE, "poisson", **one).params.equals(whole.params)
    assert jg.GLM(TABLE.y, X, "poisson", **one).fit().llf == whole.llf
    many = fit_responses("~ x", TABLE, ["y"], "poisson", **one)
    np.testing.assert_allclose(many.params.loc["y"], whole.params, rtol=1e-9)


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(jg.DataError, match="offset is a single bool"):
        jg.glm("y ~ x", TABLE, "poisson", offset=True)


def test_names_of_the_model(fit: jg.Results) -> None:
    assert fit.exog_names == fit.model.exog_names == ["Intercept", "x"]
    assert fit.endog_names == fit.model.endog_names == "y"


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (GLM(TABLE.y, X, "poisson"), ["const", "x"]),
        (GLM.from_formula("y ~ x + g", TABLE), ["Intercept", "x", "g[T.b]"]),
        (GLM([1, 0, 2, 3, 5, 8, 2, 4], X.to_numpy()), ["const", "x1"]),
    ],
)
def test_names_before_the_fit(model: Any, names: list[str]) -> None:
    assert model.exog_names == names == model.fit().names
    assert model.endog_names == "y" == model.fit().endog_names


def test_names_of_many_responses() -> None:
    assert GLM(TABLE[["x", "y", "n"]], X).exog_names == ["const", "x"]


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_model_is_copied(copied: Callable) -> None:
    assert copied(GLM(TABLE.y, X, "poisson")).exog_names == ["const", "x"]


def test_another_attribute_says_what_to_write(fit: jg.Results, groups: jg.GroupResults) -> None:
    for thing, name, words in (
        (fit, "mu", "write fittedvalues"),
        (fit, "vcov", r"write cov_params\(\)"),
        (groups, "coef", "write params"),
        (groups, "mu", r"write results\[key\].fittedvalues"),
        (fit.model, "exog", r"write result.design_matrix\(\)"),
        (GLM(TABLE.y, X), "exog", r"^GLM has no 'exog': write model.fit\(\).design_matrix\(\)"),
        (GLM(TABLE.y, X), "endog", "the response is what was given"),
        (GLM(TABLE.y, X), "fit_regularized", r"penalty=jg.ElasticNet\(alpha, L1_wt\)"),
        (GLM(TABLE.y, X), "nonsense", "'GLM' object has no attribute 'nonsense'"),
        (fit, "formula", "write model.formula"),
        (fit, "linear_predictor", r"write predict\(which='linear'\)"),
        (groups, "linear_predictor", r"write predict\(which='linear'\)"),
        (fit, "hat_matrix_diag", r"write get_influence\(\).hat_matrix_diag"),
        (groups, "wald_test", r"write results\[key\].wald_test"),
        (GLM(TABLE.y, X), "t_test", r"write model.fit\(\).t_test"),
        (fit, "linearHypothesis", "write wald_test"),
        (fit, "null", "null_deviance"),
        (fit, "nonsense", "no attribute 'nonsense'"),
        (fit, "failed", "status and notes say how a fit ended"),
        (groups, "effects", r"write results\[key\].effects"),
        (groups, "get_influence", r"write results\[key\].get_influence"),
        (groups, "aic", r"write glance\(\)\['aic'\]"),
        (fit.plot, "segments", "plot.segments is a plot of jaxglm.fit_groups and"),
        (fit.plot, "resid", "no plot.resid; did you mean 'residuals'"),
        (groups.plot, "coefficients", r"write results\[key\].plot.coefficients"),
        (groups.plot, "nonsense", "no plot.nonsense; there is segments, funnel"),
    ):
        with pytest.raises(AttributeError, match=words):
            getattr(thing, name)


def test_four_plots_are_of_one_fit(groups: jg.GroupResults) -> None:
    plots: Any = groups.plot
    with pytest.raises(TypeError, match=r"results\[key\].plot\(\); of many fits .* segments"):
        plots()


def test_what_is_written_instead_is_there(fit: jg.Results) -> None:
    from jaxglm.words import _habits

    for ours in _habits._ATTRIBUTES.values():
        eval(f"fit.{ours}", {"fit": fit, "scale": fit.scale})


def test_the_error_of_a_property_is_its_own() -> None:
    class Broken(jg.Results):
        @property
        def notes(self) -> Any:
            return self.no_such_thing

    results = jg.glm("y ~ x", TABLE)
    with pytest.raises(AttributeError, match="no_such_thing"):
        Broken(results.fit, results.model).notes  # noqa: B018


def test_results_are_copied_and_pickled_as_before(fit: jg.Results) -> None:
    assert pickle.loads(pickle.dumps(fit)).params.equals(fit.params)
    assert copy.deepcopy(fit).params.equals(fit.params)


def test_warnings_point_to_the_call() -> None:
    frame = TABLE.assign(twice=2 * TABLE.x)
    calls: list[Callable] = [
        lambda: jg.glm("y ~ x + twice", frame),
        lambda: jg.GLM(frame.y, frame[["x", "twice"]]).fit(),
    ]
    for call in calls:
        with pytest.warns(jg.RankWarning) as caught:
            call()
        assert caught[0].filename == __file__
