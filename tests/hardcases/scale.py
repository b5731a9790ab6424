"""Extreme scales and cancellation."""

import numpy as np

from ._registry import (
    in_group,
    line,
    model,
    normal,
    poisson_quantile,
    table,
    uniform,
    value,
    with_intercept,
)

case = in_group("scale and cancellation")


@case(
    "scale_columns_1e8",
    "columns scaled 1e-8 and 1e8, Poisson",
    ["scikit-learn/scikit-learn#15556", "Quantco/glum#872"],
)
def _():
    n = 150
    a, b = normal(n), normal(n, 1)
    return dict(
        X=with_intercept(n, a * 1e-8, b * 1e8),
        y=poisson_quantile(uniform(n, 2), np.exp(0.5 + 0.3 * a - 0.4 * b)),
        kwargs=model("poisson", "log"),
        expect=value(digits=6),
    )


@case(
    "scale_insurance_holders",
    "raw exposure (up to 3582) as a Poisson predictor next to dummies",
    ["scikit-learn/scikit-learn#27016", "scikit-learn/scikit-learn#29681"],
)
def _():
    data = table("reference/data/insurance.csv")
    columns = [
        data[name] == level
        for name in ("District", "Group", "Age")
        for level in list(dict.fromkeys(data[name].tolist()))[1:]
    ]
    return dict(
        X=with_intercept(len(data["Claims"]), *columns, data["Holders"]),
        y=data["Claims"],
        kwargs=model("poisson", "log"),
        expect=value(digits=6),
    )


@case(
    "mean_1e6_logit",
    "predictor with mean 1e6 and unit spread, logistic, not centred",
    ["scikit-learn/scikit-learn#15583"],
)
def _():
    n = 200
    x = np.round(1e6 + normal(n), 3)
    return dict(
        X=with_intercept(n, x),
        y=(uniform(n, 1) < 1 / (1 + np.exp(-(x - 1e6)))) * 1.0,
        kwargs=model("binomial", "logit"),
        expect=value(digits=5),
    )


@case("unix_time_poisson", "unix time stamps (1.7e9, one day wide) as a predictor")
def _():
    n = 200
    t = 1.7e9 + np.arange(n) * 432.0
    return dict(
        X=with_intercept(n, t),
        y=poisson_quantile(uniform(n), np.exp(1 + 1e-5 * (t - 1.7e9))),
        kwargs=model("poisson", "log"),
        expect=value(digits=4, fitted_digits=8),
    )


@case("y_mean_1e12", "NIST SmLs07-like: response 1e12 + small differences between 9 groups")
def _():
    y, g = [], []
    for k in range(9):
        for j in range(21):
            y.append(1e12 + (0.4 if j == 0 else (0.3 if j % 2 else 0.5)) + 0.1 * k)
            g.append(k)
    g = np.array(g)
    return dict(
        X=with_intercept(len(y), *[(g == k) * 1.0 for k in range(1, 9)]),
        y=np.array(y),
        kwargs=model("gaussian", "identity"),
        expect=value(digits=3, abs_tol=2e-4),
    )


@case("offset_plus_700", "offset of about +700 (exp of it is 1e304), Poisson")
def _():
    n = 80
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=poisson_quantile(uniform(n, 1), np.exp(1 + 0.4 * x)),
        kwargs=model("poisson", "log", offset=700 + np.round(uniform(n, 2), 3)),
        expect=value(digits=6),
    )


@case("offset_minus_700", "offset of about -700, Poisson")
def _():
    n = 80
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=poisson_quantile(uniform(n, 1), np.exp(1 + 0.4 * x)),
        kwargs=model("poisson", "log", offset=-700 + np.round(uniform(n, 2), 3)),
        expect=value(digits=6),
    )


@case("offset_huge_1e4", "offset of 10000: the optimum is representable, exp(offset) is not")
def _():
    n = 80
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=poisson_quantile(uniform(n, 1), np.exp(1 + 0.4 * x)),
        kwargs=model("poisson", "log", offset=np.full(n, 1e4)),
        expect=value(digits=6, or_report="offset|overflow|finite|infinit|converge|no valid|start"),
    )


@case("counts_1e9", "Poisson counts around 1e9")
def _():
    n = 60
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=np.round(1e9 * np.exp(0.2 * x + 1e-4 * normal(n, 1))),
        kwargs=model("poisson", "log"),
        expect=value(digits=8),
    )


@case("gamma_tiny_y", "Gamma responses near 1e-12")
def _():
    n = 60
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=1e-12 * np.exp(0.5 * x + 0.3 * normal(n, 1)),
        kwargs=model("Gamma", "log"),
        expect=value(digits=6),
    )


@case("gamma_huge_y", "Gamma responses near 1e15")
def _():
    n = 60
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=1e15 * np.exp(0.5 * x + 0.3 * normal(n, 1)),
        kwargs=model("Gamma", "log"),
        expect=value(digits=6),
    )


@case("gamma_12_decades", "Gamma responses from 1e-6 to 1e6", ["lme4/lme4#955"])
def _():
    n = 60
    x = np.linspace(-6, 6, n)
    return dict(
        X=with_intercept(n, x),
        y=10.0 ** (x + 0.5 * normal(n, 1)),
        kwargs=model("Gamma", "log"),
        expect=value(digits=6),
    )


@case("binomial_rare_1e9", "3 and 11 successes out of 1e9 trials")
def _():
    return dict(
        X=np.array([[1, 0], [1, 1.0]]),
        y=np.array([3, 11.0]),
        kwargs=model("binomial", "logit", trials=np.array([1e9, 1e9])),
        expect=value(digits=8),
    )


@case("binomial_rare_events", "5 events in 20000 rows")
def _():
    n = 20000
    x = np.round(normal(n), 4)
    y = np.zeros(n)
    y[[17, 333, 4444, 9999, 15000]] = 1
    return dict(
        X=with_intercept(n, x), y=y, kwargs=model("binomial", "logit"), expect=value(digits=6)
    )


@case(
    "gaussian_y_scale_1e-150",
    "Gaussian response of size 1e-150 (squares underflow towards the denormals)",
)
def _():
    x, y = line()
    return dict(
        X=with_intercept(30, x),
        y=y * 1e-150,
        kwargs=model("gaussian", "identity"),
        expect=value(digits=6),
    )
