"""Families with a shape parameter: negative binomial and Tweedie near their limits."""

import numpy as np

from ._registry import (
    in_group,
    model,
    normal,
    poisson_quantile,
    report,
    uniform,
    value,
    with_intercept,
)

case = in_group("convergence")


@case(
    "nb_underdispersed",
    "negative binomial ML on under-dispersed counts: theta -> infinity, coefficients as in Poisson",
    ["statsmodels/statsmodels#1631", "statsmodels/statsmodels#2406"],
)
def _():
    n = 40
    x = normal(n)
    y = np.round(np.exp(1.6 + 0.2 * x))
    return dict(
        X=with_intercept(n, x),
        y=y,
        kwargs=model("negative.binomial", "log", estimate_theta=True),
        expect=report(
            "theta|alpha|dispers|poisson|boundary|iteration limit|converge|infin|Inverting hessian",
            limit="poisson",
        ),
    )


@case(
    "nb_huge_dispersion",
    "negative binomial ML, mostly zeros with a few thousands: theta about 0.05",
)
def _():
    n = 80
    x = np.round(normal(n), 3)
    y = np.zeros(n)
    y[[3, 11, 20, 33, 41, 56, 62, 70, 77]] = [1, 4000, 12, 350, 2, 9000, 30, 700, 5]
    return dict(
        X=with_intercept(n, x),
        y=y,
        kwargs=model("negative.binomial", "log", estimate_theta=True),
        expect=value(digits=5, theta=True),
    )


@case("nb_ml_small_table", "negative binomial ML on eight counts", ["statsmodels/statsmodels#9031"])
def _():
    return dict(
        X=with_intercept(8, [0, 0, 0, 0, 1, 1, 1, 1]),
        y=np.array([3, 0, 1, 12, 8, 2, 30, 1.0]),
        kwargs=model("negative.binomial", "log", estimate_theta=True),
        expect=value(digits=5, theta=True),
    )


@case(
    "nb_theta_1e10",
    "negative binomial with theta = 1e10 equals Poisson (digamma/lgamma cancellation)",
)
def _():
    n = 60
    x = normal(n)
    y = poisson_quantile(uniform(n, 1), np.exp(1 + 0.5 * x))
    return dict(
        X=with_intercept(n, x),
        y=y,
        kwargs=model("negative.binomial", "log", theta=1e10),
        expect=dict(
            kind="equal", digits=7, other=(with_intercept(n, x), y, model("poisson", "log"))
        ),
    )


@case("tweedie_p_1001", "Tweedie with p = 1.001")
def _():
    n = 60
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=poisson_quantile(uniform(n, 1), np.exp(0.5 + 0.4 * x)),
        kwargs=model("tweedie", "log", power=1.001),
        expect=value(digits=6),
    )


@case("tweedie_p_1999", "Tweedie with p = 1.999 and some zeros", ["Quantco/glum#95"])
def _():
    n = 60
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=np.where(uniform(n, 1) < 0.1, 0, np.exp(0.5 * x + normal(n, 2))),
        kwargs=model("tweedie", "log", power=1.999),
        expect=value(digits=6),
    )
