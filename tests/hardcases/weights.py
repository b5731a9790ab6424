"""Prior and frequency weights."""

import numpy as np

from ._registry import error, in_group, log_linear, model, normal, uniform, value, with_intercept

case = in_group("weights")


@case(
    "weights_zero_equals_dropping",
    "zero prior weights equal dropping the rows (coefficients and SEs, Gamma)",
)
def _():
    X, y = log_linear()
    w = np.where(np.arange(60) % 3 == 0, 0.0, 1.0)
    k = w > 0
    return dict(
        X=X,
        y=y,
        kwargs=model("Gamma", "log", weights=w, weights_kind="prior"),
        expect=dict(kind="equal", digits=8, other=(X[k], y[k], model("Gamma", "log"))),
    )


@case("weights_negative", "a negative weight", ["statsmodels/statsmodels#8891"])
def _():
    X, y = log_linear()
    w = np.ones(60)
    w[5] = -2
    return dict(
        X=X,
        y=y,
        kwargs=model("Gamma", "log", weights=w, weights_kind="prior"),
        expect=error("weight|negative"),
    )


@case("weights_all_zero", "all weights zero")
def _():
    X, y = log_linear()
    return dict(
        X=X,
        y=y,
        kwargs=model("Gamma", "log", weights=np.zeros(60), weights_kind="prior"),
        expect=error("weight|zero|no observations|empty|positive"),
    )


@case(
    "weights_small_sum",
    "prior weights that sum to less than the number of coefficients: scale-free SEs",
    ["statsmodels/statsmodels#8891"],
)
def _():
    X, y = log_linear()
    w = 0.5 + uniform(60, 3)
    return dict(
        X=X,
        y=np.log(y),
        kwargs=model("gaussian", "identity", weights=w * 1e-3, weights_kind="prior"),
        expect=dict(
            kind="equal",
            digits=8,
            other=(X, np.log(y), model("gaussian", "identity", weights=w, weights_kind="prior")),
        ),
    )


@case("weights_span_1e12", "prior weights from 1e-6 to 1e6, logistic proportions")
def _():
    n = 60
    x = normal(n)
    w = 10.0 ** np.linspace(-6, 6, n)
    return dict(
        X=with_intercept(n, x),
        y=np.round(1 / (1 + np.exp(-0.5 * x - 0.5 * normal(n, 1))), 4),
        kwargs=model("binomial", "logit", weights=w, weights_kind="prior"),
        expect=value(digits=6),
    )


@case(
    "weights_frequency_million",
    "four distinct rows, a million observations: frequency weights equal a replicated data set"
    " (coefficients, SEs)",
)
def _():
    X = np.array([[1, 0], [1, 1], [1, 0], [1, 1.0]])
    y = np.array([0, 0, 1, 1.0])
    m = np.array([300000, 100000, 200000, 400000])
    return dict(
        X=X,
        y=y,
        kwargs=model("binomial", "logit", weights=m.astype(float), weights_kind="frequency"),
        expect=value(digits=7, closed_form="log odds: log(2/3), log(6)", se_digits=6),
    )


@case(
    "weights_replication",
    "frequency weights 1..4 equal repeating the rows (Gaussian, so df must count too)",
)
def _():
    X, y = log_linear(20)
    y = np.log(y)
    m = 1 + np.arange(20) % 4
    r = np.repeat(np.arange(20), m)
    return dict(
        X=X,
        y=y,
        kwargs=model("gaussian", "identity", weights=m.astype(float), weights_kind="frequency"),
        expect=dict(kind="equal", digits=8, other=(X[r], y[r], model("gaussian", "identity"))),
    )
