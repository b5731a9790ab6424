"""Families as objects: names, parameters, starts, responses, quasi families, a user's own."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxglm import families, links
from jaxglm.families import (
    Binomial,
    Family,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Quasi,
    QuasiBinomial,
    QuasiPoisson,
    Tweedie,
    family,
)
from jaxglm.links import (
    CLogLog,
    Identity,
    Inverse,
    Log,
    Logit,
    LogLog,
    Power,
    Probit,
    Sqrt,
)
from tests.family_rows import PAIRS, WEDDERBURN, evaluate


# --------------------------------------------------------------------------- quasi families
def test_quasi_families_share_everything_but_the_likelihood() -> None:
    y, eta = np.array([0.0, 1.0, 0.4]), np.array([-1.0, 0.5, 2.0])
    with jax.enable_x64(True):
        for quasi, likelihood in ((QuasiPoisson(), Poisson()), (QuasiBinomial(), Binomial())):
            assert not quasi.dispersion_fixed
            assert not quasi.has_likelihood
            assert quasi.likelihood_scale(1.0, 1.0, 1.0, 3.0) == 3.0
            assert np.isnan(quasi.log_likelihood(y, eta, np.ones(3), 1.0)).all()
            assert quasi.canonical
            assert quasi != likelihood
            found, right = evaluate(quasi, y, eta), evaluate(likelihood, y, eta)
            for key in found:
                np.testing.assert_array_equal(found[key], right[key])


def power_variance(mu):
    return mu**1.5


@pytest.mark.parametrize(
    ("variance", "law", "responses"),
    [
        (power_variance, Tweedie(power=1.5), [0.0, 0.03, 1.0, 200.0]),
        (lambda mu: mu * (1 - mu), Binomial(link=Log()), [0.0, 0.2, 1.0]),
    ],
    ids=["mu^1.5", "mu(1-mu)"],
)
def test_a_variance_function_of_ones_own(variance, law: Family, responses: list) -> None:
    quasi = Quasi(variance, link=Log(), mean_domain=law.mean_domain)
    eta = np.array([-4.0, -1.2, -0.5, -0.01])
    y, eta = (part.ravel() for part in np.meshgrid(np.array(responses), eta))
    with jax.enable_x64(True):
        found, right = evaluate(quasi, y, eta), evaluate(law, y, eta)
        mu = np.exp(eta)
        unit = law.unit_deviance(y, mu)
        np.testing.assert_allclose(quasi.unit_deviance(y, mu), unit, rtol=1e-9)
        np.testing.assert_allclose(found["loss"], 0.5 * unit, rtol=1e-9)
    np.testing.assert_allclose(found["score"], right["score"], rtol=1e-12)
    np.testing.assert_allclose(found["fisher_weight"], right["fisher_weight"], rtol=1e-12)
    np.testing.assert_allclose(found["from_loss"], right["score"], rtol=1e-7)
    assert quasi == Quasi(variance, link=Log(), mean_domain=law.mean_domain)
    assert jax.tree.leaves(quasi) == []


def test_quasi_by_name() -> None:
    assert Quasi().link == Identity()
    assert Quasi("mu").mean_domain == (0.0, math.inf)
    assert Quasi("mu (1 - mu)").mean_domain == (0.0, 1.0)
    assert Quasi("mu^2", link=Inverse()).canonical
    assert Quasi("mu^2").with_link(Log()) == Quasi("mu^2", link=Log())
    assert Quasi("mu^2").valid_response(np.array([0.0, -1.0])).tolist() == [True, False]
    with pytest.raises(ValueError, match=r"choose one of 'constant', 'mu', .*function of the mean"):
        Quasi("mu^4")


# -------------------------------------------------------------------- starts and responses
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: repr(pair[0]))
def test_starts_lie_inside_the_domain(pair: tuple) -> None:
    law, responses = pair
    y = np.array(responses, float)
    with jax.enable_x64(True):
        mu = np.asarray(law.initial_mean(y, np.ones_like(y)))
        eta = np.asarray(law.link.link(mu))
    lower, upper = law.link.domain(law.mean_domain)
    assert np.isfinite(eta).all()
    assert ((eta > lower) & (eta < upper)).all()


def test_starts_are_those_of_r() -> None:
    y, weight = np.array([0.0, 1.0, 4.0]), np.array([1.0, 1.0, 2.0])
    with jax.enable_x64(True):
        assert Poisson().initial_mean(y, weight).tolist() == [0.1, 1.1, 4.1]
        assert NegativeBinomial(alpha=1.0).initial_mean(y, weight).tolist() == [1 / 6, 1.0, 4.0]
        assert Gaussian().initial_mean(y, weight).tolist() == y.tolist()
        share = np.array([0.0, 1.0, 0.25])
        assert Binomial().initial_mean(share, weight).tolist() == [0.25, 0.75, 1 / 3]
        # R stops here; a tenth of the typical size stands in for what the link cannot give.
        assert Gaussian(link=Log()).initial_mean(y, weight).tolist() == [0.225, 1.0, 4.0]


def test_valid_responses() -> None:
    y = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, math.inf, math.nan])
    expected = {
        Gaussian(): [1, 1, 1, 1, 1, 0, 0],
        Binomial(): [0, 1, 1, 1, 0, 0, 0],
        Poisson(): [0, 1, 1, 1, 1, 0, 0],
        Gamma(): [0, 0, 1, 1, 1, 0, 0],
        InverseGaussian(): [0, 0, 1, 1, 1, 0, 0],
        Tweedie(power=0): [1, 1, 1, 1, 1, 0, 0],
        Tweedie(power=1.5): [0, 1, 1, 1, 1, 0, 0],
        Tweedie(power=2): [0, 0, 1, 1, 1, 0, 0],
        NegativeBinomial(): [0, 1, 1, 1, 1, 0, 0],
        Quasi("mu(1-mu)"): [0, 1, 1, 1, 0, 0, 0],
        Quasi(power_variance, mean_domain=(0.0, math.inf)): [0, 1, 1, 1, 1, 0, 0],
    }
    for law, valid in expected.items():
        assert law.valid_response(y).tolist() == [bool(flag) for flag in valid], law
        assert isinstance(law.response_rule, str)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tweedie(power=0.5), "must be 0 or at least 1"),
        (lambda: NegativeBinomial(alpha=-1.0), "0 or more"),
        (lambda: family("poison"), "choose one of gaussian, binomial, poisson"),
        (lambda: family("poisson", link="lgo"), "choose one of identity, log, logit"),
    ],
)
def test_bad_arguments_say_what_to_do(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# ------------------------------------------------------------------------- names and trees
def test_family_by_name() -> None:
    assert family("poisson") == Poisson()
    assert family("Gamma") == Gamma()
    assert family("inverse.gaussian") == family("inverse_gaussian") == InverseGaussian()
    assert family("nb") == family("negative_binomial") == family("negative.binomial")
    assert family("Binomial", link="cloglog") == Binomial(link=CLogLog())
    assert family("inverse.gaussian", link="1/mu^2").canonical
    assert family(Poisson, link=Sqrt) == Poisson(link=Sqrt())
    law = NegativeBinomial(alpha=0.3)
    assert family(law) is law
    assert family(law.with_link(Sqrt()), link="sqrt") == NegativeBinomial(alpha=0.3, link=Sqrt())
    with pytest.raises(TypeError, match="a name or a family object"):
        family(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a name or a link object"):
        family("poisson", link=3)  # type: ignore[arg-type]


def test_canonical_links() -> None:
    canonical = [
        Gaussian(),
        Binomial(),
        Poisson(),
        Gamma(),
        InverseGaussian(),
        Gamma(link=Power(-1)),
        Tweedie(power=1),
        Tweedie(power=2, link=Inverse()),
        Tweedie(power=1.5, link=Power(-0.5)),
    ]
    assert all(law.canonical for law in canonical)
    others = [
        Gaussian(link=Log()),
        Binomial(link=Probit()),
        Binomial(link=LogLog()),
        Tweedie(),
        NegativeBinomial(alpha=1.0),
        Quasi(WEDDERBURN, link=Logit()),
        Quasi(power_variance),
    ]
    assert not any(law.canonical for law in others)


def test_parameters_are_leaves_and_do_not_recompile() -> None:
    assert jax.tree.structure(Tweedie(power=1.2)) == jax.tree.structure(Tweedie(power=1.7))
    one, two = NegativeBinomial(alpha=0.1), NegativeBinomial(alpha=0.2)
    assert jax.tree.structure(one) == jax.tree.structure(two)
    assert jax.tree.structure(one) != jax.tree.structure(NegativeBinomial(alpha=0.1, link=Sqrt()))
    compiled = []

    @jax.jit
    def loss(law, y, eta):
        compiled.append(law)
        return law.loss(y, eta)

    y, eta = np.array([1.0, 2.0]), np.array([0.1, 0.2])
    with jax.enable_x64(True):
        first, second = loss(one, y, eta), loss(dataclasses.replace(two, alpha=0.4), y, eta)
    assert len(compiled) == 1
    assert not np.array_equal(first, second)
    assert hash(one) == hash(NegativeBinomial(alpha=0.1)) != hash(two)
    assert jax.tree.map(lambda leaf: 2 * leaf, one) == two


# ------------------------------------------------------------------------ a user's families
class Geometric(Family):
    """Number of failures before a success, from its unit deviance."""

    name = "geometric"
    mean_domain = (0.0, math.inf)
    dispersion_fixed = True

    def variance(self, mu):
        return mu + mu**2

    def unit_deviance(self, y, mu):
        ratio = jax.scipy.special.xlogy(y, jnp.where(y > 0, y, 1.0) / mu)
        return 2 * (ratio - (y + 1) * jnp.log((y + 1) / (mu + 1)))


class GeometricByLoss(Family):
    """The same from its negative log-likelihood."""

    name = "geometric"
    mean_domain = (0.0, math.inf)
    dispersion_fixed = True

    def variance(self, mu):
        return mu + mu**2

    def loss(self, y, eta):
        log_mu = self.link.log_inverse(eta)
        return (y + 1) * jnp.logaddexp(0.0, log_mu) - jax.scipy.special.xlogy(y, jnp.exp(log_mu))


def test_a_family_of_ones_own() -> None:
    y, eta = np.array([0.0, 1.0, 5.0]), np.array([-0.5, 0.3, 1.0])
    with jax.enable_x64(True):
        right = evaluate(NegativeBinomial(alpha=1.0), y, eta)
        unit = NegativeBinomial(alpha=1.0).unit_deviance(y, np.exp(eta))
        by_deviance = evaluate(Geometric(link=Log()), y, eta)
        by_loss = evaluate(GeometricByLoss(link=Log()), y, eta)
        for key in ("score", "fisher_weight", "observed", "from_loss"):
            np.testing.assert_allclose(by_deviance[key], right[key], rtol=1e-10)
            np.testing.assert_allclose(by_loss[key], right[key], rtol=1e-10)
        np.testing.assert_allclose(by_deviance["loss"], 0.5 * unit, rtol=1e-12)
        np.testing.assert_allclose(
            GeometricByLoss(link=Log()).unit_deviance(y[1:], np.exp(eta)[1:]), unit[1:], rtol=1e-12
        )
    law = Geometric()  # whose default link, the identity, can give negative means
    assert law.loss(1.0, -1.0) == math.inf
    assert not law.canonical
    assert not law.has_likelihood
    assert jax.tree.leaves(law) == []
    assert law == Geometric() != Geometric(link=Log())
    with pytest.raises(TypeError, match=r"needs a method unit_deviance\(y, mu\) or loss\(y, eta\)"):

        class Empty(Family):
            pass


def test_families_reexport_what_they_name() -> None:
    assert all(hasattr(families, name) for name in families.__all__)
    assert all(hasattr(links, law.link.__class__.__name__) for law, _ in PAIRS)
