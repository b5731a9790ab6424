"""Derivatives of a negative binomial's likelihood in its shape: against 40 digits, and autodiff."""

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm._jax import computing
from jaxglm.families import NegativeBinomial
from jaxglm.links import Identity, Log, Sqrt
from jaxglm.links._special import stirling_slopes

from .exact import mp

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    with computing():
        yield


RECIPROCALS = [1e-9, 1e-4, 0.05, 0.1, 0.1001, 0.3, 1.0, 5.0, 1e3]


def test_what_stirlings_formula_leaves_has_the_slopes_of_gamma_functions() -> None:
    found = np.array(stirling_slopes(jnp.array(RECIPROCALS)))
    for r, (first, second) in zip(RECIPROCALS, found.T, strict=True):
        a = 1 / mp.mpf(r)
        rest = a * mp.digamma(a) - a * mp.log(a)
        assert first == pytest.approx(float(-(rest + mp.mpf(1) / 2)), rel=1e-12)
        exact = rest + a * a * mp.polygamma(1, a) - a
        assert second == pytest.approx(float(exact), rel=1e-12, abs=1e-16)


Y = np.array([0.0, 1.0, 3.0, 40.0, 2.5, 0.0, 7.0])
MU = np.array([0.3, 1.0, 30.0, 4.0, 2.5, 1e-3, 1e3])


def _likelihood(u: jax.Array, y: jax.Array, mu: jax.Array) -> jax.Array:
    return NegativeBinomial(alpha=jnp.exp(u)).log_likelihood(y, mu, jnp.ones_like(mu), 1.0)


@jax.jit
def _by_autodiff(u: jax.Array, y: jax.Array, mu: jax.Array) -> tuple[jax.Array, jax.Array]:
    slope = jax.grad(_likelihood)
    return tuple(jax.vmap(f, (None, 0, 0))(u, y, mu) for f in (slope, jax.grad(slope)))


@pytest.mark.parametrize("alpha", [1e-8, 0.01, 0.7, 20.0])
def test_slopes_of_the_likelihood_are_those_of_autodiff(alpha: float) -> None:
    found = NegativeBinomial(alpha=alpha).shape_slopes(Y, MU)
    for mine, expected in zip(found, _by_autodiff(jnp.log(alpha), Y, MU), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("link", [Log(), Sqrt(), Identity()], ids=str)
def test_the_score_changes_with_the_shape_as_autodiff_has_it(link) -> None:
    family = NegativeBinomial(alpha=0.4, link=link)
    eta = jnp.asarray(link.link(MU))

    def score(u: jax.Array) -> jax.Array:
        return dataclasses.replace(family, alpha=jnp.exp(u)).score(Y, eta)

    u = jnp.log(0.4)
    _, change = jax.jvp(score, (u,), (jnp.ones_like(u),))
    np.testing.assert_allclose(family.score_slope(Y, eta), change, rtol=1e-12, atol=1e-18)
