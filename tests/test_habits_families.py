"""Families and links as users of R and statsmodels write them: the same, or words."""

from typing import Any

import pytest
import statsmodels.api as sm

import jaxglm as jg
from jaxglm.families import family

theirs = sm.families


@pytest.mark.parametrize(
    ("made", "ours"),
    [
        (jg.Binomial(link="probit"), jg.Binomial(link=jg.Probit())),  # type: ignore[arg-type]
        (jg.Poisson(jg.Sqrt()), jg.Poisson(link=jg.Sqrt())),  # type: ignore[misc]
        (jg.Poisson(jg.Sqrt), jg.Poisson(link=jg.Sqrt())),  # type: ignore[misc]
        (jg.Poisson("sqrt"), jg.Poisson(link=jg.Sqrt())),  # type: ignore[misc]
        (jg.Poisson(link=None), jg.Poisson()),  # type: ignore[arg-type]
        (jg.Quasi("mu^2", link="log"), jg.Quasi("mu^2", link=jg.Log())),  # type: ignore[arg-type]
        (jg.NegativeBinomial(jg.Sqrt(), 0.5), jg.NegativeBinomial(0.5, link=jg.Sqrt())),  # type: ignore[misc]
        (jg.NegativeBinomial(theta=4), jg.NegativeBinomial(alpha=0.25)),  # type: ignore[call-arg]
        (jg.Tweedie(var_power=1.2), jg.Tweedie(power=1.2)),  # type: ignore[call-arg]
        (jg.families.Poisson(jg.families.links.Log()), jg.Poisson()),  # type: ignore[misc]
    ],
)
def test_a_family_is_called_as_elsewhere(made: jg.Family, ours: jg.Family) -> None:
    assert made == ours


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ('binomial(link = "logit")', jg.Binomial()),
        ("poisson(link=log)", jg.Poisson()),
        ("poisson(sqrt)", jg.Poisson(link=jg.Sqrt())),
        ("Gamma()", jg.Gamma()),
        ('inverse.gaussian(link = "1/mu^2")', jg.InverseGaussian(link=jg.InverseSquared())),
        ("jg.Binomial(link=jg.Probit())", jg.Binomial(link=jg.Probit())),
        ("nb(theta = 2)", jg.NegativeBinomial(alpha=0.5)),
        ('quasi(link = "log", variance = "mu^2")', jg.Quasi("mu^2", link=jg.Log())),
        ("normal", jg.Gaussian()),
        ("Gamma(link = power(1/4))", jg.Gamma(link=jg.Power(0.25))),
        ('gaussian(link = "power(0.5)")', jg.Gaussian(link=jg.Sqrt())),
        ("tweedie(var.power=1.5, link.power=0)", jg.Tweedie(1.5)),
        ("statmod::tweedie(var.power = 1.5, link.power = 0.25)", jg.Tweedie(link=jg.Power(0.25))),
        ("tweedie(var_power=1.2)", jg.Tweedie(1.2)),
        ("MASS::negative.binomial(2)", jg.NegativeBinomial(alpha=0.5)),
        ('negative.binomial(2, "sqrt")', jg.NegativeBinomial(0.5, link=jg.Sqrt())),
        ("stats::poisson", jg.Poisson()),
        ("MASS::negative.binomial(theta = 2)", jg.NegativeBinomial(alpha=0.5)),
    ],
)
def test_a_family_is_written_as_in_r(text: str, ours: jg.Family) -> None:
    assert family(text) == ours


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        (theirs.Poisson, jg.Poisson()),
        (theirs.Gamma(), jg.Gamma()),
        (theirs.Binomial(theirs.links.CLogLog()), jg.Binomial(link=jg.CLogLog())),
        (theirs.Binomial(theirs.links.Cauchy()), jg.Binomial(link=jg.Cauchit())),
        (theirs.Gaussian(theirs.links.InversePower()), jg.Gaussian(link=jg.Inverse())),
        (theirs.Tweedie(theirs.links.Power(0.3), 1.7), jg.Tweedie(1.7, link=jg.Power(0.3))),
        (theirs.Tweedie(theirs.links.Power(0.5), 1.7), jg.Tweedie(1.7, link=jg.Sqrt())),
        (theirs.NegativeBinomial(alpha=2), jg.NegativeBinomial(alpha=2.0)),
    ],
)
def test_statsmodels_objects_are_read(given: Any, ours: jg.Family) -> None:
    assert family(given) == ours


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: family("poison"), "did you mean 'poisson'"),
        (lambda: family("binomial(link=logitt)"), "did you mean 'logit'"),
        (lambda: family("binomial(lnk=logit)"), "did you mean 'link'"),
        (lambda: family("poisson("), "cannot be read; write it as"),
        (lambda: family("poisson(link=power(x))"), r"as in 'power\(1/3\)'"),
        (lambda: jg.NegativeBinomial("lgo"), "did you mean 'log'"),
        (lambda: family("nb(2)"), r"nb\(alpha=0.5\)"),
        (lambda: family("negative_binomial(2)"), r"nb\(alpha=0.5\)"),
        (lambda: family("tweedie(1.5)"), r"tweedie\(power=1.5\)"),
        (lambda: family("tweedie(var.power=1.5)"), "add link.power=0 for the log"),
        (lambda: family("negative.binomial(0)"), "theta must be positive"),
        (lambda: family("poisson(log, link='sqrt')"), r"twice.*Poisson\(link=...\)"),
        (lambda: family("Gamma(log, sqrt)"), r"twice.*Gamma\(link=...\)"),
        (lambda: jg.Tweedie([1, 2]), "power must be one number"),
        (lambda: jg.Tweedie(**{"var_power": [1, 2]}), "power must be one number"),
        (lambda: family("tweedie(power=[1, 2])"), "power must be one number"),
        (lambda: jg.NegativeBinomial(alpha="2"), "alpha must be one number"),
        (lambda: jg.Tweedie(link_power="x"), "exponent must be a number"),  # type: ignore[call-arg]
        (
            lambda: family(jg.Poisson(link=jg.Sqrt()), "identity"),
            "given twice.*sqrt.*identity",
        ),
        (lambda: family(jg.Poisson(), "sqrt"), "link is given twice"),
        (lambda: family("poisson(link=sqrt)", "identity"), "link is given twice"),
        (lambda: family(theirs.Poisson(), "sqrt"), "link is given twice"),
        (lambda: jg.Poisson(links=jg.Log()), "did you mean 'link'"),  # type: ignore[call-arg]
        (lambda: jg.NegativeBinomial(alpha=1, theta=1), "theta= is alpha="),  # type: ignore[call-arg]
        (lambda: jg.NegativeBinomial(theta=0), "theta must be positive"),  # type: ignore[call-arg]
        (lambda: family(theirs.Binomial(theirs.links.LogC())), "LogC link has no counterpart"),
        (lambda: family(sm.GLM), "must be a name or a family object"),
    ],
)
def test_what_is_no_family_is_told_what_to_write(make: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        make()


@pytest.mark.parametrize("given", ["poisson", "poisson()", jg.Poisson, jg.Poisson(link=jg.Sqrt())])
def test_a_link_beside_a_family_that_names_no_other(given: Any) -> None:
    assert family(given, "sqrt") == jg.Poisson(link=jg.Sqrt())


def test_a_constructor_of_ones_own_keeps_its_arguments() -> None:
    class Own(jg.Poisson):
        def __init__(self, first: Any, link: Any = "log") -> None:
            object.__setattr__(self, "link", link)
            object.__setattr__(self, "first", first)

    assert Own("sqrt").first == "sqrt"  # type: ignore[attr-defined]
    assert Own(1, link="sqrt").link == jg.Sqrt()
