"""A costly function of many numbers is read off a table where it is smooth, and only there."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm.families import Tweedie
from jaxglm.families._tabulated import _FEWEST, tabulated
from tests.marks import slow_among

X = np.random.default_rng(0).uniform(-3.0, 4.0, _FEWEST)


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def counted(function, x):
    """The values, and for how many numbers the function was called at all."""
    numbers = []

    def watched(x):
        jax.debug.callback(lambda: numbers.append(x.size))
        return function(x)

    values = jax.jit(lambda x: tabulated(watched, x))(x)
    jax.effects_barrier()
    return np.asarray(values), sum(numbers)


def smooth(x):
    return jnp.logaddexp(jnp.sin(x), 2.0 * x)


def test_a_smooth_function_is_computed_at_the_nodes_only() -> None:
    values, called = counted(smooth, X)
    np.testing.assert_allclose(values, smooth(X), rtol=1e-12)
    assert called < X.size / 3


@pytest.mark.parametrize(
    ("function", "x"),
    [
        pytest.param(lambda x: jnp.abs(x - 0.123), X, id="a kink"),
        pytest.param(lambda x: jnp.sin(1e4 * x), X, id="waves between the nodes"),
        pytest.param(smooth, np.r_[X[1:], np.inf], id="a number that is not finite"),
        pytest.param(smooth, np.full_like(X, 2.0), id="one number only"),
    ],
)
def test_what_is_not_smooth_is_computed_at_each_number(function, x) -> None:
    values, called = counted(function, x)
    np.testing.assert_allclose(values, function(x), rtol=1e-14)
    assert called >= x.size


def test_few_numbers_are_computed_as_they_are() -> None:
    few = X[:99]
    np.testing.assert_array_equal(counted(smooth, few)[0], jax.jit(smooth)(few))


def test_derivatives_are_those_of_the_function() -> None:
    """Of a parameter of the function as well, of which the nodes do not depend."""

    def total(scale, how):
        return jnp.sum(how(lambda x: jnp.log1p(jnp.exp(scale * x)), scale * jnp.asarray(X)))

    def slopes(how):
        first = jax.jvp(lambda s: total(s, how), (0.7,), (1.0,))[1]
        second = jax.jvp(
            lambda s: jax.jvp(lambda s: total(s, how), (s,), (1.0,))[1], (0.7,), (1.0,)
        )[1]
        return [float(first), float(second)]

    expected = slopes(lambda function, x: function(x))
    np.testing.assert_allclose(slopes(tabulated), expected, rtol=1e-10)


@pytest.mark.parametrize("power", slow_among([1.05, 1.5, 1.9], [1.05, 1.9]))
def test_the_density_of_many_rows_is_that_of_few(power: float) -> None:
    rng = np.random.default_rng(1)
    y = np.where(rng.random(_FEWEST) < 0.3, 0.0, rng.lognormal(0.0, 2.0, _FEWEST))
    weight = rng.uniform(0.2, 3.0, _FEWEST)
    family = Tweedie(power)
    values = jax.jit(family.log_likelihood)
    many = values(y, 1.3, weight, 0.8)
    quarters = zip(y.reshape(4, -1), weight.reshape(4, -1), strict=True)
    parts = [values(*rows, 0.8) for rows in ((y, 1.3, weight) for y, weight in quarters)]
    np.testing.assert_allclose(many, np.concatenate(parts), rtol=1e-11, atol=1e-12)
