"""Responses outside the family's support."""

import numpy as np

from ._registry import error, in_group, model, normal, value, with_intercept

case = in_group("response outside the family's support")

SUPPORT = (
    "negative|positive|range|support|domain|0 ?<=|between|must be|y values|label|exceed|trials"
)


def _bad(y, fam, link, **kw):
    n = len(y)
    return dict(
        X=with_intercept(n, np.arange(n)),
        y=np.array(y, float),
        kwargs=model(fam, link, **kw),
        expect=error(SUPPORT),
    )


@case("y_poisson_negative", "a count of -1", ["SauersML/gam#337", "scikit-learn-contrib/skglm#114"])
def _():
    return _bad([2, 3, 4, 5, -1, 3], "poisson", "log")


@case(
    "y_binomial_above_one",
    "counts given as a binomial response without trials",
    [
        "statsmodels/statsmodels#9058",
        "statsmodels/statsmodels#5603",
        "JuliaStats/MixedModels.jl#621",
    ],
)
def _():
    return _bad([4, 10, 3, 2, 4, 1, 0, 7], "binomial", "logit")


@case("y_binomial_minus_one_plus_one", "labels -1 / +1 as a binomial response")
def _():
    return _bad([-1, 1, 1, -1, 1, -1, -1, 1], "binomial", "logit")


@case("y_trials_exceeded", "more successes than trials")
def _():
    return _bad([3, 6, 2, 4], "binomial", "logit", trials=np.array([5, 5, 5, 5.0]))


@case(
    "y_gamma_zero",
    "a zero in a Gamma response",
    ["SauersML/gam#335", "mlr-org/mlr#1381", "h2oai/h2o-3#2433"],
)
def _():
    return _bad([1, 2, 0, 4, 3], "Gamma", "log")


@case("y_gamma_negative", "a negative Gamma response", ["stan-dev/rstanarm#144"])
def _():
    return _bad([-118, 58, 42, 35, 27, 25], "Gamma", "inverse")


@case("y_invgauss_zero", "a zero in an inverse Gaussian response")
def _():
    return _bad([1, 2, 0, 4, 3], "inverse.gaussian", "log")


@case("y_tweedie_negative", "a negative Tweedie response")
def _():
    return _bad([0, 2, -0.5, 4, 3], "tweedie", "log", power=1.5)


@case("y_nb_negative", "a negative count, negative binomial")
def _():
    return _bad([0, 2, -3, 4, 3], "negative.binomial", "log", theta=1.0)


@case("y_poisson_fractional", "fractional counts: fit allowed (quasi-likelihood), must not crash")
def _():
    n = 30
    x = normal(n)
    return dict(
        X=with_intercept(n, x),
        y=np.round(np.exp(0.3 * x) * 2, 2),
        kwargs=model("poisson", "log"),
        expect=value(digits=6),
    )
