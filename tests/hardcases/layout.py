"""Types, memory layouts and tables."""

import numpy as np
import pandas as pd

from ._registry import (
    NOT_FINITE,
    RANK,
    error,
    in_group,
    model,
    normal,
    poisson_quantile,
    uniform,
    with_intercept,
)

case = in_group("types, layout, tables")


def _plain(n=64):
    x, w = np.round(10 * uniform(n)), np.round(10 * uniform(n, 1))
    return with_intercept(n, x, w), poisson_quantile(
        uniform(n, 2), np.exp(0.2 + 0.1 * x - 0.05 * w)
    )


def _same(X=None, y=None, **expect):
    """The plain problem with X or y in another guise: the same answer is expected."""
    plain_X, plain_y = _plain()
    poisson = model("poisson", "log")
    return dict(
        X=plain_X if X is None else X,
        y=plain_y if y is None else y,
        kwargs=poisson,
        expect=dict(kind="equal", digits=8, other=(plain_X, plain_y, poisson), **expect),
    )


@case("dtype_int8", "int8 design (products overflow if not promoted)")
def _():
    X, y = _plain()
    return _same(X=(X.astype(np.int8)), y=y.astype(np.int16))


@case("dtype_uint8_response", "unsigned response: y - mu must not wrap around")
def _():
    _, y = _plain()
    return _same(y=y.astype(np.uint8))


@case("dtype_bool", "boolean response and boolean column")
def _():
    n = 64
    b = uniform(n) < 0.4
    y = uniform(n, 1) < np.where(b, 0.7, 0.3)
    return dict(
        X=np.column_stack([np.ones(n, bool), b]),
        y=y,
        kwargs=model("binomial", "logit"),
        expect=dict(
            kind="equal",
            digits=8,
            other=(with_intercept(n, b), y * 1.0, model("binomial", "logit")),
        ),
    )


@case("dtype_object", "object array of Python numbers: right answer or a clear error")
def _():
    X, _ = _plain()
    return _same(X=X.astype(object), or_error="dtype|numeric|object|type")


@case("dtype_strings", "a column of strings: clear error")
def _():
    X, y = _plain()
    X = X.astype(object)
    X[:, 1] = "a"
    return dict(
        X=X,
        y=y,
        kwargs=model("poisson", "log"),
        expect=error("numeric|string|convert|dtype|object|float|number"),
    )


@case("dtype_complex", "complex design: refused")
def _():
    X, y = _plain()
    return dict(
        X=X + 0j, y=y, kwargs=model("poisson", "log"), expect=error("complex|real|dtype|numeric")
    )


@case(
    "dtype_float32",
    "float32 input: at least 5 correct digits against the double answer for the same numbers",
    ["Quantco/glum#844"],
)
def _():
    n = 200
    X = with_intercept(n, normal(n), normal(n, 1)).astype(np.float32)
    y = poisson_quantile(uniform(n, 2), np.exp(0.5 + 0.3 * X[:, 1])).astype(np.float32)
    return dict(
        X=X,
        y=y,
        kwargs=model("poisson", "log"),
        expect=dict(
            kind="equal",
            digits=5,
            other=(X.astype(float), y.astype(float), model("poisson", "log")),
            se_digits=4,
        ),
    )


@case(
    "dtype_float32_large_mean",
    "float32 design with mean 1000 and spread 1: normal equations in float32 lose everything",
)
def _():
    n = 400
    x = (1000 + np.round(normal(n), 2)).astype(np.float32)
    X = np.column_stack([np.ones(n, np.float32), x])
    e = x.astype(float) - 1000
    y = (1 + 0.5 * e + 0.2 * normal(n, 1)).astype(np.float32)
    return dict(
        X=X,
        y=y,
        kwargs=model("gaussian", "identity"),
        expect=dict(
            kind="equal",
            digits=3,
            other=(X.astype(float), y.astype(float), model("gaussian", "identity")),
            se_digits=2,
        ),
    )


@case("layout_noncontiguous", "strided views, negative strides, Fortran order")
def _():
    X, y = _plain()
    B = np.zeros((128, 6))
    B[::2, ::2] = X
    return _same(X=np.asfortranarray(B)[::2, ::2][::-1], y=y[::-1])


@case("layout_readonly_unchanged", "read-only input is accepted and never written to")
def _():
    X, y = _plain()
    X.setflags(write=False)
    y.setflags(write=False)
    return _same(X=X, y=y)


@case(
    "layout_y_column_vector",
    "y of shape (n, 1): same answer or a clear error, not an n x n broadcast",
)
def _():
    _, y = _plain()
    return _same(y=y[:, None], or_error="shape|1-?d|dimension|column")


def _frame():
    n = 60
    g = np.array(["a", "b", "c"])[np.arange(n) % 3]
    x = np.round(normal(n), 3)
    return pd.DataFrame(
        {
            "y": poisson_quantile(uniform(n, 1), np.exp(0.5 + 0.3 * x + 0.4 * (np.arange(n) % 3))),
            "x": x,
            "g": g,
        }
    )


def _formula(df, formula, expect, **kw):
    return dict(
        X=None,
        y=None,
        kwargs=model("poisson", "log", interface="formula", data=df, formula=formula, **kw),
        expect=expect,
    )


@case("table_duplicate_index", "pandas frame whose index has duplicates")
def _():
    df = _frame()
    d2 = df.copy()
    d2.index = np.arange(60) % 7
    return _formula(
        d2,
        "y ~ x + g",
        dict(kind="equal", digits=10, other=_formula(df, "y ~ x + g", None)["kwargs"]),
    )


@case(
    "table_unseen_level", "predict with a factor level never seen in the fit: error that names it"
)
def _():
    df = _frame()
    nd = df.head(3).copy()
    nd.loc[nd.index[1], "g"] = "zebra"
    return _formula(df, "y ~ x + g", error("zebra", should_name="zebra"), newdata=nd)


@case("table_missing_column", "predict without one of the columns: error that names it")
def _():
    df = _frame()
    return _formula(
        df, "y ~ x + g", error("\\bx\\b", should_name="x"), newdata=df.head(3).drop(columns="x")
    )


@case("table_column_order", "predict with the columns in another order: same prediction")
def _():
    df = _frame()
    return _formula(
        df,
        "y ~ x + g",
        dict(kind="predict_equal", digits=10, newdata2=df.head(5)[["g", "x", "y"]]),
        newdata=df.head(5),
    )


@case(
    "table_nan_in_newdata",
    "NaN in new data: NaN prediction in that row (or an error), never a shorter result",
)
def _():
    df = _frame()
    nd = df.head(4).copy()
    nd.loc[nd.index[2], "x"] = np.nan
    return _formula(
        df,
        "y ~ x + g",
        dict(kind="predict_nan", rows=4, nan_row=2, or_error=NOT_FINITE),
        newdata=nd,
    )


@case(
    "table_missing_values_reported",
    "missing values in the data of a formula fit: dropped rows are counted (nobs) or refused,"
    " and fitted values line up",
)
def _():
    df = _frame()
    df.loc[4, "x"] = np.nan
    df.loc[9, "y"] = np.nan
    return _formula(df, "y ~ x + g", dict(kind="nobs", nobs=58, or_error=NOT_FINITE))


@case(
    "table_unused_level",
    "categorical with a level that never occurs: dropped or reported, not a NaN fit",
)
def _():
    df = _frame()
    d2 = df.copy()
    d2["g"] = pd.Categorical(d2["g"], categories=["a", "b", "c", "never"])
    return _formula(
        d2,
        "y ~ x + g",
        dict(
            kind="equal_finite",
            digits=8,
            other=_formula(df, "y ~ x + g", None)["kwargs"],
            mention=RANK,
        ),
    )


@case("table_single_level", "a factor with one level only: clear error or dropped, not a crash")
def _():
    df = _frame()
    df["g"] = "a"
    return _formula(
        df,
        "y ~ x + g",
        dict(
            kind="equal_finite",
            digits=8,
            other=_formula(_frame().assign(g="a"), "y ~ x", None)["kwargs"],
            mention=RANK + "|level|contrast",
        ),
    )


@case(
    "table_misaligned_index",
    "X and y as pandas objects with different indexes: aligned or refused,"
    " not silently paired by position",
)
def _():
    X, y = _plain()
    Xd = pd.DataFrame(X, columns=["const", "a", "b"])
    ys = pd.Series(y, index=np.arange(64)[::-1])
    return dict(
        X=Xd,
        y=ys,
        kwargs=model("poisson", "log"),
        expect=dict(
            kind="equal",
            digits=8,
            other=(X, y[::-1], model("poisson", "log")),
            se=False,
            or_error="index|align",
        ),
    )
