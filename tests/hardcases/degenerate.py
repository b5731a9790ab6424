"""Degenerate responses, sizes and shapes."""

import numpy as np

from ._registry import error, in_group, model, normal, value, with_intercept

case = in_group("degenerate responses and sizes")


@case(
    "perfect_fit_gaussian",
    "y exactly linear: deviance 0, SEs 0, no NaN coefficient",
    ["statsmodels/statsmodels#3703"],
)
def _():
    x = np.arange(8.0)
    return dict(
        X=with_intercept(8, x),
        y=3 + 2 * x,
        kwargs=model("gaussian", "identity"),
        expect=value(digits=10, closed_form="3, 2"),
    )


@case("perfect_fit_poisson", "counts exactly 2^x: deviance 0, relative convergence test is 0/0")
def _():
    x = np.arange(5.0)
    return dict(
        X=with_intercept(5, x),
        y=2.0**x,
        kwargs=model("poisson", "log"),
        expect=value(digits=6, abs_tol=1e-8, closed_form="0, log 2"),
    )


@case("constant_y_gaussian", "y constant, Gaussian")
def _():
    return dict(
        X=with_intercept(12, normal(12)),
        y=np.full(12, 5.0),
        kwargs=model("gaussian", "identity"),
        expect=value(digits=8, abs_tol=1e-10, closed_form="5, 0"),
    )


@case("constant_y_gamma", "y constant, Gamma log")
def _():
    return dict(
        X=with_intercept(12, normal(12)),
        y=np.full(12, 5.0),
        kwargs=model("Gamma", "log"),
        expect=value(digits=8, abs_tol=1e-8, closed_form="log 5, 0"),
    )


@case("single_row_poisson", "one observation, one coefficient")
def _():
    return dict(
        X=np.ones((1, 1)),
        y=np.array([7.0]),
        kwargs=model("poisson", "log"),
        expect=value(digits=8, closed_form="log 7"),
    )


@case(
    "single_row_gaussian",
    "one observation, Gaussian: coefficient exact, dispersion undefined (not 0, not a crash)",
)
def _():
    return dict(
        X=np.ones((1, 1)),
        y=np.array([7.0]),
        kwargs=model("gaussian", "identity"),
        expect=value(digits=8, closed_form="7", dispersion_undefined=True),
    )


@case("saturated_gamma", "n = p, Gamma log: exact fit, dispersion undefined")
def _():
    return dict(
        X=np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1.0]]),
        y=np.array([2, 3, 10.0]),
        kwargs=model("Gamma", "log"),
        expect=value(digits=8, closed_form="log 2, log 1.5, log 5", dispersion_undefined=True),
    )


@case("empty_data", "no rows")
def _():
    return dict(
        X=np.empty((0, 2)),
        y=np.empty(0),
        kwargs=model("poisson", "log"),
        expect=error(
            "empty|no (rows|observations|data)|0 (sample|row|obs)|zero|at least|minimum|shape"
        ),
    )


@case("no_columns", "no columns at all")
def _():
    return dict(
        X=np.empty((10, 0)),
        y=np.arange(10.0),
        kwargs=model("poisson", "log"),
        expect=error("column|feature|empty|at least|no (predictor|regressor|coefficient)|shape"),
    )


@case("length_mismatch_y", "X has 10 rows, y has 9")
def _():
    return dict(
        X=with_intercept(10, normal(10)),
        y=np.arange(9.0),
        kwargs=model("poisson", "log"),
        expect=error("length|shape|rows|inconsistent|dimension|match|sizes|aligned"),
    )


@case("length_mismatch_weights", "weights of the wrong length")
def _():
    return dict(
        X=with_intercept(10, normal(10)),
        y=np.arange(10.0),
        kwargs=model("poisson", "log", weights=np.ones(7), weights_kind="prior"),
        expect=error("length|shape|inconsistent|dimension|match|weights|same"),
    )


@case("length_mismatch_offset", "offset of the wrong length")
def _():
    return dict(
        X=with_intercept(10, normal(10)),
        y=np.arange(10.0),
        kwargs=model("poisson", "log", offset=np.zeros(4)),
        expect=error("length|shape|inconsistent|dimension|match|offset|same"),
    )
