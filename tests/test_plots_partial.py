"""Plots of one variable, of profiles, and of one coefficient in many fits."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

mpl.use("Agg")
import matplotlib.pyplot as plt

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(2)
N = 80
TABLE = pd.DataFrame(
    {
        "x": RNG.uniform(1, 9, N).round(2),
        "z": RNG.normal(size=N).round(2),
        "g": RNG.choice(["b", "a", "c"], N, p=[0.5, 0.3, 0.2]),
        "k": RNG.integers(1, 4, N),
        "ok": RNG.random(N) < 0.7,
        "t": RNG.uniform(1, 3, N).round(2),
    }
)
TABLE["y"] = RNG.poisson(np.exp(0.2 * TABLE.x + 0.3 * TABLE.z))
SHOPS = pd.DataFrame(
    {
        "shop": np.repeat([*"abcde"], 12),
        "week": np.tile(np.arange(12.0), 5),
        "sold": np.random.default_rng(4).poisson(3, 60),
    }
)
FORMULA = "y ~ log(x) * g + z + C(k, Sum) + ok + offset(log(t))"


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    yield
    plt.close("all")


@cache
def fit() -> jg.Results:
    return jg.glm(FORMULA, TABLE, "poisson")


@cache
def shops() -> jg.GroupResults:
    return jg.fit_groups("sold ~ week", SHOPS, "shop", "poisson")


def typical(**values: Any) -> pd.DataFrame:
    """Rows at typical values of `TABLE`."""
    common = {"z": TABLE.z.mean(), "g": "b", "ok": True, "k": TABLE.k.mode()[0]}
    common["t"] = TABLE.t.mean()
    return pd.DataFrame({"x": TABLE.x.mean()} | common | values)


# -- one variable --------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["mean", "linear"])
def test_the_effect_of_a_number_is_a_line_of_predictions(which: Any) -> None:
    plot = fit().plot.partial_effect("x", TABLE, which=which, alpha=0.1)
    x = np.linspace(TABLE.x.min(), TABLE.x.max(), 101)
    frame = fit().get_prediction(typical(x=x)).summary_frame(0.1, which)
    np.testing.assert_allclose(plot.data["value"], x)
    for name in frame:
        np.testing.assert_allclose(plot.data[name], frame[name])
    assert plot.ax.get_xlabel() == "x" and "y" in plot.ax.get_ylabel()
    assert ("log link" if which == "linear" else "response scale") in plot.ax.get_ylabel()


@pytest.mark.parametrize(
    ("name", "levels"), [("g", ["a", "b", "c"]), ("k", [1, 2, 3]), ("ok", [False, True])]
)
def test_the_effect_of_a_factor_has_its_levels(name: str, levels: list) -> None:
    plot = fit().plot.partial_effect(name, TABLE)
    frame = fit().get_prediction(typical(**{name: levels})).summary_frame()
    assert plot.data["value"].to_list() == levels
    np.testing.assert_allclose(plot.data["mean"], frame["mean"])
    assert [label.get_text() for label in plot.ax.get_yticklabels()] == [*map(str, levels)]


def test_other_variables_are_held_where_one_likes() -> None:
    plot = fit().plot.partial_effect("g", TABLE, at={"x": 2.0, "k": 3})
    frame = fit().predict(typical(g=["a", "b", "c"], x=2.0, k=3))
    np.testing.assert_allclose(plot.data["mean"], frame)


def test_the_table_is_not_needed_where_the_result_holds_its_variables() -> None:
    table = TABLE.assign(f=RNG.integers(0, 3, N))
    plain = jg.glm("y ~ x * g + z", table, "poisson", freq_weights="f")
    for name in ("x", "g"):
        first, second = (plain.plot.partial_effect(name, data).data for data in (None, table))
        pd.testing.assert_frame_equal(first, second)
    frame = plain.plot.partial_effect("g", at={"x": 2.0}).data
    z = np.average(TABLE.z, weights=table.f)
    expected = plain.predict(pd.DataFrame({"g": ["a", "b", "c"], "x": 2.0, "z": z}))
    np.testing.assert_allclose(frame["mean"], expected)


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("y ~ z + log(x)", "zx"),
        ("y ~ z * log(x) + offset(log(t))", "zxt"),
        ("y ~ z:g + C(k) + exp(t):g", "zgkt"),
        ("y ~ bs(z, df=4) + I(x > 3) + I(x * t)", "zxt"),
    ],
)
def test_variables_that_stand_only_inside_others_are_looked_up(formula: str, names: str) -> None:
    one = jg.glm(formula, TABLE, "poisson")
    for name in names:
        plots = [one.plot.partial_effect(name, data).data for data in (None, TABLE)]
        pd.testing.assert_frame_equal(*plots)
    rows = [one.plot.partial_residuals("z", data).data for data in (None, TABLE)]
    pd.testing.assert_frame_equal(*rows)


def test_what_is_held_at_a_value_is_not_looked_up() -> None:
    gone = jg.glm("y ~ z + log(x)", TABLE[["y", "z", "x"]].to_dict("list"), "poisson")
    effect = gone.plot.partial_effect("z", at={"x": 2.0}).data
    expected = gone.predict({"z": effect["value"].to_list(), "x": [2.0] * len(effect)})
    np.testing.assert_allclose(effect["mean"], expected)


def test_an_effect_at_a_separated_level_is_refused_with_what_to_do() -> None:
    table = TABLE.assign(won=np.where(TABLE.g == "b", 0, TABLE.k > 1).astype(int))
    one = jg.glm("won ~ z + g", table, "binomial", on_failure="ignore")
    for plot in (one.plot.partial_effect, one.plot.partial_residuals):
        with pytest.raises(jg.DataError, match=r"beside g = 'b' .* infinity .* at="):
            plot("z")
        assert np.isfinite(plot("z", at={"g": "a"}).data.iloc[:, 1]).all()
    assert one.plot.partial_effect("g").data["mean"].to_list()[1] == 0


def test_exposure_beside_the_formula_is_one() -> None:
    rates = jg.glm("y ~ x + z", TABLE, "poisson", exposure="t")
    plot = rates.plot.partial_effect("x", TABLE)
    b = rates.params
    expected = np.exp(b.Intercept + b.x * plot.data["value"] + b.z * TABLE.z.mean())
    np.testing.assert_allclose(plot.data["mean"], expected)


def test_the_effect_of_a_column_of_a_matrix() -> None:
    X = jg.add_constant(TABLE[["x", "z"]])
    freq = RNG.integers(0, 4, N)
    arrays = jg.GLM(TABLE.y, X, "poisson", freq_weights=freq).fit()
    plot = arrays.plot.partial_effect("z", which="linear")
    mean = np.average(TABLE.x, weights=freq)
    b = arrays.params
    np.testing.assert_allclose(
        plot.data["linear"], b.const + b.x * mean + b.z * plot.data["value"], rtol=1e-9
    )
    residuals = arrays.plot.partial_residuals("z").data
    live = freq > 0
    expected = b.const + b.x * mean + b.z * TABLE.z[live] + arrays.resid("working")[live]
    np.testing.assert_allclose(residuals["partial_residual"], expected, rtol=1e-9)
    with pytest.raises(jg.DataError, match="leave out data="):
        arrays.plot.partial_effect("z", TABLE)


def test_partial_residuals_are_working_residuals_on_the_effect() -> None:
    table = TABLE.copy()
    table.loc[[3, 9], "z"] = np.nan
    some = jg.glm(FORMULA, table, "poisson", missing="drop")
    kept = table.drop(index=[3, 9])
    plot = some.plot.partial_residuals("x", table)
    z, k = kept.z.mean(), kept.k.mode()[0]
    effect = some.predict(
        typical(x=kept.x, z=z, k=k, ok=bool(kept.ok.mode()[0]), t=kept.t.mean()), "linear"
    )
    expected = effect.to_numpy() + some.resid("working").to_numpy()
    np.testing.assert_allclose(plot.data["partial_residual"], expected)
    np.testing.assert_array_equal(plot.data["value"], kept.x)
    pd.testing.assert_frame_equal(
        plot.curve, some.plot.partial_effect("x", table, which="linear").data
    )
    factor = some.plot.partial_residuals("g", table)
    assert len(factor.data) == 78 and list(factor.curve["value"]) == ["a", "b", "c"]
    assert "log link" in factor.ax.get_xlabel()


def test_what_has_no_effect_to_plot_is_refused_in_words() -> None:
    gone = jg.glm(FORMULA, TABLE.copy(), "poisson")
    with pytest.raises(jg.DataError, match=r"'x' cannot be read .* Give it as well"):
        gone.plot.partial_effect("x")
    with pytest.raises(jg.DataError, match=r"'x' cannot be read .* at=\{'x': ...\}"):
        gone.plot.partial_effect("z")
    with pytest.raises(jg.DataError, match="at= holds each variable at one value"):
        fit().plot.partial_effect("x", TABLE, at={"z": [1, 2]})
    with pytest.raises(jg.DataError, match=r"by its name, one at a time, not \['x', 'g'\]"):
        fit().plot.partial_effect(["x", "g"])
    with pytest.raises(jg.DataError, match="'weight' is no variable of the model"):
        fit().plot.partial_effect("weight", TABLE)
    with pytest.raises(jg.DataError, match="'q' is no variable of the model"):
        fit().plot.partial_effect("x", TABLE, at={"q": 1})
    for other in (TABLE[:50], TABLE[::-1]):
        with pytest.raises(jg.DataError, match="not the rows that were given to the fit"):
            fit().plot.partial_residuals("x", other)


# -- profiles ------------------------------------------------------------------------------------


def test_the_profile_of_a_linear_model_is_straight() -> None:
    value = np.linspace(0.5, 2.5, 9)
    curve = pd.DataFrame({"value": value, "zeta": (value - 1.4) / 0.25})
    plot = jg.plots.profile(curve, "dose", alpha=0.1)
    np.testing.assert_allclose(plot.data.loc[0], [1.4 - 1.644854 * 0.25, 1.4 + 1.644854 * 0.25])
    profile, wald = (line for line in plot.ax.lines if len(line.get_xdata()) == 9)
    np.testing.assert_allclose(profile.get_ydata(), wald.get_ydata(), atol=1e-12)
    assert plot.ax.get_xlabel() == "Coefficient of dose (link scale)"
    short = jg.plots.profile(curve[4:], "dose")
    assert np.isnan(short.data.loc[0, "lower"]) and short.shown.startswith("95 % interval … to 1.")
    with pytest.raises(jg.DataError, match="rises with its 'value'"):
        jg.plots.profile(curve[::-1], "dose")
    with pytest.raises(jg.DataError, match="has the columns 'value' and 'zeta'"):
        jg.plots.profile(curve.rename(columns={"zeta": "z"}), "dose")


@pytest.mark.slow
@pytest.mark.parametrize("family", ["poisson", "gaussian"])
def test_the_profile_of_a_coefficient_has_its_profile_interval(family: str) -> None:
    plain = jg.glm("y ~ x", TABLE, family)
    ends = plain.conf_int(method="profile").loc["x"]
    np.testing.assert_allclose(plain.plot.profile("x").data.loc[0], ends, rtol=1e-4)


# -- many fits -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_segments_in_the_order_of_their_estimates() -> None:
    plot = shops().plot.segments("week", alpha=0.1)
    order = shops().params["week"].sort_values(ascending=False).index
    assert list(plot.data.index) == list(order)
    ends = shops().conf_int(0.1).xs("week", level="term").loc[order]
    np.testing.assert_array_equal(plot.data[["conf_low", "conf_high"]], ends)
    np.testing.assert_array_equal(plot.data["std_error"], shops().bse["week"][order])
    assert [label.get_text() for label in plot.ax.get_yticklabels()] == list(order)
    assert plot.shown == "5 segments" and plot.ax.get_title("left") == "week by shop"
    with pytest.raises(ValueError, match="no coefficient 'weak'; did you mean 'week'"):
        shops().plot.segments("weak")


@pytest.mark.slow
def test_a_segment_without_an_estimate_is_counted() -> None:
    table = pd.concat([SHOPS, pd.DataFrame({"shop": "f", "week": [1.0], "sold": [2]})])
    fits = jg.fit_groups("sold ~ week", table, "shop", "poisson", on_failure="ignore")
    plot = fits.plot.segments("week")
    assert plot.shown == "5 of 6 segments" and "f" not in plot.data.index


def test_more_segments_than_can_be_drawn_keep_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jaxglm.plots._many._MOST", 3)
    monkeypatch.setattr("jaxglm.plots._intervals.MOST_NAMED", 2)
    plot = shops().plot.segments("week")
    ordered = shops().params["week"].sort_values(ascending=False).index
    assert list(plot.data.index) == list(ordered[[0, 2, 4]])
    assert plot.shown == "5 segments, 3 of them drawn" and not plot.ax.get_yticks().size


def test_the_funnel_has_the_limits_of_one_coefficient() -> None:
    plot = shops().plot.funnel("week", alpha=0.1)
    estimate, se = shops().params["week"], shops().bse["week"]
    centre = np.average(estimate, weights=se**-2)
    np.testing.assert_allclose(plot.data["z"], (estimate - centre) / se)
    curve = plot.curve
    np.testing.assert_allclose(curve["centre"], centre)
    np.testing.assert_allclose((curve["upper"] - centre) * curve["precision"], 1.644854, rtol=1e-5)
    np.testing.assert_allclose(
        (centre - curve["outer_lower"]) * curve["precision"], 3.090232, rtol=1e-5
    )
    assert plot.shown.startswith("5 segments, 0 beyond")


@pytest.mark.slow
def test_many_responses_have_the_same_plots() -> None:
    table = TABLE.assign(y2=TABLE.y + 1)
    fits = jg.fit_responses("~ x + z", table, responses=["y", "y2"], family="poisson")
    plot = fits.plot.segments("z")
    assert set(plot.data.index) == {"y", "y2"} and plot.shown == "2 responses"
