"""Fits do not depend on the units of weights, response and columns, or refuse them in words."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg

pytestmark = pytest.mark.slow

N = 40
_rng = np.random.default_rng(0)
_X = _rng.normal(size=N)
TABLE = pd.DataFrame(
    {
        "x": _X,
        "w": _rng.uniform(0.5, 2.0, size=N),
        "amount": np.exp(0.3 + 0.5 * _X + 0.3 * _rng.normal(size=N)),
        "count": _rng.poisson(np.exp(0.4 * _X)).astype(float),
        "shop": np.repeat(["a", "b"], N // 2),
    }
)
POWERS = (-200, -140, -100, -22, -3, 7, 60, 140, 200)
SCALED: dict[str, tuple[str, Any]] = {
    "gaussian": ("identity", jg.Gaussian()),
    "gaussian log": ("log", jg.Gaussian(link=jg.links.Log())),
    "gamma": ("log", jg.Gamma(link=jg.links.Log())),
    "inverse gaussian": ("log", jg.families.InverseGaussian(link=jg.links.Log())),
    "tweedie": ("log", jg.Tweedie(power=1.5)),
}


def fit(response: str, family: Any, table: pd.DataFrame) -> jg.Results:
    # Standard errors may be so small that rounding hides them: the fit is told so, rightly.
    return jg.glm(f"{response} ~ x", table, family=family, var_weights="w", on_failure="ignore")


def unless_refused(names: str, make: Any) -> Any:
    """What `make` returns; None where it was refused in words that name a column."""
    try:
        return make()
    except jg.DataError as error:
        assert names in str(error) and "rescale to a size nearer to 1" in str(error)
        return None


@pytest.mark.slow
@pytest.mark.parametrize("response", ["count", "amount"])
def test_weights_in_any_unit(response: str) -> None:
    family: Any = "poisson" if response == "count" else "gamma"
    right = fit(response, family, TABLE)
    many = jg.fit_groups(f"{response} ~ x", TABLE, "shop", family=family, var_weights="w")
    refused = []
    for power in POWERS:
        table, c = TABLE.assign(w=TABLE["w"] * 10.0**power), 10.0**power
        found = unless_refused("var_weights", lambda table=table: fit(response, family, table))
        if found is None:
            refused.append(power)
            continue
        segments = jg.fit_groups(
            f"{response} ~ x", table, "shop", family=family, var_weights="w", on_failure="ignore"
        )
        assert found.status is jg.Status.CONVERGED and segments.converged.all()
        np.testing.assert_allclose(found.params, right.params, rtol=1e-9)
        np.testing.assert_allclose(segments.params, many.params, rtol=1e-9)
        # The dispersion takes up the unit, where it is estimated.
        unit = 1.0 if family == "gamma" else 1 / np.sqrt(c)
        np.testing.assert_allclose(found.bse, right.bse * unit, rtol=1e-9)
        np.testing.assert_allclose(segments.bse, many.bse * unit, rtol=1e-9)
    assert refused == [-200, 200]


@pytest.mark.parametrize("name", SCALED)
def test_responses_in_any_unit(name: str) -> None:
    link, family = SCALED[name]
    right, refused = fit("amount", family, TABLE), []
    for power in POWERS:
        c = 10.0**power
        table = TABLE.assign(amount=TABLE["amount"] * c)
        found = unless_refused("response", lambda table=table: fit("amount", family, table))
        if found is None:
            refused.append(power)
            continue
        assert found.status is jg.Status.CONVERGED
        shift = np.array([np.log(c), 0.0]) if link == "log" else 0.0
        unit = 1.0 if link == "log" else c
        np.testing.assert_allclose((found.params - shift) / unit, right.params, rtol=1e-9)
        np.testing.assert_allclose(found.bse / unit, right.bse, rtol=1e-9)
        np.testing.assert_allclose(found.pvalues.iloc[1], right.pvalues.iloc[1], rtol=1e-6)
    # The cube of a mean overflows before its square does.
    cubed = [-140, 140] if name == "inverse gaussian" else []
    assert refused == sorted([-200, 200, *cubed])


def test_columns_in_any_unit() -> None:
    right, refused = fit("amount", "gamma", TABLE), []
    for power in POWERS:
        c = 10.0**power
        table = TABLE.assign(x=TABLE["x"] * c)
        found = unless_refused("'x'", lambda table=table: fit("amount", "gamma", table))
        segments = TABLE.assign(x=np.where(TABLE["shop"] == "a", TABLE["x"] * c, TABLE["x"]))
        many = jg.fit_groups("amount ~ x", segments, "shop", family="gamma", on_failure="ignore")
        assert many.converged["b"] and many.converged["a"] == (found is not None)
        if found is None:
            refused.append(power)
            assert "column 'x'" in many.failed["a"]
            continue
        np.testing.assert_allclose(found.params * [1, c], right.params, rtol=1e-8)
        np.testing.assert_allclose(found.bse * [1, c], right.bse, rtol=1e-8)
    assert refused == [-200, 200]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"w": 1e-140, "x": 1e-90}, "column 'x'"),
        ({"w": 1e-140, "amount": 1e-90}, "the response"),
        ({"w": 1e140, "amount": 1e90}, "the response"),
    ],
)
def test_products_out_of_range(changes: dict[str, float], named: str) -> None:
    """Each in range by itself, but not their products; the same in segments."""
    table = TABLE.assign(**{name: TABLE[name] * c for name, c in changes.items()})
    with pytest.raises(jg.DataError, match=named):
        fit("amount", "gaussian", table)
    many = jg.fit_groups("amount ~ x", table, "shop", var_weights="w", on_failure="ignore")
    assert all(named in words for words in many.failed) and len(many.failed) == 2


@pytest.mark.slow
def test_one_segment_in_another_unit() -> None:
    """A segment is refused by its own sizes, whatever the others hold."""
    one = TABLE["shop"] == "a"
    table = TABLE.assign(w=np.where(one, 1e-200, TABLE["w"]))
    many = jg.fit_groups("amount ~ x", table, "shop", var_weights="w", on_failure="ignore")
    assert "var_weights" in many.failed["a"] and many.converged["b"]
    table = TABLE.assign(amount=np.where(one, 1e-200, TABLE["amount"]))
    many = jg.fit_groups("amount ~ x", table, "shop", on_failure="ignore")
    assert "the response 'amount'" in many.failed["a"] and many.converged["b"]
    responses = jg.fit_responses("~ x", table.assign(z=1e200), ["z", "count"], on_failure="ignore")
    assert "the response 'z'" in responses.failed["z"]


@pytest.mark.parametrize("factor", [1e-60, 1e-3, 1e4, 1e6, 1e60])
def test_weights_of_a_quasi_family_do_not_choose_the_start(factor: float) -> None:
    """They led to a point so far off that its dispersion made any step look short."""
    y = np.array([1, 0.65, 1, 0, 0.5, 1, 0, 0.15])
    x = np.array([-1.4, 1.2, -1.7, 1.1, 0.7, -1, 0.8, 1.1])
    X = np.column_stack([np.ones(8), x, [0, 1, 0, 0, 1, 1, 1, 1]])
    weight = np.array([1, 2, 2, 0.5, 0.5, 0.5, 4, 2])
    plain, scaled = (
        jg.GLM(y, X, "quasibinomial", link="loglog", var_weights=times * weight).fit()
        for times in (1.0, factor)
    )
    assert scaled.converged
    assert scaled.params.to_numpy() == pytest.approx(plain.params.to_numpy(), rel=1e-9)
    assert scaled.bse.to_numpy() == pytest.approx(plain.bse.to_numpy(), rel=1e-7)
