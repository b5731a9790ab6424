"""Links: inverses, logarithms and derivatives against values of many digits, far into the tails."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm import links
from tests import exact

PROBABILITY = [
    links.Logit(),
    links.Probit(),
    links.CLogLog(),
    links.LogLog(),
    links.Cauchit(),
]
POSITIVE = [
    links.Log(),
    links.Inverse(),
    links.InverseSquared(),
    links.Sqrt(),
    links.Power(0.3),
    links.Power(-1.0),
]
ALL = [*PROBABILITY, *POSITIVE, links.Identity()]

# eta from one end of what is representable to the other.
TAILS = {
    "logit": [-700, -40, -20, -3, -0.5, 0, 0.3, 2, 18, 40, 700],
    "probit": [-37, -20, -8, -3, -0.5, 0, 0.3, 2, 5, 8, 20, 37],
    "cloglog": [-700, -50, -37.1, -36.9, -20, -3, -0.5, 0, 0.3, 1, 2, 5, 6],
    "loglog": [-6, -5, -2, -1, -0.3, 0, 0.5, 3, 20, 36.9, 37.1, 700],
    "cauchit": [-1e12, -1e5, -50, -3, -1, -0.5, 0, 0.3, 0.999, 1.001, 30, 1e12],
}


def name_of(value: object) -> str | None:
    return repr(value) if isinstance(value, links.Link) else None


def relative_error(found: jax.Array, right: np.ndarray) -> float:
    found = np.asarray(found, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(found - right) / np.abs(right)
    # Denormal numbers are flushed to zero on some devices.
    same = (found == right) | ((np.abs(found) < 1e-300) & (np.abs(right) < 1e-300))
    return float(np.max(np.where(same, 0.0, error)))


@pytest.mark.parametrize("link", PROBABILITY, ids=name_of)
def test_tails_keep_their_digits(link: links.Link) -> None:
    eta = np.array(TAILS[link.name], float)
    inverse, derivative = exact.link(link)
    mu = [inverse(exact.mp.mpf(e)) for e in eta]
    d_mu = [derivative(exact.mp.mpf(e)) for e in eta]

    @jax.jit
    def found(eta):
        ones = jnp.ones_like(eta)
        left = jax.jvp(link.log_inverse, (eta,), (ones,))
        return link.inverse(eta), *left, *jax.jvp(link.log_complement, (eta,), (ones,))

    with jax.enable_x64(True):
        mean, log_mu, d_log, log_rest, d_rest = found(eta)
        assert relative_error(mean, np.array([float(m) for m in mu])) < 1e-12
        right = np.array([float(exact.mp.log(m)) for m in mu])
        assert relative_error(log_mu, right) < 1e-12
        right = np.array([float(exact.mp.log(1 - m)) for m in mu])
        assert relative_error(log_rest, right) < 1e-12
        right = np.array([float(d / m) for d, m in zip(d_mu, mu, strict=True)])
        assert relative_error(d_log, right) < 1e-12
        right = np.array([float(-d / (1 - m)) for d, m in zip(d_mu, mu, strict=True)])
        assert relative_error(d_rest, right) < 1e-12


@pytest.mark.parametrize("link", PROBABILITY, ids=name_of)
def test_second_derivatives_keep_their_digits(link: links.Link) -> None:
    eta = np.array(TAILS[link.name], float)
    _, derivative = exact.link(link)
    inverse = exact.link(link)[0]
    step = exact.mp.mpf(10) ** -20

    def slope(e):
        return derivative(e) / inverse(e)

    right = []
    for value in eta:
        e = exact.mp.mpf(value)
        h = step * max(abs(e), 1)
        right.append(float((slope(e + h) - slope(e - h)) / (2 * h)))

    def first(e):
        return jax.jvp(link.log_inverse, (e,), (jnp.ones_like(e),))[1]

    with jax.enable_x64(True):
        second = jax.jit(lambda e: jax.jvp(first, (e,), (jnp.ones_like(e),))[1])(eta)
    # Tiny second derivatives are differences that 330 digits do not resolve.
    right = np.array(right)
    resolved = np.abs(right) > 1e-280
    assert np.isfinite(second).all()
    assert relative_error(second[resolved], right[resolved]) < 1e-12


@pytest.mark.parametrize("link", ALL, ids=name_of)
def test_link_and_inverse_undo_each_other(link: links.Link) -> None:
    mu = np.array([1e-8, 0.01, 0.3, 0.5, 0.8, 0.999])

    @jax.jit
    def round_trip(mu, power):
        eta = link.link(mu)
        logs = jnp.exp(link.log_inverse(eta)), jnp.exp(link.log_complement(eta))
        powers = link.inverse_power(eta, -2), link.inverse_power(eta, power)
        return link.inverse(eta), *logs, *powers

    with jax.enable_x64(True):
        found = round_trip(mu, jnp.asarray(0.7))
    for value, right in zip(found, (mu, mu, 1 - mu, mu**-2.0, mu**0.7), strict=True):
        np.testing.assert_allclose(value, right, rtol=1e-11)


@pytest.mark.parametrize("link", PROBABILITY, ids=name_of)
def test_nothing_is_nan_beyond_what_is_representable(link: links.Link) -> None:
    sizes = np.array([300.0, 650.0, 1e3, 1e5, 1e8])
    eta = np.concatenate([-sizes, sizes])

    @jax.jit
    def derivatives(eta):
        ones = jnp.ones_like(eta)
        out = []
        for function in (link.inverse, link.log_inverse, link.log_complement):

            def first(e, function=function):
                return jax.jvp(function, (e,), (ones,))[1]

            out.append((function(eta), *jax.jvp(first, (eta,), (ones,))))
        return out

    with jax.enable_x64(True):
        for value, first, second in derivatives(eta):
            assert not np.isnan(value).any()
            assert not np.isnan(first).any()
            assert not np.isnan(second[np.abs(eta) < 700]).any()


@pytest.mark.parametrize(
    ("link", "mean_domain", "domain"),
    [
        (links.Log(), (0, math.inf), (-math.inf, math.inf)),
        (links.Log(), (0, 1), (-math.inf, 0)),
        (links.Log(), (-math.inf, math.inf), (-math.inf, math.inf)),
        (links.Identity(), (0, 1), (0, 1)),
        (links.Identity(), (0, math.inf), (0, math.inf)),
        (links.Inverse(), (0, math.inf), (0, math.inf)),
        (links.Inverse(), (0, 1), (1, math.inf)),
        (links.Inverse(), (-math.inf, math.inf), (-math.inf, math.inf)),
        (links.InverseSquared(), (0, math.inf), (0, math.inf)),
        (links.InverseSquared(), (-math.inf, math.inf), (0, math.inf)),
        (links.Sqrt(), (0, math.inf), (0, math.inf)),
        (links.Power(-0.5), (0, 4), (0.5, math.inf)),
        *((link, (0, 1), (-math.inf, math.inf)) for link in PROBABILITY),
        *((link, (0, math.inf), (-math.inf, math.inf)) for link in PROBABILITY),
    ],
)
def test_domain(link: links.Link, mean_domain: tuple, domain: tuple) -> None:
    assert link.domain(mean_domain) == domain
    assert all(type(end) is float for end in link.domain(mean_domain))


def test_domain_is_known_inside_compiled_code() -> None:
    seen = []

    @jax.jit
    def traced(x):
        seen.append(links.Power(0.25).domain((0.0, 81.0)))
        return x

    traced(1.0)
    assert seen[0] == pytest.approx((0.0, 3.0))


def test_links_compare_and_hash_by_value() -> None:
    assert links.Log() == links.Log() != links.Logit()
    assert links.Power(2.0) == links.Power(2) != links.Power(3.0)
    assert hash(links.Power(2.0)) == hash(links.Power(2.0))
    assert len({links.Log(), links.Log(), links.Sqrt(), links.Power(0.5)}) == 3
    assert jax.tree.leaves(links.Power(2.0)) == []
    leaves, tree = jax.tree.flatten(links.Power(2.0))
    assert jax.tree.unflatten(tree, leaves) == links.Power(2.0)
    with pytest.raises(AttributeError):
        links.Power(2.0).exponent = 3.0  # type: ignore[misc]


def test_power_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the link of exponent 0 is Log\(\)"):
        links.Power(0)


@pytest.mark.parametrize("link", ALL, ids=name_of)
@pytest.mark.parametrize("x64", [False, True])
def test_float32_stays_float32(link: links.Link, x64: bool) -> None:
    # Under 64 bits too, where a stray constant would widen it.
    with jax.enable_x64(x64), jax.numpy_dtype_promotion("strict"):
        eta = jax.ShapeDtypeStruct((3,), "float32")
        for function in (link.link, link.inverse, link.log_inverse, link.log_complement):
            found = jax.eval_shape(lambda e, f=function: jax.jvp(f, (e,), (e,)), eta)
            assert [part.dtype for part in found] == [jnp.float32, jnp.float32]


class ArandaOrdaz(links.Link):
    """A user's link with a parameter: Aranda-Ordaz (1981), asymmetric."""

    shape: float = 2.0
    name = "aranda_ordaz"

    def link(self, mu):
        return jnp.log(((1 - mu) ** -self.shape - 1) / self.shape)

    def inverse(self, eta):
        return 1 - (1 + self.shape * jnp.exp(eta)) ** (-1 / self.shape)


def test_a_link_of_ones_own() -> None:
    own = ArandaOrdaz(shape=1.0)  # which is the logit
    assert own != ArandaOrdaz()
    assert own.domain((0.0, 1.0)) == (-math.inf, math.inf)
    with jax.enable_x64(True):
        eta = np.linspace(-3, 3, 7)
        for method in ("inverse", "log_inverse", "log_complement"):
            np.testing.assert_allclose(
                getattr(own, method)(eta), getattr(links.Logit(), method)(eta), rtol=1e-12
            )
    with pytest.raises(NotImplementedError, match="Empty needs a method inverse"):

        class Empty(links.Link):
            pass

        Empty().inverse(1.0)
