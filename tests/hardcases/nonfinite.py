"""NaN and infinity in the input."""

import numpy as np

from ._registry import (
    NOT_FINITE,
    error,
    in_group,
    model,
    normal,
    poisson_quantile,
    uniform,
    with_intercept,
)

case = in_group("non-finite input")


# Words of which one must name the argument at fault; "deleted" is for engines that drop and say so.
ARGUMENT = {
    "X": "exog|\\bX\\b|column|input|design|predictor|observations deleted|covariate",
    "y": "endog|\\by\\b|response|target|observations deleted",
    "weights": "weight|observations deleted",
    "offset": "offset|exposure",
}


def _refused(argument, X=None, y=None, should_name=None, **kwargs):
    return dict(
        X=_design() if X is None else X,
        y=_response() if y is None else y,
        kwargs=model("poisson", "log", names=["const", "height", "weight"], **kwargs),
        expect=error(f"(?=.*({NOT_FINITE}))(?=.*({ARGUMENT[argument]}))", should_name=should_name),
    )


def _design():
    return with_intercept(20, normal(20), normal(20, 1))


def _response():
    return poisson_quantile(uniform(20, 2), 2.0)


@case(
    "nan_in_X",
    "one NaN in a column: clear error that names the column (or row)",
    ["Quantco/glum#716"],
)
def _():
    X = _design()
    X[7, 2] = np.nan
    return _refused("X", X=X, should_name="weight|2|row 7")


@case("inf_in_X", "one infinity in a column")
def _():
    X = _design()
    X[3, 1] = np.inf
    return _refused("X", X=X, should_name="height|1|row 3")


@case("nan_column", "a whole column of NaN")
def _():
    X = _design()
    X[:, 1] = np.nan
    return _refused("X", X=X)


@case("nan_in_y", "one NaN in y")
def _():
    y = _response()
    y[5] = np.nan
    return _refused("y", y=y)


@case("inf_in_y", "one infinity in y")
def _():
    y = _response()
    y[5] = np.inf
    return _refused("y", y=y)


@case("nan_in_weights", "one NaN in the weights")
def _():
    weights = np.where(np.arange(20) == 4, np.nan, 1.0)
    return _refused("weights", weights=weights, weights_kind="prior")


@case("inf_offset", "offset of -inf (log of a zero exposure)")
def _():
    return _refused("offset", offset=np.where(np.arange(20) == 9, -np.inf, 0.0))
