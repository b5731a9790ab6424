"""Transformations that must not change the answer."""

import math

import numpy as np

from ._registry import (
    in_group,
    log_linear,
    model,
    normal,
    poisson_quantile,
    uniform,
    with_intercept,
)

case = in_group("invariance")


def _idat(n=120):
    x, w = normal(n), normal(n, 1)
    return with_intercept(n, x, w), poisson_quantile(uniform(n, 2), np.exp(0.4 + 0.5 * x - 0.3 * w))


@case("inv_row_permutation", "row order does not matter")
def _():
    X, y = _idat()
    p = np.argsort(uniform(120, 5))
    return dict(
        X=X[p],
        y=y[p],
        kwargs=model("poisson", "log"),
        expect=dict(kind="equal", digits=10, other=(X, y, model("poisson", "log"))),
    )


@case("inv_column_permutation", "column order only permutes the coefficients")
def _():
    X, y = _idat()
    return dict(
        X=X[:, [2, 0, 1]],
        y=y,
        kwargs=model("poisson", "log"),
        expect=dict(
            kind="equal", digits=10, other=(X, y, model("poisson", "log")), transform=[2, 0, 1]
        ),
    )


@case("inv_scale_equivariance", "X column times 1000: coefficient and SE divided by 1000")
def _():
    X, y = _idat()
    return dict(
        X=X * [1, 1000, 1],
        y=y,
        kwargs=model("poisson", "log"),
        expect=dict(
            kind="equal", digits=9, other=(X, y, model("poisson", "log")), scale=[1, 1e-3, 1]
        ),
    )


@case("inv_gamma_unit_change", "y times 1e6 with a log link: only the intercept moves, by log 1e6")
def _():
    X, y = log_linear()
    return dict(
        X=X,
        y=y * 1e6,
        kwargs=model("Gamma", "log"),
        expect=dict(
            kind="equal", digits=9, other=(X, y, model("Gamma", "log")), shift=[math.log(1e6), 0]
        ),
    )


@case("inv_success_failure_swap", "swapping 0 and 1 flips the signs (logit)")
def _():
    X, _y = _idat()
    y = (uniform(120, 3) < 1 / (1 + np.exp(-X[:, 1]))) * 1.0
    return dict(
        X=X,
        y=1 - y,
        kwargs=model("binomial", "logit"),
        expect=dict(
            kind="equal", digits=9, other=(X, y, model("binomial", "logit")), scale=[-1, -1, -1]
        ),
    )


@case("inv_offset_shift", "a constant moved into the offset only moves the intercept")
def _():
    X, y = _idat()
    return dict(
        X=X,
        y=y,
        kwargs=model("poisson", "log", offset=np.full(120, 5.0)),
        expect=dict(
            kind="equal", digits=9, other=(X, y, model("poisson", "log")), shift=[-5, 0, 0]
        ),
    )


@case("inv_grouped_ungrouped", "grouped binomial equals the expanded 0/1 rows (coefficients, SEs)")
def _():
    x = np.array([-2, -1, 0, 1, 2.0])
    s, t = np.array([1, 3, 6, 9, 9]), np.full(5, 10)
    X = with_intercept(5, x)
    r = np.repeat(np.arange(5), 10)
    y = np.concatenate([[1.0] * a + [0.0] * (10 - a) for a in s])
    return dict(
        X=X,
        y=s.astype(float),
        kwargs=model("binomial", "logit", trials=t.astype(float)),
        expect=dict(kind="equal", digits=8, other=(X[r], y, model("binomial", "logit"))),
    )


@case(
    "inv_repeatable",
    "the same fit twice is identical to the last bit (CPU) or 12 digits (accelerator)",
    ["Quantco/glum#785"],
)
def _():
    X, y = _idat()
    return dict(
        X=X,
        y=y,
        kwargs=model("poisson", "log"),
        expect=dict(kind="equal", digits=12, other=(X.copy(), y.copy(), model("poisson", "log"))),
    )
