"""Rank-deficient and ill-conditioned designs."""

import numpy as np

from ._registry import (
    RANK,
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

case = in_group("rank and degenerate designs")


@case(
    "rank_duplicate_column",
    "a column given twice",
    ["statsmodels/statsmodels#8409", "Quantco/glum#723", "JuliaAI/MLJGLMInterface.jl#47"],
)
def _():
    x, y = line()
    return dict(
        X=with_intercept(30, x, x),
        y=y,
        kwargs=model("gaussian", "identity", names=["const", "x", "x_again"]),
        expect=dict(kind="alias", mention=RANK),
    )


@case("rank_dummy_trap", "intercept plus every level of a factor, Poisson")
def _():
    n = 40
    g = np.arange(n) % 3
    D = [(g == k) * 1.0 for k in range(3)]
    return dict(
        X=with_intercept(n, *D),
        y=poisson_quantile(uniform(n), np.exp(0.5 + 0.4 * g)),
        kwargs=model("poisson", "log"),
        expect=dict(kind="alias", mention=RANK),
    )


@case("rank_more_columns_than_rows", "8 columns, 5 rows")
def _():
    n = 5
    X = with_intercept(n, *[normal(n, k) for k in range(7)])
    return dict(
        X=X,
        y=np.array([1, 3, 2, 5, 4.0]),
        kwargs=model("gaussian", "identity"),
        expect=dict(kind="alias", mention=RANK + "|more columns|fewer|observations"),
    )


@case("rank_zero_column", "a column of zeros, logistic")
def _():
    n = 50
    x = normal(n)
    return dict(
        X=with_intercept(n, x, np.zeros(n)),
        y=(uniform(n, 1) < 1 / (1 + np.exp(-x))) * 1.0,
        kwargs=model("binomial", "logit"),
        expect=dict(kind="alias", mention=RANK + "|zero"),
    )


@case("rank_second_constant", "a second constant column (3.7), Gamma log")
def _():
    n = 40
    x = normal(n)
    return dict(
        X=with_intercept(n, x, np.full(n, 3.7)),
        y=np.exp(0.5 + 0.3 * x + 0.2 * normal(n, 1)),
        kwargs=model("Gamma", "log"),
        expect=dict(kind="alias", mention=RANK),
    )


@case(
    "rank_near_1e-5", "two columns that differ by 1e-5: full rank in double, answer is determined"
)
def _():
    n = 100
    x = normal(n)
    return dict(
        X=with_intercept(n, x, x + 1e-5 * normal(n, 1)),
        y=poisson_quantile(uniform(n, 2), np.exp(0.4 + 0.3 * x)),
        kwargs=model("poisson", "log"),
        expect=value(digits=4, fitted_digits=8),
    )


@case(
    "rank_near_1e-15",
    "two columns that differ only by rounding noise (1e-15): must be reported,"
    " the huge coefficients it gives are noise",
)
def _():
    n = 100
    x = normal(n)
    return dict(
        X=with_intercept(n, x, x + 1e-15 * normal(n, 1)),
        y=1 + x + 0.1 * normal(n, 2),
        kwargs=model("gaussian", "identity"),
        expect=dict(kind="alias", mention=RANK, fitted_digits=5),
    )


@case(
    "nist_filip",
    "NIST StRD Filip: degree-10 polynomial, condition number 1e15; R's lm, many packages give up",
)
def _():
    data = table("hardcases/filip.csv")
    y, x = data["y"], data["x"]
    return dict(
        X=np.column_stack([x**k for k in range(11)]),
        y=y,
        kwargs=model("gaussian", "identity"),
        expect=value(
            digits=5,
            fitted_digits=6,
            or_report=RANK,
            note="powers as rounded by numpy: they move the certified coefficients"
            " (-1467.48961422980, -2772.17959193342, ...) in about the eighth digit",
        ),
    )


@case("nist_longley", "NIST StRD Longley (certified coefficients)")
def _():
    data = table("hardcases/longley.csv")
    employed = data.pop("Employed")
    return dict(
        X=with_intercept(16, *data.values()),
        y=employed,
        kwargs=model("gaussian", "identity"),
        expect=value(digits=8),
    )


def _wampler(k):
    x = np.arange(21.0)
    # fmt: off
    noise = np.array([
        759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048,
        -2048, 1838, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 759.0,
    ])
    # fmt: on
    y = sum(x**j for j in range(6)) + {1: 0, 4: 100, 5: 10000}[k] * noise
    return dict(
        X=np.column_stack([x**j for j in range(6)]),
        y=y,
        kwargs=model("gaussian", "identity"),
        expect=value(digits=5),
    )


@case("nist_wampler1", "NIST StRD Wampler1: exact fit, degree 5")
def _():
    return _wampler(1)


@case("nist_wampler4", "NIST StRD Wampler4: noise 1e5 times the signal")
def _():
    return _wampler(4)


@case("nist_wampler5", "NIST StRD Wampler5: noise 1e7 times the signal")
def _():
    return _wampler(5)
