"""Fits that leave nothing to estimate a dispersion from: in words, never p = 0.000 of rounding."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

N = 8
LINE = pd.DataFrame({"x": np.arange(N) * 1.0, "y": 3.0 + 2.0 * np.arange(N), "f": 0.2})
_rng = np.random.default_rng(0)


def ignoring(**given: Any) -> jg.Results:
    return jg.glm("y ~ x", given.pop("data"), on_failure="ignore", **given)


@pytest.mark.parametrize("family", ["gaussian", "gamma", "inverse_gaussian"])
@pytest.mark.parametrize("y", ["line", "constant"])
def test_an_essentially_perfect_fit(family: str, y: str) -> None:
    data = LINE if y == "line" else LINE.assign(y=5.0)
    with pytest.warns(jg.PrecisionWarning, match="Essentially perfect fit"):
        results = jg.glm("y ~ x", data, family=family, link="identity")
    expected = [3.0, 2.0] if y == "line" else [5.0, 0.0]
    np.testing.assert_allclose(results.params, expected, atol=1e-12)
    assert results.converged and results.scale < 1e-25
    assert results.bse.isna().all() and results.pvalues.isna().all()
    assert results.conf_int().isna().all(axis=None)
    assert any("Essentially perfect fit" in note for note in results.notes)


@pytest.mark.parametrize("noise", [1e-7, 1e-10], ids=["seven digits", "ten digits"])
def test_a_close_fit_is_not_perfect(noise: float) -> None:
    data = LINE.assign(y=LINE["y"] + noise * _rng.normal(size=N))
    results = ignoring(data=data)
    assert not any("perfect" in note for note in results.notes)
    assert np.all(results.bse > 0) and np.all(results.bse < 10 * noise)


def test_a_known_dispersion_keeps_its_errors() -> None:
    results = ignoring(data=LINE, family="poisson", link="identity")
    assert np.all(results.bse > 0) and not any("perfect" in note for note in results.notes)


@pytest.mark.parametrize("given", [{}, {"freq_weights": "f"}], ids=["rows", "frequencies"])
def test_no_residual_degrees_of_freedom(given: dict[str, str]) -> None:
    noisy = LINE.assign(y=_rng.normal(size=N))
    data = noisy if given else noisy[:2]
    results = ignoring(data=data, **given)
    assert results.df_resid <= 0 and np.isnan(results.scale)
    assert results.bse.isna().all() and results.pvalues.isna().all()
    (note,) = (note for note in results.notes if "No residual degrees of freedom" in note)
    assert f"is {results.nobs:.6g}, that of the coefficients 2" in note


def test_a_saturated_count_model_says_what_its_deviance_tells() -> None:
    data = LINE[:2].assign(y=[2.0, 5.0])
    results = ignoring(data=data, family="poisson")
    (note,) = (note for note in results.notes if "No residual degrees of freedom" in note)
    assert "deviance" in note and np.all(results.bse > 0)


@pytest.mark.slow
def test_segments_say_the_same() -> None:
    noisy = LINE.assign(y=_rng.normal(size=N))
    parts = {"flat": LINE.assign(y=5.0), "line": LINE, "noisy": noisy, "two": noisy[:2]}
    table = pd.concat(parts, names=["shop"]).reset_index("shop")
    with pytest.warns(jg.SegmentWarning, match="2 of 4 segments .*: 2 essentially perfect; see"):
        many = jg.fit_groups("y ~ x", table, "shop")
    for shop, part in parts.items():
        alone = ignoring(data=part)
        # A single fit may add what its search tells.
        assert {n for n in many[shop].notes} <= set(alone.notes)
        assert many.bse.loc[shop].isna().all() == alone.bse.isna().all() == (shop != "noisy")
        assert many.pvalues.loc[shop].isna().all() == (shop != "noisy")
    assert many.counts()[["ordinary", "essentially perfect"]].tolist() == [2, 2]
    assert many.failed.index.tolist() == ["flat", "line"]
    assert many.failed.str.contains("Essentially perfect fit").all()
    with pytest.warns(jg.SegmentWarning, match="2 essentially perfect"):
        responses = jg.fit_responses("~ x", LINE.assign(z=5.0), ["y", "z"])
    assert responses.bse.isna().all(axis=None)
    assert all("Essentially perfect fit" in responses[name].notes[0] for name in ("y", "z"))
