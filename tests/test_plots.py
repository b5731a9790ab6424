"""Plots of one fit: the numbers drawn are those of the tables, and the axes say what they are."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import special

import jaxglm as jg
from jaxglm.plots import _marks, _quantiles
from jaxglm.plots._figure import axes, inks
from jaxglm.plots._smooth import smooth

mpl.use("Agg")
import matplotlib.pyplot as plt

STAFF = jg.datasets.load_hr(n=120, seed=3)
STAFF["team"] = np.random.default_rng(1).choice(["ops", "sales", "lab"], 120, p=[0.5, 0.3, 0.2])
STAFF.index = [f"r{i}" for i in range(120)]
PIECES = {
    "y": [0, 1, 0, 1, 2, 3, 1, 4],
    "x": [0.0, 1, 2, 3, 4, 5, 6, 7],
    "f": [1, 2, 3, 1, 2, 1, 3, 2],
}
SEPARATED = pd.DataFrame({"y": [0, 0, 0, 1, 0, 1], "g": [*"aabbcc"], "x": [1.0, 2, 1, 2, 1, 2]})


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    yield
    plt.close("all")


@cache
def leavers() -> jg.Results:
    return jg.glm("left ~ salary + team", STAFF, "binomial")


@cache
def counts() -> jg.Results:
    return jg.glm("sick_days ~ salary + team", STAFF, "poisson")


@cache
def separated() -> jg.Results:
    with pytest.warns(jg.SeparationWarning):
        return jg.glm("y ~ g", SEPARATED, "binomial")


def drawn(ax: Any, kind: str) -> list[Any]:
    return [artist for artist in ax.get_children() if type(artist).__name__ == kind]


# -- coefficients --------------------------------------------------------------------------------


def test_coefficients_are_the_rows_of_tidy() -> None:
    fit = leavers().robust("HC1")
    plot = fit.plot.coefficients(alpha=0.1)
    expected = fit.tidy(0.1).set_index("term").drop("Intercept")
    pd.testing.assert_frame_equal(plot.data, expected)
    (dots,) = (line for line in plot.ax.lines if len(line.get_xdata()) == 3)
    np.testing.assert_array_equal(dots.get_xdata(), expected["estimate"])
    segments = drawn(plot.ax, "LineCollection")[0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in segments], expected[["conf_low", "conf_high"]])
    assert plot.ax.get_xlabel() == "Coefficient (logit link), 90 % interval, HC1"
    names = [label.get_text() for label in plot.ax.get_yticklabels()]
    assert names == list(expected.index)
    assert plot.ax.get_title("left") == "Coefficients of left"


def test_terms_are_chosen_and_ordered() -> None:
    plot = leavers().plot.coefficients(terms=["team[T.sales]", "Intercept"])
    assert list(plot.data.index) == ["team[T.sales]", "Intercept"]
    with pytest.raises(ValueError, match="no coefficient 'salry'; did you mean 'salary'"):
        leavers().plot.coefficients(terms=["salry"])
    only = jg.glm("left ~ 1", STAFF, "binomial").plot.coefficients()
    assert list(only.data.index) == ["Intercept"]


def test_ratios_are_those_of_effects_on_a_log_axis() -> None:
    plot = counts().plot.ratios()
    pd.testing.assert_frame_equal(plot.data, counts().effects())
    assert plot.ax.get_xscale() == "log"
    assert plot.ax.get_xlabel() == "Rate ratio (log axis), 95 % interval"
    ticks = [label.get_text() for label in plot.ax.get_xticklabels()]
    assert "1" in ticks and len(ticks) >= 3
    with pytest.raises(ValueError, match="no standard meaning"):
        jg.glm("left ~ salary", STAFF, jg.Binomial(link="probit")).plot.ratios()


@pytest.mark.parametrize("kind", ["coefficients", "ratios"])
def test_infinite_estimates_are_arrows_and_open_ones_are_said(kind: str) -> None:
    with pytest.warns(jg.JaxglmWarning):
        fit = jg.glm("y ~ g + x + z", SEPARATED.assign(z=2 * SEPARATED.x), "binomial")
    plot = getattr(fit.plot, kind)()
    infinite = np.isinf(fit.params.drop("Intercept")).sum()
    arrows = sum(len(line.get_xdata()) for line in plot.ax.lines if line.get_marker() in "<>")
    assert infinite > 0 and arrows == infinite
    assert "not determined" in [text.get_text() for text in plot.ax.texts]
    low, high = plot.ax.get_xlim()
    assert np.isfinite([low, high]).all()


# -- residuals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["linear", "mean"])
def test_residuals_against_fitted_values(which: Any) -> None:
    plot = counts().plot.residuals("deviance", which=which)
    np.testing.assert_array_equal(plot.data["fitted"], counts().predict(which=which))
    np.testing.assert_array_equal(plot.data["residual"], counts().resid("deviance"))
    assert list(plot.data.index) == list(STAFF.index)
    scale = "log link" if which == "linear" else "response scale"
    assert scale in plot.ax.get_xlabel() and "sick_days" in plot.ax.get_xlabel()
    assert plot.shown == "120 rows" and repr(plot) == "<jaxglm.Plot 'Residuals': 120 rows>"


def test_rows_that_do_not_count_and_those_at_infinity_are_left_out() -> None:
    table = pd.DataFrame(PIECES)
    fit = jg.glm("y ~ x", table, "poisson", freq_weights=[1, 1, 0, 1, 1, 1, 1, 1])
    plot = fit.plot.residuals()
    assert list(plot.data.index) == [0, 1, 3, 4, 5, 6, 7] and plot.shown == "7 rows"
    at_infinity = separated().plot.residuals()
    finite = np.isfinite(separated().predict(which="linear")).sum()
    assert 0 < finite < 6 and len(at_infinity.data) == finite
    assert at_infinity.shown == f"{finite} of 6 rows (others not finite)"


def test_the_line_has_the_means_of_bins() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=1000), rng.normal(size=1000)
    line = smooth(x, y, np.ones(1000))
    groups = pd.DataFrame({"x": x, "y": y}).groupby(pd.qcut(x, len(line)))
    np.testing.assert_allclose(line["rows"], groups.size(), atol=1)
    np.testing.assert_allclose(line["x"], groups["x"].mean(), atol=0.02)
    np.testing.assert_allclose(line["mean"], groups["y"].mean(), atol=0.02)
    error = groups["y"].std() / np.sqrt(groups.size())
    np.testing.assert_allclose((line["upper"] - line["lower"]) / 4, error, rtol=0.05)


def test_frequencies_are_repeated_rows() -> None:
    table = pd.DataFrame(PIECES)
    once = jg.glm("y ~ x", table, "poisson", freq_weights="f")
    again = jg.glm("y ~ x", table.loc[table.index.repeat(table["f"])], "poisson")
    for name in ("residuals", "scale_location"):
        first, second = getattr(once.plot, name)(), getattr(again.plot, name)()
        pd.testing.assert_frame_equal(first.curve, second.curve, rtol=1e-6)
        assert first.data["rows"].sum() == second.data["rows"].sum() == 15
    first, second = once.plot.qq(), again.plot.qq()
    middle = second.data.groupby(second.data["residual"].round(9))["quantile"]
    ranks = (second.data["residual"].rank(method="average").unique() - 0.5) / 15
    np.testing.assert_allclose(first.data["quantile"], special.ndtri(ranks), rtol=1e-9)
    assert len(middle) == len(first.data)
    pd.testing.assert_frame_equal(first.curve, second.curve, atol=1e-6)
    first, second = once.plot.leverage(), again.plot.leverage()
    np.testing.assert_allclose(
        np.repeat(first.data["leverage"], table["f"]), second.data["leverage"], rtol=1e-6
    )
    np.testing.assert_allclose(
        *(
            p.data["mean"]
            for p in (
                once.plot.partial_effect("x", table),
                again.plot.partial_effect("x", table.loc[table.index.repeat(table["f"])]),
            )
        ),
        rtol=1e-6,
    )


def test_size_of_residuals() -> None:
    data = counts().plot.scale_location().data
    expected = np.sqrt(np.abs(counts().rstandard("deviance")))
    np.testing.assert_allclose(data["root_size"], expected)


def test_leverage_with_contours_of_cooks_distance() -> None:
    plot = counts().plot.leverage()
    influence = counts().get_influence()
    np.testing.assert_allclose(plot.data["leverage"], influence.hat_matrix_diag)
    np.testing.assert_allclose(plot.data["residual"], influence.resid_studentized)
    h, r = plot.curve["leverage"], plot.curve["residual"]
    rank = len(counts().params)
    np.testing.assert_allclose(r**2 * h / ((1 - h) * rank), plot.curve["cooks_distance"])
    largest = influence.cooks_distance.nlargest(3).index
    assert set(largest) <= {text.get_text() for text in plot.ax.texts}


# -- quantiles -----------------------------------------------------------------------------------


def test_quantiles_of_residuals_in_their_order() -> None:
    fit = jg.glm("salary ~ overtime_hours", STAFF)
    plot = fit.plot.qq()
    scaled = (fit.resid("deviance") / np.sqrt(fit.scale)).sort_values()
    np.testing.assert_allclose(plot.data["residual"], scaled)
    assert list(plot.data.index) == list(scaled.index)
    u = (np.arange(120) + 0.5) / 120
    np.testing.assert_allclose(plot.data["quantile"], special.ndtri(u))
    half = fit.plot.qq(half=True).data
    np.testing.assert_allclose(half["residual"], np.sort(np.abs(scaled)))
    np.testing.assert_allclose(half["quantile"], special.ndtri((1 + u) / 2))


def test_the_envelope_of_normal_residuals_is_that_of_order_statistics() -> None:
    curve = jg.glm("salary ~ overtime_hours", STAFF).plot.qq().curve
    rank = np.arange(1, 121)
    for name, level in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
        exact = special.ndtri(special.betaincinv(rank, 121 - rank, level))
        known = np.abs(exact) < 2.5
        np.testing.assert_allclose(curve[name][known], exact[known], atol=0.04)


def test_the_envelope_of_counts_is_that_of_samples() -> None:
    """Against samples of all rows, drawn one by one."""
    fit, curve = counts(), counts().plot.qq(seed=2).curve
    rng = np.random.default_rng(5)
    mean = fit.predict().to_numpy()
    y = rng.poisson(mean, (2000, 120))
    unit = special.xlogy(y, y / mean) - (y - mean)
    samples = np.sort(np.sign(y - mean) * np.sqrt(2 * unit), axis=1)
    np.testing.assert_allclose(curve["median"], np.median(samples, axis=0), atol=0.12)
    inside = (samples >= curve["lower"].to_numpy()) & (samples <= curve["upper"].to_numpy())
    share = inside[:, 2:-2].mean(axis=0)
    assert share.min() > 0.92 and 0.94 < share.mean() < 0.985


def test_quantile_residuals_have_the_envelope_of_a_normal_sample() -> None:
    plot = counts().plot.qq("quantile", seed=3)
    ordered = counts().resid("quantile", seed=3).sort_values()
    np.testing.assert_array_equal(plot.data["residual"], ordered)
    rank = np.arange(1, 121)
    exact = special.ndtri(special.betaincinv(rank, 121 - rank, 0.975))
    np.testing.assert_allclose(plot.curve["upper"], exact)
    half = counts().plot.qq("quantile", half=True).curve
    np.testing.assert_allclose(half["median"][:-1], half["quantile"][:-1], atol=0.05)


def test_a_quasi_family_has_no_envelope() -> None:
    plot = jg.glm("sick_days ~ salary", STAFF, "quasipoisson").plot.qq()
    assert plot.curve is None and plot.shown == "120 rows"
    assert "√scale" in plot.ax.get_ylabel()


# -- predictions ---------------------------------------------------------------------------------


def test_plots_of_predictions_draw_their_tables() -> None:
    fit = leavers()
    for name, table in (
        ("calibration", fit.calibration(5)),
        ("lift", fit.lift_table(5)),
        ("roc", fit.roc_curve()),
        ("lorenz", fit.lorenz_curve()),
    ):
        bins = (5,) if name in ("calibration", "lift") else ()
        plot = getattr(fit.plot, name)(*bins)
        pd.testing.assert_frame_equal(plot.data, table)
        assert plot.ax.get_xlabel() and plot.ax.get_ylabel()
    assert fit.plot.roc().shown == f"area {fit.roc_auc():.3f}"
    assert fit.plot.lorenz().shown == f"Gini {fit.gini():.3f}"
    heights = [bar.get_height() for bar in fit.plot.lift(4).ax.patches]
    np.testing.assert_allclose(heights, fit.lift_table(4)["lift"])


def test_plots_of_predictions_for_other_rows() -> None:
    new = STAFF[:60]
    scores = leavers().evaluate(new)
    for plot in (leavers().plot.calibration(4, new), jg.plots.calibration(scores, 4)):
        pd.testing.assert_frame_equal(plot.data, scores.calibration(4))
    assert leavers().plot.roc(new).shown == jg.plots.roc(scores).shown


def test_a_long_curve_is_thinned_and_keeps_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jaxglm.plots._predictions._POINTS", 20)
    whole, some = leavers().roc_curve(), leavers().plot.roc().data
    assert 15 <= len(some) <= 21
    assert some.index[0] == 0 and some.index[-1] == whole.index[-1]
    pd.testing.assert_frame_equal(some, whole.loc[some.index])


# -- many rows -----------------------------------------------------------------------------------


def test_many_rows_are_cells_and_the_sparse_ones_points(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in (_marks, _quantiles):
        monkeypatch.setattr(room, "FEW", 2000)
    monkeypatch.setattr(_quantiles, "_POINTS", 100)
    rng = np.random.default_rng(0)
    x = rng.normal(size=5000)
    y = rng.poisson(np.exp(x / 2)).astype(float)
    y[17] = 60
    fit = jg.GLM(y, jg.add_constant(pd.DataFrame({"x": x})), "poisson").fit()
    plot = fit.plot.residuals()
    residual = fit.resid("pearson")
    alone = plot.data[plot.data["residual"].isin(residual)]
    assert plot.data["rows"].sum() == 5000
    assert (
        residual.max() in set(alone["residual"]) and residual.min() >= alone["residual"].min() - 1
    )
    assert plot.shown == f"5,000 rows\n{len(alone):,} sparse ones as points, others as cells"
    assert plot.shown in [text.get_text() for text in plot.ax.texts]
    qq = fit.plot.qq()
    ordered = (residual := fit.resid("deviance")).sort_values()
    assert 50 < len(qq.data) < 200
    for end in (slice(None, 5), slice(-5, None)):
        np.testing.assert_allclose(qq.data["residual"].iloc[end], ordered.iloc[end])
    assert qq.shown.startswith(f"5,000 rows, {len(qq.data)} of them drawn")


# -- axes ----------------------------------------------------------------------------------------


def test_every_plot_names_its_axes_and_leaves_settings_alone() -> None:
    before = dict(mpl.rcParams)
    fit = leavers()
    plots = [
        *fit.plot().values(),
        fit.plot.partial_effect("salary", STAFF),
        fit.plot.partial_residuals("salary", STAFF),
    ]
    for plot in plots:
        assert plot.ax.get_title("left") and plot.ax.get_xlabel() and plot.ax.get_ylabel()
        plot.ax.figure.draw_without_rendering()
    assert dict(mpl.rcParams) == before


def test_four_plots_on_axes_of_ones_own() -> None:
    _, own = plt.subplots(1, 4)
    plots = counts().plot(axes=own)
    assert [plot.ax for plot in plots.values()] == list(own)
    alone = counts().plot.residuals()
    pd.testing.assert_frame_equal(plots["residuals"].data, alone.data)


def test_axes_are_used_and_other_things_refused() -> None:
    figure, own = plt.subplots()
    assert counts().plot.coefficients(ax=own).ax is own
    with pytest.raises(TypeError, match=r"ax must be the axes to draw on.*not a Figure"):
        counts().plot.coefficients(ax=figure)


def test_inks_suit_the_ground() -> None:
    light = inks(axes(None))
    with plt.style.context("dark_background"):
        dark = inks(axes(None))
    assert light.first == "#0072B2" and dark.first == "#56B4E9"


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'jaxglm\[plots\]'"):
        counts().plot.coefficients()


def test_words_of_others_and_results_without_rows() -> None:
    with pytest.raises(TypeError, match=r"coefficients\(\) has no argument 'level': alpha="):
        counts().plot.coefficients(level=0.9)  # type: ignore[call-arg]
    with pytest.raises(jg.DataError, match="A plot of residuals needs the rows of the fit"):
        counts().without_data().plot.residuals()
    assert counts().without_data().plot.coefficients().data.shape[0] == 3
    assert repr(counts().plot).startswith("<plots of <jaxglm.Results: sick_days ~ salary + team")
