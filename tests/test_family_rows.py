"""Loss, score and weights of families against values of many digits, at extreme eta."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm.families import (
    Binomial,
    Family,
    Gaussian,
)
from jaxglm.links import (
    CLogLog,
    Inverse,
    Probit,
)
from tests import exact
from tests.family_rows import PAIRS, compiled_rows, evaluate, grid, name_of
from tests.test_links import relative_error


@pytest.mark.parametrize(("law", "responses"), PAIRS, ids=name_of)
def test_rows_keep_their_digits_in_the_tails(law: Family, responses: list) -> None:
    y, eta = grid(law, responses)
    with jax.enable_x64(True):
        found = evaluate(law, y, eta)
    right = exact.rows(law, y, eta)
    for key in ("loss", "score", "fisher_weight"):
        # Where the score is 0, rounding of its two parts is left.
        resolved = right[key] != 0
        assert relative_error(found[key][resolved], right[key][resolved]) < 1e-12, key
    for values in found.values():
        assert np.isfinite(values).all()
    # The generic score, the derivative of the loss, agrees where its parts do not cancel.
    size = np.abs(found["score"]) + np.sqrt(found["fisher_weight"])
    moderate = (size > 1e-3) & (size < 1e3)
    np.testing.assert_allclose(
        found["from_loss"][moderate], found["score"][moderate], rtol=1e-10, atol=1e-10
    )
    if law.canonical:
        moderate &= (found["fisher_weight"] > 1e-3) & (np.abs(y * eta) < 1e3)
        np.testing.assert_allclose(
            found["observed"][moderate], found["fisher_weight"][moderate], rtol=1e-9
        )


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: repr(pair[0]))
def test_outside_the_domain_the_loss_is_infinite_and_nothing_is_nan(pair: tuple) -> None:
    law, responses = pair
    lower, upper = law.link.domain(law.mean_domain)
    y = np.repeat(np.array(responses, float), 4)
    eta = np.tile(np.array([-2.0, 0.0, 0.5, 2.0]), len(responses))
    outside = ~((eta > lower) & (eta < upper))
    if isinstance(law, Gaussian) and law.link == Inverse():
        outside = eta == 0
    with jax.enable_x64(True):
        found = evaluate(law, y, eta)
    assert (found["loss"][outside] == np.inf).all()
    assert np.isfinite(found["loss"][~outside]).all()
    for key in ("score", "fisher_weight", "from_loss", "observed"):
        assert np.isfinite(found[key]).all(), key


@pytest.mark.parametrize("pair", PAIRS[::2], ids=lambda pair: repr(pair[0]))
def test_float32_stays_float32(pair: tuple) -> None:
    law, _ = pair
    row = jax.ShapeDtypeStruct((4,), "float32")

    def everything(law, y, eta, weight):
        mu = law.link.inverse(eta)
        scale = jnp.ones((), mu.dtype)
        return (
            compiled_rows(law, y, eta),
            law.unit_deviance(y, mu),
            law.variance(mu),
            law.initial_mean(y, weight),
            law.log_likelihood(y, mu, weight, scale, weight),
        )

    # Under 64 bits, where a stray constant would widen it.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        found = jax.eval_shape(everything, law, row, row, row)
    assert {part.dtype for part in jax.tree.leaves(found)} == {np.dtype("float32")}


def test_float32_computes() -> None:
    y, eta = np.array([0, 1, 0.5], "float32"), np.array([-80, 0.5, 30], "float32")
    with jax.enable_x64(False), jax.numpy_dtype_promotion("strict"):
        for link in (Probit(), CLogLog()):
            law = Binomial(link=link)
            single = compiled_rows(law, y, eta)
            for key in ("loss", "score", "fisher_weight"):
                assert np.isfinite(single[key]).all()
