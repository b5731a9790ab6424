"""Profile likelihood: against R's, by root finding, and where it must be known otherwise."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm.inference.comparisons import _profile
from jaxglm.inference.comparisons._submodels import refitted

from .reference.cases import load
from .reference.engine import fit_formula

pytestmark = pytest.mark.slow

R = json.loads((Path(__file__).parent / "data/comparisons/comparisons.json").read_text())
QUICK = ("mtcars_gamma_log", "beetles_binomial_logit", "dobson_poisson_identity")
ALL = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in R["profile"]]
N = 40
RNG = np.random.default_rng(1)
TABLE = pd.DataFrame({"x": RNG.normal(size=N), "z": RNG.normal(size=N)})
TABLE["y"] = 1 + TABLE["x"] + RNG.normal(size=N)
TABLE["n"] = RNG.poisson(2, N)
TABLE["few"] = RNG.binomial(6, 0.4, N)
TABLE["w"] = RNG.integers(0, 3, N)
TABLE["amount"] = RNG.gamma(3, np.exp(0.2 * TABLE["x"]))
TABLE["g"] = np.array(list("uv"))[np.arange(N) % 2]
TABLE["none"] = np.where(TABLE["g"] == "u", 0, TABLE["n"])


@pytest.mark.parametrize("name", ALL)
def test_intervals_are_those_of_r(name: str) -> None:
    ours = fit_formula(load(name)).conf_int(method="profile")
    for column, end in ((0, "lower"), (1, "upper")):
        np.testing.assert_allclose(ours[column], R["profile"][name][end], rtol=1e-8)


@pytest.mark.slow
def test_a_straight_profile_is_the_wald_interval() -> None:
    for fit in (jg.glm("y ~ x + z", TABLE), jg.glm("y ~ x + z", TABLE, freq_weights="w")):
        pd.testing.assert_frame_equal(
            fit.conf_int(0.1, method="profile"), fit.conf_int(0.1), rtol=1e-9
        )
    curve = jg.glm("y ~ x", TABLE).profile("x", n=7)
    fit = jg.glm("y ~ x", TABLE)
    straight = (curve["value"] - fit.params["x"]) / fit.bse["x"]
    np.testing.assert_allclose(curve["zeta"], straight, atol=1e-9)


def test_a_curve_is_of_fits_with_an_offset() -> None:
    fit = jg.glm("n ~ x + z", TABLE, "poisson")
    curve = fit.profile("z", n=6)
    assert len(curve) == 6 and fit.params["z"] in curve["value"].to_list()
    value = curve["value"].iloc[0]
    held = jg.glm("n ~ x", TABLE, "poisson", offset=TABLE["z"] * value)
    np.testing.assert_allclose(curve["deviance"].iloc[0], held.deviance, rtol=1e-10)
    assert curve["zeta"].iloc[0] == pytest.approx(-math.sqrt(held.deviance - fit.deviance))
    limits = fit.conf_int(0.01, method="profile").loc["z"]
    np.testing.assert_allclose([curve["value"].iloc[i] for i in (0, -1)], limits, rtol=1e-9)


@pytest.mark.slow
def test_separation_leaves_a_finite_end() -> None:
    three = {"y": [0, 0, 0, 3, 1, 2], "g": list("aaabbb")}
    fit = jg.glm("y ~ 0 + g", three, "poisson", on_failure="ignore")
    low, high = fit.conf_int(method="profile").loc["g[a]"]
    # Three zeros of mean m have deviance 6 m.
    assert low == -math.inf
    assert high == pytest.approx(math.log(3.841458820694124 / 6), rel=1e-9)
    other = jg.glm("y ~ 1", {"y": [3, 1, 2]}, "poisson").conf_int(method="profile")
    np.testing.assert_allclose(fit.conf_int(method="profile").loc["g[b]"], other.loc["Intercept"])
    curve = fit.profile("g[a]", n=5)
    assert (np.diff(curve["value"]) > 0).all() and np.isfinite(curve).all(axis=None)
    assert curve["zeta"].iloc[0] == pytest.approx(0.05)
    apart = jg.glm("y ~ x", {"y": [0, 0, 1, 1], "x": [0, 1, 2, 3]}, "binomial", on_failure="ignore")
    ends = apart.conf_int(method="profile")
    assert ends.loc["x", 1] == math.inf and 0 < ends.loc["x", 0] < 1
    held = jg.glm(
        "y ~ 1",
        {"y": [0, 0, 1, 1]},
        "binomial",
        offset=np.array([0, 1, 2, 3]) * ends.loc["x", 0],
    )
    assert held.deviance == pytest.approx(3.841458820694124, rel=1e-8)


def test_what_has_no_profile_is_nan_or_said() -> None:
    with pytest.warns(jg.RankWarning):
        fit = jg.glm("n ~ x + I(2 * x) + z", TABLE, "poisson")
    plain = jg.glm("n ~ x + z", TABLE, "poisson").conf_int(method="profile")
    ours = fit.conf_int(method="profile")
    assert ours.loc["I(2 * x)"].isna().all()
    np.testing.assert_allclose(ours.drop("I(2 * x)"), plain, rtol=1e-8)
    two = jg.glm("y ~ x", TABLE.head(2))
    assert two.conf_int(method="profile").isna().all(axis=None)
    for call, words in (
        (lambda: fit.profile("I(2 * x)"), "has no profile"),
        (lambda: fit.profile("q"), "no coefficient 'q'"),
        (lambda: fit.profile("x", n=2), "3 or more"),
        (lambda: fit.conf_int(method="exact"), "method must be one of 'wald', 'profile'"),
        (
            lambda: fit.without_data().conf_int(method="profile"),
            r"^conf_int\(method=.profile.\) needs the rows.*keep_data=True\.$",
        ),
        (lambda: fit.alpha_conf_int(), "shape that was estimated"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


@pytest.mark.slow
def test_the_shape_has_an_interval() -> None:
    quine = fit_formula(load("quine_nb_ml_main"))
    np.testing.assert_allclose(quine.alpha_conf_int().loc["alpha"], R["alpha"], rtol=1e-7)
    # Not overdispersed: the upper end by the likelihood itself.
    fit = jg.glm("few ~ x", TABLE, "negative_binomial", on_failure="ignore")
    assert fit.fit.alpha == 0.0
    low, high = fit.alpha_conf_int(0.1).loc["alpha"]
    at = jg.glm("few ~ x", TABLE, jg.NegativeBinomial(alpha=float(high)))
    assert low == 0.0 and 2 * (fit.llf - at.llf) == pytest.approx(2.705543454095404, rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("formula", "family", "settings", "alone"),
    [
        ("amount ~ x + I(2 * x) + z", jg.Gamma(link="log"), {}, False),
        pytest.param(
            *("n ~ x + z", "poisson", {"offset": "z", "freq_weights": "w"}, False),
            marks=pytest.mark.slow,
        ),
        # To the edge of the domain.
        pytest.param(
            *("n > 1 ~ few", jg.Binomial(link="identity"), {}, True), marks=pytest.mark.slow
        ),
        pytest.param(*("none ~ 0 + g + x", "poisson", {}, True), marks=pytest.mark.slow),
    ],
    ids=["dispersion and alias", "offset and weights", "edge", "separation"],
)
def test_ends_sought_together_are_those_sought_one_by_one(
    formula: str, family: Any, settings: dict[str, Any], alone: bool, monkeypatch: Any
) -> None:
    """What lanes cannot tell is fitted alone."""
    fit = jg.glm(formula, TABLE, family, on_failure="ignore", **settings)
    singles: list[Any] = []

    def counted(*given: Any) -> Any:
        singles.append(given)
        return refitted(*given)

    monkeypatch.setattr(_profile, "refitted", counted)
    one_by_one = fit.conf_int(method="profile")
    most = len(singles)
    singles.clear()
    monkeypatch.setattr(_profile, "_LEAST_TOGETHER", 0)
    pd.testing.assert_frame_equal(fit.conf_int(method="profile"), one_by_one, rtol=1e-10)
    assert bool(singles) == alone and len(singles) <= most
