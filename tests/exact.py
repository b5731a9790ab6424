"""Links and families in hundreds of digits, from textbook formulas; no code of the library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from jaxglm import families, links

mp = mpmath.mp.clone()
# The mean of a tail row is 1 - 1e-304 and the like: digits enough to tell it from 1.
mp.dps = 330
HALF = mp.mpf(1) / 2


def link(chosen: links.Link) -> tuple[Callable, Callable]:
    """The mean as a function of eta, and its derivative."""
    if isinstance(chosen, links.Power):
        k = 1 / mp.mpf(chosen.exponent)
        return lambda e: e**k, lambda e: k * e ** (k - 1)
    root2 = mp.sqrt(2)
    return {
        "identity": (lambda e: e, lambda e: mp.mpf(1)),
        "log": (mp.exp, mp.exp),
        "logit": (
            lambda e: 1 / (1 + mp.exp(-e)),
            lambda e: mp.exp(-e) / (1 + mp.exp(-e)) ** 2,
        ),
        "probit": (
            lambda e: mp.erfc(-e / root2) / 2,
            lambda e: mp.exp(-e * e / 2) / mp.sqrt(2 * mp.pi),
        ),
        "cloglog": (lambda e: -mp.expm1(-mp.exp(e)), lambda e: mp.exp(e - mp.exp(e))),
        "loglog": (lambda e: mp.exp(-mp.exp(-e)), lambda e: mp.exp(-e - mp.exp(-e))),
        "cauchit": (lambda e: HALF + mp.atan(e) / mp.pi, lambda e: 1 / (mp.pi * (1 + e * e))),
        "inverse": (lambda e: 1 / e, lambda e: -1 / e**2),
        "inverse_squared": (lambda e: 1 / mp.sqrt(e), lambda e: -HALF / (e * mp.sqrt(e))),
        "sqrt": (lambda e: e * e, lambda e: 2 * e),
    }[chosen.name]


def xlogy(x: Any, y: Any) -> Any:
    return mp.mpf(0) if x == 0 else x * mp.log(y)


@dataclass
class Law:
    """Variance, loss (with the library's choice of terms in y alone) and unit deviance."""

    variance: Callable
    loss: Callable
    deviance: Callable


def law(family: families.Family) -> Law:
    name = family.name
    if name == "quasi":
        named = {"mu": "poisson", "mu^2": "gamma", "mu^3": "inverse_gaussian"}
        named |= {"constant": "gaussian", "mu(1-mu)": "binomial", "mu^2(1-mu)^2": "wedderburn"}
        name = named[family.variance_function]
    if name == "gaussian":
        return Law(lambda m: mp.mpf(1), lambda y, m: (y - m) ** 2 / 2, lambda y, m: (y - m) ** 2)
    if name in ("binomial", "quasibinomial"):
        return Law(
            lambda m: m * (1 - m),
            lambda y, m: -xlogy(y, m) - xlogy(1 - y, 1 - m),
            lambda y, m: 2 * (xlogy(y, y / m) + xlogy(1 - y, (1 - y) / (1 - m))),
        )
    if name == "wedderburn":

        def kernel(y, m):
            return y / m + (1 - y) / (1 - m) - (2 * y - 1) * mp.log(m / (1 - m))

        return Law(
            lambda m: (m * (1 - m)) ** 2, kernel, lambda y, m: 2 * (kernel(y, m) - kernel(y, y))
        )
    if name == "negative_binomial":
        a = mp.mpf(family.alpha)
        if a == 0:
            return law(families.Poisson())
        t = 1 / a
        return Law(
            lambda m: m + a * m * m,
            lambda y, m: (y + t) * mp.log(1 + a * m) - xlogy(y, m),
            lambda y, m: 2 * (xlogy(y, y / m) - (y + t) * mp.log((y + t) / (m + t))),
        )
    p = {"poisson": 1, "quasipoisson": 1, "gamma": 2, "inverse_gaussian": 3}.get(name)
    p = mp.mpf(family.power if p is None else p)

    def power_integral(k, m):
        return mp.log(m) if k == 0 else m**k / k

    def power_deviance(y, m):
        if p == 0:
            return (y - m) ** 2
        if p == 1:
            return 2 * (xlogy(y, y / m) - (y - m))
        if p == 2:
            return 2 * ((y - m) / m - mp.log(y / m))
        at_y = mp.mpf(0) if y == 0 else y ** (2 - p) / ((1 - p) * (2 - p))
        return 2 * (at_y - y * m ** (1 - p) / (1 - p) + m ** (2 - p) / (2 - p))

    def power_loss(y, m):
        if name == "inverse_gaussian":
            return power_deviance(y, m) / 2
        return power_integral(2 - p, m) - (y * power_integral(1 - p, m) if y != 0 else 0)

    return Law(lambda m: m**p, power_loss, power_deviance)


def rows(family: families.Family, y: np.ndarray, eta: np.ndarray) -> dict[str, np.ndarray]:
    """Loss, score and Fisher weight of each row."""
    inverse, derivative = link(family.link)
    rule = law(family)
    out: dict[str, list] = {"loss": [], "score": [], "fisher_weight": []}
    for y_row, eta_row in zip(y, eta, strict=True):
        y_exact, e = mp.mpf(float(y_row)), mp.mpf(float(eta_row))
        mu, slope = inverse(e), derivative(e)
        variance = rule.variance(mu)
        out["loss"].append(float(rule.loss(y_exact, mu)))
        out["score"].append(float((mu - y_exact) / variance * slope))
        out["fisher_weight"].append(float(slope**2 / variance))
    return {key: np.array(values) for key, values in out.items()}
