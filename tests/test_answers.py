"""What answers have in common: `tidy`, `summary_frame` and `conf_int`, each with its level."""

import pickle
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

TABLE = pd.DataFrame(
    {"y": [1, 0, 2, 3, 5, 8, 2, 4], "x": [0.0, 1, 2, 3, 4, 5, 1, 4], "g": list("abcabcab")}
)
AMOUNTS = {"y": [0, 0.6, 2.1, 0, 9.8, 3.3, 0, 4.5], "x": [0.0, 0, 0, 1, 1, 1, 2, 2]}


@cache
def fit() -> jg.Results:
    return jg.glm("y ~ x + g", TABLE, "poisson")


@cache
def power() -> Any:
    return jg.glm("y ~ x", AMOUNTS, jg.Tweedie(power=1.5)).power_profile([1.4])


ESTIMATES: dict[str, Callable[[], Any]] = {
    "Results": fit,
    "t_test": lambda: fit().t_test("x = 0.1, g[T.b] = 0"),
    "margins": lambda: fit().margins(),
    "get_prediction": lambda: fit().get_prediction(TABLE[:3]),
    "bootstrap": lambda: fit().bootstrap(n=20, seed=1),
    "power_profile": power,
}
LONG = ("bootstrap", "power_profile")
TESTS: dict[str, Callable[[], Any]] = {
    "wald_test": lambda: fit().wald_test("x = 0, g[T.b] = 0"),
    "wald_test_terms": lambda: fit().wald_test_terms(),
    "score_test": lambda: fit().score_test(TABLE[["x"]] ** 2),
    "anova": lambda: jg.anova(fit()),
    "drop1": lambda: fit().drop1(),
    "models": lambda: jg.anova(jg.glm("y ~ x", TABLE, "poisson"), fit()),
    "Wald": lambda: jg.anova(fit(), type=2, test="Wald"),
    "F": lambda: jg.anova(jg.glm("y ~ x + g", TABLE), type=3, test="F"),
    "Rao": lambda: fit().drop1(test="Rao"),
}


@pytest.mark.filterwarnings("ignore:.*replicates have no optimum")
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in LONG else ()) for name in ESTIMATES],
)
def test_estimates_have_tidy_tables_and_intervals_of_any_level(name: str) -> None:
    answer = ESTIMATES[name]()
    for alpha in (0.05, 0.3):
        tidy, ends = answer.tidy(alpha), np.asarray(answer.conf_int(alpha))
        np.testing.assert_allclose(tidy[["conf_low", "conf_high"]], ends)
    narrow, wide = (np.diff(np.asarray(answer.conf_int(alpha))) for alpha in (0.3, 0.05))
    assert (narrow < wide).all()
    with pytest.raises(ValueError, match="alpha must lie"):
        answer.conf_int(2)


@pytest.mark.parametrize("name", TESTS)
def test_tests_have_tidy_tables(name: str) -> None:
    answer = TESTS[name]()
    tidy, frame = answer.tidy(), answer.summary_frame()
    assert len(tidy) == len(frame)
    assert {"p_value", "df"} <= set(tidy)
    for column in {"statistic", "p_value", "df"} & set(tidy):
        values = tidy[column].to_numpy(float)
        assert any(np.array_equal(values, frame[own], equal_nan=True) for own in frame)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", column) for column in tidy)


def test_tidy_tables_hold_the_numbers_of_the_answer() -> None:
    single, joint = ESTIMATES["t_test"](), TESTS["wald_test"]()
    tidy = single.tidy(0.1)
    assert tidy["hypothesis"].to_list() == list(single.hypotheses)
    np.testing.assert_array_equal(tidy["null_value"], [0.1, 0])
    np.testing.assert_array_equal(tidy["p_value"], single.pvalue)
    assert joint.tidy().loc[0, ["statistic", "p_value", "df"]].to_list() == [
        joint.statistic,
        joint.pvalue,
        2,
    ]
    binary = jg.glm("b ~ x", TABLE.assign(b=[0, 1, 0, 1, 1, 0, 0, 1]), "binomial")
    found = binary.hosmer_lemeshow(4)
    assert found.tidy()["p_value"].item() == found.pvalue
    assert jg.compare(fit(), jg.glm("y ~ x", TABLE, "poisson")).tidy()["aic"][0] == fit().aic


@pytest.mark.slow
def test_a_power_has_intervals_of_other_levels() -> None:
    profile = power()
    other = jg.glm("y ~ x", AMOUNTS, jg.Tweedie(power=1.5)).power_profile([1.4], alpha=0.3)
    np.testing.assert_allclose(profile.conf_int(0.3), other.conf_int(), atol=1e-6)
    assert profile.conf_int(0.05).equals(profile.conf_int())
    again = pickle.loads(pickle.dumps(profile))
    assert again.conf_int().equals(profile.conf_int())
    with pytest.raises(jg.DataError, match=r"power_profile\(alpha=0.3\)"):
        again.conf_int(0.3)
