"""Which family suits a response: what is said first, of what, and with which words."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from jaxglm.families import family

rng = np.random.default_rng(11)
HALF = rng.uniform(size=200) < 0.5
GAMMA = rng.gamma(2.0, size=200)

CASES: dict[str, tuple[Any, str | None, str]] = {
    "0 and 1": (rng.integers(0, 2, 100), "binomial", "probability of 1;"),
    "truth values": (HALF, "binomial", "probability of 1;"),
    "two labels": (np.where(HALF, "yes", "no"), "binomial", "probability of 'yes', the later"),
    "two codes": (rng.integers(1, 3, 100), "binomial", "the response y == 2"),
    "a rare event": ([0] * 995 + [1] * 5, "binomial", "Only 5 of 1000 outcomes"),
    "counts": (rng.poisson(3.0, 300), "poisson", "log rate ratios"),
    "varying counts": (
        rng.negative_binomial(1, 0.2, 300),
        "negative_binomial",
        "more than Poisson",
    ),
    "counts with zeros": (
        np.where(HALF, 0, rng.poisson(6.0, 200)),
        "negative_binomial",
        "zero_inflation() of the fit",
    ),
    "narrow counts": (rng.binomial(9, 0.8, 300), "poisson", "vary less than Poisson"),
    "grades": (rng.integers(1, 6, 100), "poisson", "grades of a scale"),
    "ages": (rng.integers(18, 70, 100), "negative_binomial", "whole units (ages"),
    "salaries": (rng.integers(20_000, 90_000, 100), "gamma", "rounded"),
    "amounts": (GAMMA, "gamma", "spread that grows with the mean"),
    "a long tail": (rng.wald(1.0, 0.4, 20_000), "inverse_gaussian", "longer tail"),
    "heights": (rng.normal(170, 8, 200), "gaussian", "least squares"),
    "differences": (rng.normal(size=200), "gaussian", "below zero"),
    "amounts with zeros": (np.where(HALF, 0.0, GAMMA), "tweedie(power=1.5)", "exact zeros"),
    "shares": (rng.uniform(size=100), "quasibinomial", "Wedderburn"),
    "shares with ends": ([0, 1, 0.5, 0.2, 0.9], "quasibinomial", "give trials="),
    "percentages": (rng.uniform(0, 100, 300), "gamma", "divide by 100"),
    "missing": ([1.5, np.nan, 2.5, None], "gamma", "2 of 4 values are missing"),
    "a constant": ([2.0] * 9, None, "nothing that predictors could explain"),
    "one label": (["a"] * 3, None, "nothing that predictors could explain"),
    "nothing": ([np.nan] * 3, None, "no value to look at"),
    "many labels": (list("abcabc"), None, "multinomial"),
    "numbers as text": (["1.5", "2", "3"], None, "astype(float)"),
    "dates": (pd.date_range("2020", periods=4), None, "days since a date"),
    "infinity": ([1.0, np.inf], None, "infinite values in row 1"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_suits(name: str) -> None:
    y, first, words = CASES[name]
    found = jg.suggest_family(y)
    assert found.family == first
    assert words in " ".join(str(found).split())
    assert len(found.table) == len(found.suggestions)
    assert ("No family suits it" in str(found)) == (first is None)


@pytest.mark.parametrize("name", CASES)
def test_every_suggestion_can_be_fitted(name: str) -> None:
    y = pd.Series(CASES[name][0])
    for one in jg.suggest_family(y).suggestions:
        chosen = family(one.family, one.link)
        # Labels and codes for outcomes are no numbers of the family.
        if chosen.name != "binomial" or y.isin([0, 1]).all():
            assert chosen.valid_response(y.dropna().to_numpy(float)).all()


def test_trials() -> None:
    size = np.full(40, 20.0)
    y = rng.binomial(20, 0.3, 40)
    shares, counts, both = (
        jg.suggest_family(y / size, trials=size),
        jg.suggest_family(y, trials=20),
        jg.suggest_family(np.column_stack([y, size - y])),
    )
    assert str(shares) == str(counts) == str(both)
    assert shares.table.family.tolist() == ["binomial", "quasibinomial"]
    assert shares.suggestions[0].cautions == ()
    spread = jg.suggest_family(np.where(HALF, 2, 18), trials=20).suggestions[0]
    assert "overdispersion() of the fit tells" in spread.cautions[0]


def test_weights_count_rows() -> None:
    y = [0, 1, 2, 9, 50]
    weighted = jg.suggest_family(y, weights=[9, 5, 4, 2, 0])
    repeated = jg.suggest_family(np.repeat(y, [9, 5, 4, 2, 0]))
    assert str(weighted) == str(repeated)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([],), "has no rows"),
        ((np.ones((3, 3)),), "has 3 columns"),
        ((3,), "single int"),
        (("abc",), "single str"),
        (({"y": [1, 2]},), r"table\['column'\]"),
        (([5, 1], 4), "more successes than trials"),
        (([[1, 2], [3, 4]], 4), "leave trials= out"),
        (([1, 2], None, [1]), "weights has length 1"),
        (([1, 2], None, [-1, 1]), "must not be negative"),
    ],
)
def test_what_cannot_be_read_is_refused(arguments: tuple[Any, ...], words: str) -> None:
    y, *others = arguments
    with pytest.raises(jg.DataError, match=words):
        jg.suggest_family(np.array(y) if isinstance(y, list) and y else y, *others)


@pytest.mark.parametrize("y", [[1e300, 1], [-1e300, 1e300, 0.5], [1e155, 2e154, 3.5]])
def test_numbers_that_have_no_variance(y: list[float]) -> None:
    found = jg.suggest_family(y)
    assert found.family is None
    assert "another unit" in str(found)
