"""Estimates without bias of many segments and responses: each as if it were alone, and told."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

pytestmark = pytest.mark.slow

SHOPS = pd.DataFrame(
    {
        "shop": ["a"] * 5 + ["b"] * 5 + ["c"] * 5,
        "price": [1.0, 2, 3, 4, 5] * 3,
        "sold": [1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0],
    }
)
SHOPS["cost"] = [1.2, 2.1, 2.9, 4.4, 4.8, 1.5, 1.9, 3.4, 3.6, 5.6, 0.8, 2.2, 3.1, 3.7, 5.2]


def of_shop(shop: str) -> pd.DataFrame:
    return SHOPS[SHOPS["shop"] == shop]


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("sold ~ price", "binomial"),
        pytest.param("cost ~ price", jg.Gamma(link="log"), marks=pytest.mark.slow),
    ],
)
def test_every_segment_as_if_it_were_alone(formula: str, family: Any) -> None:
    fits = jg.fit_groups(formula, SHOPS, "shop", family, bias="firth")
    assert (fits.fits.methods == "firth").all() and fits.failed.empty
    assert "the estimates of every segment" in fits.notes[0]
    one = jg.glm(formula, of_shop("b"), family, bias="firth")
    np.testing.assert_allclose(fits.params.loc["b"], one.params, rtol=1e-7)
    np.testing.assert_allclose(fits.bse.loc["b"], one.bse, rtol=1e-7)
    assert fits["b"].scale == pytest.approx(one.scale)
    assert "Bias reduced" in " ".join(fits["b"].notes)


@pytest.mark.slow
def test_arrays_and_responses_alike() -> None:
    X = jg.add_constant(SHOPS[["price"]])
    fits = jg.GLM(SHOPS.sold, X, "binomial").fit_groups(SHOPS["shop"], bias="firth")
    one = jg.glm("sold ~ price", of_shop("a"), "binomial", bias="firth").params
    np.testing.assert_allclose(fits.params.loc["a"], one, rtol=1e-7)
    table = of_shop("b").assign(kept=lambda t: 1 - t.sold)
    both = jg.fit_responses("~ price", table, ["sold", "kept"], "binomial", bias="firth")
    assert "the estimates of every response" in both.notes[0]
    one = jg.glm("sold ~ price", of_shop("b"), "binomial", bias="firth").params
    np.testing.assert_allclose(both.params.loc["sold"], one, rtol=1e-7)
    np.testing.assert_allclose(both.params.loc["kept"], -one, rtol=1e-7)
    columns = table[["sold", "kept"]].to_numpy()
    again = jg.GLM(columns, X[:5], "binomial").fit_responses(bias="firth")
    np.testing.assert_allclose(again.params, both.params, rtol=1e-7)


@pytest.mark.slow
def test_notes_name_the_segments_that_were_fitted_again() -> None:
    fits = jg.fit_groups("sold ~ price", SHOPS, "shop", "binomial", on_separation="firth")
    assert fits.notes == (
        "1 segment was fitted again without bias ('b'): separated, without finite maximum "
        "likelihood estimates.",
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bias": "firth", "on_separation": "firth"}, "leave out on_separation="),
        ({"bias": "jeffreys"}, "bias must be one of"),
        ({"bias": "firth", "family": "quasibinomial"}, "not for the quasibinomial family"),
        ({"bias": "firth", "method": "newton"}, "leave out method="),
    ],
)
def test_what_cannot_be_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        jg.fit_groups("sold ~ price", SHOPS, "shop", **({"family": "binomial"} | given))
