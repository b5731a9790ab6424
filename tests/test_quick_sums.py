"""Information from float32 products while iterating: the answers do not move."""

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm import _search


def _table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 120
    table = pd.DataFrame({"x": rng.normal(size=n), "g": rng.choice(list("abc"), size=n)})
    table["near"] = table["x"] + 1e-5 * rng.normal(size=n)
    table["counts"] = rng.poisson(np.exp(0.5 + 0.4 * table["x"] + (table["g"] == "b")))
    table["yes"] = (rng.uniform(size=n) < 1 / (1 + np.exp(-table["x"]))).astype(float)
    table["amount"] = rng.gamma(3.0, size=n) * np.exp(0.3 * table["x"])
    return table


MODELS = {
    "logit": ("yes ~ x + g", "binomial"),
    "cauchit": ("yes ~ x + g", jg.Binomial(link=jg.Cauchit())),
    "poisson": ("counts ~ x * g", "poisson"),
    "gamma": ("amount ~ x + g", jg.Gamma(link=jg.Log())),
    "gaussian": ("amount ~ x + g", "gaussian"),
    "near-collinear": ("counts ~ x + near", "poisson"),
}


@pytest.mark.parametrize("name", MODELS)
def test_quick_sums_give_the_same_fit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    formula, family = MODELS[name]
    table = _table()
    exact = jg.glm(formula, table, family)
    monkeypatch.setattr(_search, "LARGE_WORK", 0.0)
    quick = jg.glm(formula, table, family)
    assert quick.converged and quick.decrement < 1e-8
    assert np.abs((quick.params - exact.params) / exact.bse).max() < 1e-9
    np.testing.assert_allclose(quick.bse, exact.bse, rtol=1e-9)
    if name != "near-collinear":
        # Not by falling back: the quick run itself converged, in about as many turns.
        assert quick.n_iter <= exact.n_iter + 3


def test_quick_sums_step_aside_where_float32_cannot_hold_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pivot lost in float32 starts the search again with the full sums."""
    table = _table()
    exact = jg.glm("counts ~ x + near", table, "poisson")
    monkeypatch.setattr(_search, "LARGE_WORK", 0.0)
    quick = jg.glm("counts ~ x + near", table, "poisson")
    assert quick.n_iter > exact.n_iter
