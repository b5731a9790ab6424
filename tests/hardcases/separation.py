"""Separation and infinite estimates."""

import numpy as np

from ._registry import (
    NO_OPTIMUM,
    in_group,
    model,
    normal,
    poisson_quantile,
    report,
    uniform,
    value,
    with_intercept,
)

case = in_group("separation and infinite estimates")


@case(
    "sep_complete",
    "complete separation, one predictor",
    ["statsmodels/statsmodels#39", "JuliaStats/GLM.jl#286"],
)
def _():
    x = np.array([-4, -3, -2, -1, 1, 2, 3, 4.0])
    return dict(
        X=with_intercept(8, x),
        y=(x > 0) * 1.0,
        kwargs=model("binomial", "logit"),
        expect=report(NO_OPTIMUM),
    )


@case("sep_quasi", "quasi-complete separation: classes touch at one x value")
def _():
    x = np.array([-2, -1, 0, 0, 1, 2.0])
    return dict(
        X=with_intercept(6, x),
        y=np.array([0, 0, 0, 1, 1, 1.0]),
        kwargs=model("binomial", "logit"),
        expect=report(NO_OPTIMUM),
    )


@case(
    "sep_factor_level",
    "one factor level has only successes; the other coefficients are finite",
    ["statsmodels/statsmodels#2282"],
)
def _():
    n = 60
    x = normal(n)
    g = (np.arange(n) % 5 == 0) * 1.0
    y = (uniform(n, 1) < 1 / (1 + np.exp(-0.3 - 0.8 * x))) * 1.0
    y[g == 1] = 1
    return dict(
        X=with_intercept(n, x, g),
        y=y,
        kwargs=model("binomial", "logit", names=["const", "x", "g"]),
        expect=report(
            NO_OPTIMUM,
            finite_from="drop g==1 rows and the g column",
        ),
    )


@case("sep_all_ones", "every response is 1, with a predictor", ["Quantco/glum#874"])
def _():
    return dict(
        X=with_intercept(30, normal(30)),
        y=np.ones(30),
        kwargs=model("binomial", "logit"),
        expect=report(NO_OPTIMUM + "|one class|single class|constant|at least 2 classes|variation"),
    )


@case("sep_probit", "complete separation under probit")
def _():
    x = normal(40)
    return dict(
        X=with_intercept(40, x),
        y=(x > 0.1) * 1.0,
        kwargs=model("binomial", "probit"),
        expect=report(NO_OPTIMUM),
    )


@case(
    "sep_combination",
    "separated only by a combination of three predictors, no single column shows it",
    ["ikosmidis/brglm2#27"],
)
def _():
    n = 80
    A = np.column_stack([normal(n, k) for k in range(3)])
    e = A @ [1.0, -1.0, 0.5]
    return dict(
        X=with_intercept(n, *A.T),
        y=(e > 0.05) * 1.0,
        kwargs=model("binomial", "logit"),
        expect=report(NO_OPTIMUM),
    )


@case(
    "sep_poisson_zero_group",
    "Poisson: a group whose counts are all zero (coefficient -> -inf)",
    ["lrberge/fixest#529", "statsmodels/statsmodels#1512", "statsmodels/statsmodels#1391"],
)
def _():
    n = 200
    d1 = (uniform(n) < 0.5) * 1.0
    d2 = (uniform(n, 1) < 0.3) * 1.0
    y = poisson_quantile(uniform(n, 2), np.exp(d1))
    y[d2 == 1] = 0
    return dict(
        X=with_intercept(n, d1, d2),
        y=y,
        kwargs=model("poisson", "log", names=["const", "d1", "d2"]),
        expect=report(
            NO_OPTIMUM + "|zero",
            finite_from="rows with d2 == 0",
        ),
    )


@case(
    "sep_poisson_combination",
    "Poisson: all counts zero wherever a linear combination is positive"
    " (Santos Silva & Tenreyro 2010)",
    ["py-econometrics/pyfixest#457", "sergiocorreia/ppmlhdfe#18"],
)
def _():
    n = 120
    a, b = np.round(3 * uniform(n)), np.round(3 * uniform(n, 1))
    w = np.maximum(a - b, 0)
    y = poisson_quantile(uniform(n, 2), np.exp(0.5 + 0.2 * b))
    y[w > 0] = 0
    return dict(
        X=with_intercept(n, b, w),
        y=y,
        kwargs=model("poisson", "log", names=["const", "b", "w"]),
        expect=report(
            NO_OPTIMUM + "|zero",
            finite_from="rows with w == 0",
        ),
    )


@case("sep_poisson_all_zero", "Poisson: every count is zero")
def _():
    return dict(
        X=with_intercept(20, normal(20)),
        y=np.zeros(20),
        kwargs=model("poisson", "log"),
        expect=report(NO_OPTIMUM + "|zero|variation"),
    )


@case(
    "sep_grouped_cells",
    "grouped binomial with 0/n and n/n cells and one parameter per cell",
    ["statsmodels/statsmodels#3703"],
)
def _():
    return dict(
        X=np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1.0]]),
        y=np.array([0, 5, 12.0]),
        kwargs=model("binomial", "logit", trials=np.array([10, 10, 12.0])),
        expect=report(NO_OPTIMUM),
    )


@case("sep_almost", "almost separated, finite MLE: must not be called separated")
def _():
    x = np.linspace(-3, 3, 41)
    y = (x > 0) * 1.0
    y[19], y[22] = 1, 0
    return dict(
        X=with_intercept(41, x),
        y=y,
        kwargs=model("binomial", "logit"),
        expect=value(digits=6, must_not_report=True),
    )


@case("sep_tweedie_zero_group", "Tweedie p = 1.5 with a group of zeros only")
def _():
    n = 60
    g = (np.arange(n) % 4 == 0) * 1.0
    x = normal(n)
    y = np.where(uniform(n, 1) < 0.4, 0.0, np.exp(0.5 * x + normal(n, 2)))
    y[g == 1] = 0
    return dict(
        X=with_intercept(n, x, g),
        y=y,
        kwargs=model("tweedie", "log", power=1.5, names=["const", "x", "g"]),
        expect=report(
            NO_OPTIMUM + "|zero",
            finite_from="rows with g == 0",
        ),
    )
