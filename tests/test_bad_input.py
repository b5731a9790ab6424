"""Input that cannot be used is refused with the column, the rows and the remedy; or flagged.

Nothing is silently dropped, clipped or paired by position.
"""

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

N = 12


def table(**columns: Any) -> pd.DataFrame:
    """A small table of counts that fits without a word; columns replace its own."""
    x = np.linspace(-1.0, 1.0, N)
    made = {
        "y": np.array([1, 0, 2, 1, 3, 2, 2, 4, 3, 5, 4, 6.0]),
        "age": x,
        "height": x**2,
        "group": np.array(["a", "b", "c"])[np.arange(N) % 3],
    }
    return pd.DataFrame({**made, **columns})


def with_value(name: str, row: int, value: float) -> pd.DataFrame:
    frame = table()
    frame.loc[row, name] = value
    return frame


def by_arrays(frame: pd.DataFrame, family: Any = "poisson", **given: Any) -> jg.Results:
    X = jg.add_constant(frame[["age", "height"]])
    return jg.GLM(frame["y"], X, family, **given).fit()


def by_formula(frame: pd.DataFrame, family: Any = "poisson", **given: Any) -> jg.Results:
    return jg.glm("y ~ age + height", frame, family, **given)


DOORS = pytest.mark.parametrize("fit", [by_arrays, by_formula])
Fit = Callable[..., jg.Results]


def refuses(*words: str) -> Any:
    """An error whose message has every word, in any order and case."""
    pattern = "(?is)" + "".join(f"(?=.*{word})" for word in words)
    return pytest.raises(jg.DataError, match=pattern)


@DOORS
def test_the_table_itself_fits(fit: Fit) -> None:
    assert fit(table()).converged


# -- missing and infinite values -----------------------------------------------------------------


@DOORS
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_column_with_a_value_that_is_not_finite(fit: Fit, value: float) -> None:
    word = "missing|nan" if np.isnan(value) else "inf|finite"
    with refuses("height", r"\b7\b", f"({word})"):
        fit(with_value("height", 7, value))


@DOORS
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_response_that_is_not_finite(fit: Fit, value: float) -> None:
    with refuses(r"(\by\b|response)", r"\b5\b"):
        fit(with_value("y", 5, value))


def test_array_column_without_a_name_is_counted() -> None:
    frame = table()
    X = frame[["age", "height"]].to_numpy().copy()
    X[3, 1] = np.nan
    with refuses(r"(\b1\b|x2)", r"\b3\b"):
        jg.GLM(frame["y"].to_numpy(), X, "poisson").fit()


@DOORS
@pytest.mark.parametrize("name", ["freq_weights", "var_weights", "offset", "exposure"])
def test_nan_in_a_companion_array(fit: Fit, name: str) -> None:
    with refuses(name, r"\b4\b"):
        fit(table(), **{name: np.where(np.arange(N) == 4, np.nan, 1.0)})


@DOORS
def test_missing_rows_can_be_dropped_and_are_counted(fit: Fit) -> None:
    frame = with_value("height", 7, np.nan)
    results = fit(frame, missing="drop")
    assert results.nobs == N - 1
    assert any(re.search(r"\b1\b.*row|row.*\b1\b", note) for note in results.notes), results.notes
    assert np.allclose(results.params, fit(frame.drop(index=7)).params, rtol=1e-12)
    assert list(results.fittedvalues.index) == [i for i in range(N) if i != 7]


@DOORS
def test_infinity_is_not_a_missing_value(fit: Fit) -> None:
    with refuses("height", r"\b7\b"):
        fit(with_value("height", 7, np.inf), missing="drop")


# -- the response --------------------------------------------------------------------------------

OUTSIDE = [
    ("poisson", -1.0),
    ("binomial", 1.5),
    ("binomial", -1.0),
    ("gamma", 0.0),
    ("inverse_gaussian", 0.0),
    (jg.Tweedie(power=1.5), -0.5),
    (jg.NegativeBinomial(alpha=1.0), -1.0),
    ("quasipoisson", -1.0),
]


@DOORS
@pytest.mark.parametrize(("family", "value"), OUTSIDE, ids=str)
def test_response_outside_the_support(fit: Fit, family: Any, value: float) -> None:
    inside = np.full(N, 0.5) + np.arange(N) / 100
    frame = table(y=np.where(np.arange(N) == 6, value, inside))
    with refuses(r"(\by\b|response)", r"\b6\b"):
        fit(frame, family)


def test_labels_minus_one_and_one_are_refused() -> None:
    frame = table(y=np.where(np.arange(N) % 2 == 0, -1.0, 1.0))
    with refuses("binomial"):
        by_formula(frame, "binomial")


def test_three_labels_are_refused() -> None:
    frame = table(y=np.array(["no", "yes", "maybe"])[np.arange(N) % 3])
    with refuses(r"\by\b", "maybe"):
        by_formula(frame, "binomial")


def test_two_labels_name_their_event() -> None:
    labels = np.array(["stays", "leaves"])[np.array([0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0])]
    frame = table(y=labels)
    results = by_formula(frame, "binomial")
    assert "stays" in str(results.summary())
    numbers = by_formula(table(y=(labels == "stays") * 1.0), "binomial")
    assert np.allclose(results.params, numbers.params, rtol=1e-10)


def test_labels_for_a_count_model_are_refused() -> None:
    with refuses(r"\by\b"):
        by_formula(table(y=np.array(["low", "high"])[np.arange(N) % 2]))


def test_more_successes_than_trials() -> None:
    successes, failures = np.arange(N) * 1.0, np.where(np.arange(N) == 8, -1.0, 3.0)
    frame = table(s=successes, f=failures)
    with refuses(r"\b8\b"):
        jg.GLM(frame[["s", "f"]], jg.add_constant(frame[["age"]]), "binomial").fit()
    with refuses(r"\b8\b"):
        jg.glm("cbind(s, f) ~ age", frame, "binomial")


# -- weights, offsets ----------------------------------------------------------------------------


@DOORS
@pytest.mark.parametrize("name", ["freq_weights", "var_weights"])
def test_negative_weight(fit: Fit, name: str) -> None:
    with refuses(name, r"\b2\b", "negative|0 or more|below"):
        fit(table(), **{name: np.where(np.arange(N) == 2, -1.0, 1.0)})


@DOORS
@pytest.mark.parametrize("name", ["freq_weights", "var_weights"])
def test_all_weights_zero(fit: Fit, name: str) -> None:
    with refuses("weight"):
        fit(table(), **{name: np.zeros(N)})


@DOORS
def test_exposure_that_is_not_positive(fit: Fit) -> None:
    with refuses("exposure", r"\b9\b"):
        fit(table(), exposure=np.where(np.arange(N) == 9, 0.0, 1.0))


@DOORS
@pytest.mark.parametrize("name", ["freq_weights", "var_weights", "offset", "exposure"])
def test_companion_array_of_another_length(fit: Fit, name: str) -> None:
    with refuses(name, rf"\b{N}\b", r"\b5\b"):
        fit(table(), **{name: np.ones(5)})


@DOORS
def test_trials_belong_to_binomial_models(fit: Fit) -> None:
    with refuses("trials", "binomial"):
        fit(table(), "poisson", trials=np.full(N, 10.0))


# -- shapes and types ----------------------------------------------------------------------------


def test_no_rows() -> None:
    with refuses("row"):
        jg.GLM(np.empty(0), np.empty((0, 2)), "poisson").fit()
    with refuses("row"):
        by_formula(table().head(0))


def test_no_columns() -> None:
    with refuses("column"):
        jg.GLM(np.arange(5.0), np.empty((5, 0)), "poisson").fit()
    with refuses("column|term|intercept"):
        jg.glm("y ~ 0", table(), "poisson")


def test_mismatched_lengths_give_both() -> None:
    with refuses(r"\b9\b", r"\b10\b"):
        jg.GLM(np.arange(9.0), np.ones((10, 1)), "poisson").fit()


def test_the_same_index_in_another_order_is_aligned() -> None:
    frame = table()
    X, order = jg.add_constant(frame[["age"]]), np.arange(N)[::-1]
    aligned = jg.GLM(frame["y"].iloc[order], X, "poisson").fit()
    assert np.allclose(aligned.params, jg.GLM(frame["y"], X, "poisson").fit().params, rtol=1e-12)


def test_indexes_that_do_not_match() -> None:
    frame = table()
    y = frame["y"].set_axis(np.arange(100, 100 + N))
    with refuses("index"):
        jg.GLM(y, frame[["age"]], "poisson").fit()


def test_complex_and_text_arrays() -> None:
    X = np.ones((N, 1))
    y = table()["y"].to_numpy()
    with refuses("complex|real"):
        jg.GLM(y, X + 0j, "poisson").fit()
    with refuses("numeric|number|text|string"):
        jg.GLM(y, np.full((N, 1), "a", dtype=object), "poisson").fit()
    with refuses("group", "numeric|number|text|string|formula"):
        jg.GLM(y, table()[["age", "group"]], "poisson").fit()


@DOORS
@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_column_whose_squares_cannot_be_represented(fit: Fit, size: float) -> None:
    with refuses("height", "rescale|unit"):
        fit(table(height=size * table()["height"]))


def test_object_column_with_mixed_content() -> None:
    values = [*list(range(N - 1)), "twelve"]
    with refuses("height", rf"(\b{N - 1}\b|twelve)"):
        by_formula(table(height=np.array(values, dtype=object)))


def test_object_column_of_numbers_is_numeric() -> None:
    frame = table()
    results = by_formula(frame.assign(height=frame["height"].astype(object)))
    assert np.allclose(results.params, by_formula(frame).params, rtol=1e-12)


@pytest.mark.parametrize("name", ["poison", "normal distribution", 3])
def test_unknown_family(name: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"(?i)family|poisson"):
        by_formula(table(), name)


def test_link_that_cannot_reach_the_means_of_the_family() -> None:
    with pytest.raises(ValueError, match="logit"):
        jg.GLM(table()["y"], jg.add_constant(table()[["age"]]), "poisson", link="logit").fit()


def test_response_among_its_own_predictors() -> None:
    with refuses(r"'y'"):
        jg.glm("y ~ age + y", table(), "poisson")


@pytest.mark.parametrize("name", ["missing", "method", "dtype", "on_failure", "rank", "compress"])
def test_argument_outside_its_choices(name: str) -> None:
    with pytest.raises((ValueError, TypeError), match="nonsense"):
        by_formula(table(), **{name: "nonsense"})


# -- columns that carry nothing new --------------------------------------------------------------


def rank_deficient(fit: Fit, frame: pd.DataFrame, column: str) -> None:
    with pytest.warns(jg.RankWarning, match=rf"\b{column}\b"):
        results = fit(frame)
    assert np.isnan(results.params[column]) and np.isnan(results.bse[column])
    assert column in " ".join(results.notes)


@DOORS
def test_duplicated_column_is_named(fit: Fit) -> None:
    rank_deficient(fit, table(height=table()["age"]), "height")


def test_constant_column_is_named() -> None:
    frame = table(height=np.full(N, 3.7))
    rank_deficient(by_formula, frame, "height")
    rank_deficient(
        lambda f: jg.GLM(f["y"], f[["const", "age", "height"]], "poisson").fit(),
        frame.assign(const=1.0),
        "height",
    )


@DOORS
def test_rank_deficiency_can_be_an_error(fit: Fit) -> None:
    frame = table(height=table()["age"])
    with refuses("height"):
        if fit is by_formula:
            jg.glm("y ~ age + height", frame, "poisson", rank="raise")
        else:
            X = jg.add_constant(frame[["age", "height"]])
            jg.GLM(frame["y"], X, "poisson").fit(rank="raise")


def test_more_columns_than_rows() -> None:
    X = jg.add_constant(np.random.default_rng(3).normal(size=(4, 6)))
    with pytest.warns(jg.RankWarning):
        results = jg.GLM(np.array([1.0, 3.0, 2.0, 5.0]), X, "gaussian").fit()
    assert results.fit.aliased.sum() == X.shape[1] - 4
    assert np.allclose(results.fittedvalues, [1.0, 3.0, 2.0, 5.0])
    assert np.isnan(results.scale)


# -- estimates that do not exist -----------------------------------------------------------------


@DOORS
def test_column_without_a_finite_estimate_is_named(fit: Fit) -> None:
    frame = table(height=(np.arange(N) % 3 == 0) * 1.0)
    frame["y"] = np.where(frame["height"] == 1, 0.0, frame["y"])
    with pytest.warns(jg.SeparationWarning, match="height"):
        results = fit(frame)
    assert not results.converged
    assert [n for n, i in zip(results.names, results.fit.infinite, strict=True) if i] == ["height"]
    with pytest.raises(jg.FitError, match="height"):
        if fit is by_formula:
            jg.glm("y ~ age + height", frame, "poisson", on_failure="raise")
        else:
            X = jg.add_constant(frame[["age", "height"]])
            jg.GLM(frame["y"], X, "poisson").fit(on_failure="raise")


@pytest.mark.parametrize("rows", ["a group", "all"])
def test_negative_responses_under_a_log_link_pull_their_means_to_zero(rows: str) -> None:
    group = np.arange(N) % 4 == 0
    negative = group if rows == "a group" else np.full(N, True)
    frame = table(y=np.where(negative, -1.0, 2.0 + np.sin(np.arange(N))), group=group * 1.0)
    with pytest.warns(jg.SeparationWarning, match="group|Intercept"):
        results = jg.glm("y ~ age + group", frame, "gaussian", link="log")
    assert not results.converged


@pytest.mark.slow
def test_negative_binomial_shape_beside_an_infinite_coefficient() -> None:
    """The other rows are overdispersed, and their shape is still what is estimated."""
    frame = pd.DataFrame({"y": [0, 9, 1, 30, 2, 14, 0, 3, 50, 1] * 3, "x": np.arange(30) / 30})
    alone = jg.glm("y ~ x", frame, "nb")
    zeros = pd.DataFrame({"y": np.zeros(10), "x": np.linspace(0, 1, 10)})
    both = pd.concat([frame.assign(g=0.0), zeros.assign(g=1.0)], ignore_index=True)
    with pytest.warns(jg.SeparationWarning, match=r"\bg\b"):
        results = jg.glm("y ~ x + g", both, "nb")
    assert np.isclose(results.family.alpha, alone.family.alpha, rtol=1e-6)
    assert np.allclose(results.params.iloc[:2], alone.params, rtol=1e-5)
    assert np.allclose(results.bse.iloc[:2], alone.bse, rtol=1e-5)


# -- prediction ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_groups() -> jg.Results:
    return jg.glm("y ~ age + group", table(), "poisson")


def test_predict_without_a_column(with_groups: jg.Results) -> None:
    with refuses(r"\bage\b"):
        with_groups.predict(table().drop(columns="age"))


def test_predict_with_an_unseen_level(with_groups: jg.Results) -> None:
    new = table(group=np.where(np.arange(N) == 4, "zebra", "a"))
    with refuses("group", "zebra", r"\b4\b"):
        with_groups.predict(new)
    base = with_groups.predict(new, unseen="base")
    assert np.allclose(base, with_groups.predict(table(group="a")), rtol=1e-12)


def test_predict_gives_one_row_per_row(with_groups: jg.Results) -> None:
    with pytest.warns(jg.DataWarning, match=r"1 row \(3\), which gets nan: a predictor"):
        predicted = with_groups.predict(with_value("age", 3, np.nan))
    assert len(predicted) == N
    assert list(np.flatnonzero(predicted.isna())) == [3]


def test_predict_needs_the_offset_of_the_fit() -> None:
    results = by_formula(table(), offset=np.zeros(N))
    with refuses("offset"):
        results.predict(table().head(3))


def test_predict_with_another_number_of_columns() -> None:
    results = by_arrays(table())
    with refuses(r"\b3\b", r"\b2\b"):
        results.predict(np.ones((4, 2)))


def test_formula_with_an_unknown_column() -> None:
    with refuses("heigth", "height"):
        jg.glm("y ~ age + heigth", table(), "poisson")


def test_transform_that_makes_infinities() -> None:
    with refuses(r"log\(age\)"):
        jg.glm("y ~ log(age)", table(age=np.arange(N) * 1.0), "poisson")


ROWS = table()
OF_GLM = ("method", "missing", "on_failure", "rank", "dtype", "compress", "keep_data")
OF_GLM += ("tol", "max_turns", "start")


def glm_with(name: str, value: Any) -> jg.Results:
    return jg.glm("y ~ age", ROWS, "poisson", **{name: value})


PLAIN: dict[str, Callable[[Any], Any]] = {
    name: functools.partial(glm_with, name) for name in OF_GLM
}
PLAIN |= {
    "proportions": lambda value: jg.glm("y ~ age", ROWS, "binomial", proportions=value),
    "has_constant": lambda value: jg.add_constant(ROWS[["age"]], has_constant=value),
    "which": lambda value: _plain_fit().predict(ROWS, which=value),
    "type": lambda value: _plain_fit().predict(ROWS, type=value),
    "disp": lambda value: jg.GLM(ROWS.y, ROWS[["age"]], "poisson").fit(disp=value),
    "unseen": lambda value: _plain_fit().predict(ROWS, unseen=value),
    "kind": lambda value: _plain_fit().resid(value),
    "sparse": lambda value: _plain_fit().design_matrix(sparse=value),
    "alpha": lambda value: _plain_fit().conf_int(value),
    "theta": lambda value: jg.NegativeBinomial(**{"theta": value}),
    "max_memory": lambda value: jg.fit_groups(
        "y ~ age", ROWS, "group", "poisson", max_memory=value
    ),
}


@functools.cache
def _plain_fit() -> jg.Results:
    return jg.glm("y ~ age", ROWS, "poisson")


@pytest.mark.parametrize("name", PLAIN)
def test_an_array_in_place_of_a_plain_argument_is_answered_with_what_may_be_given(
    name: str,
) -> None:
    said = "which" if name == "type" else name
    for value in (np.array(["a", "b"]), ["a"], {"a": 1}, ROWS.y, object()):
        with pytest.raises((TypeError, ValueError), match=rf"{said}.* must |argument '{said}':"):
            PLAIN[name](value)


@pytest.mark.parametrize("value", [np.array(["a", "b"]), ["a"], ROWS.y, abs])
def test_functions_of_a_formula_are_given_by_name(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^context must be a dict of functions by name, not a "):
        glm_with("context", value)


def test_as_much_memory_as_there_is() -> None:
    fits = jg.fit_groups("y ~ 1", ROWS, "group", "poisson", max_memory=float("inf"))
    assert fits.converged.all()
