"""Problems on which plain Fisher scoring does not converge."""

import math

import numpy as np

from ._registry import (
    NO_OPTIMUM,
    in_group,
    model,
    normal,
    table,
    uniform,
    value,
    with_intercept,
)

case = in_group("convergence")


@case(
    "conv_marschner_null",
    "logistic null model, y = 1,1,1,0: plain IRLS from -1.81 diverges; answer log 3",
    ["mdonoghoe/glm2 (Marschner 2011, example 1)"],
)
def _():
    return dict(
        X=np.ones((4, 1)),
        y=np.array([1, 1, 1, 0.0]),
        kwargs=model("binomial", "logit", start=np.array([-1.81])),
        expect=value(digits=8, closed_form="log(3)"),
    )


@case(
    "conv_irls_overshoot",
    "outlying x values and weights: full Newton steps overshoot",
    ["statsmodels/statsmodels#1604"],
)
def _():
    wt = [50, 1, 50, 1, 5, 10]
    y = np.repeat([0, 1, 0, 0, 0, 1.0], wt)
    x = np.repeat([0, 0, 0.001, 100, -1, -1], wt)
    return dict(
        X=with_intercept(len(y), x), y=y, kwargs=model("binomial", "logit"), expect=value(digits=6)
    )


def _crabs(sample, expect):
    data = table("hardcases/crabs.csv")
    width = data["Width"]
    X = with_intercept(
        len(width), width - width.min(), data["Dark"] == "yes", data["GoodSpine"] == "yes"
    )
    rows = np.arange(len(width)) if sample is None else data[sample].astype(int) - 1
    return dict(
        X=X[rows],
        y=data["Satellites"][rows],
        kwargs=model(
            "poisson",
            "identity",
            names=["const", "width_shifted", "dark", "good_spine"],
            start=np.ones(4),
        ),
        expect=expect,
    )


@case(
    "conv_crabs_identity",
    "horseshoe crabs, identity-link Poisson: optimum on the edge of the valid region",
    ["mdonoghoe/glm2 (Marschner 2011, example 2)"],
)
def _():
    said = NO_OPTIMUM + "|constraint|no valid"
    return _crabs(None, dict(kind="boundary", mention=said, digits=4))


@case(
    "conv_crabs_rep1",
    "crabs bootstrap sample 1: glm() cycles with period 2; interior optimum",
    ["mdonoghoe/glm2 (Marschner 2011, example 3)"],
)
def _():
    return _crabs("Rep1", value(digits=8, note="the smallest fitted mean is 0.438"))


@case(
    "conv_crabs_rep2",
    "crabs bootstrap sample 2: glm() wanders aperiodically; interior optimum",
    ["mdonoghoe/glm2 (Marschner 2011, example 5)"],
)
def _():
    return _crabs("Rep2", value(digits=8, note="the smallest fitted mean is 0.315"))


@case(
    "conv_heart_logbinomial",
    "heart attack deaths, log-binomial with four factors: glm() cycles",
    ["mdonoghoe/glm2 (Marschner 2011, example 4)", "hta-pharma/maicplus#200"],
)
def _():
    data = table("hardcases/heart.csv")
    columns = [
        data[name] == level
        for name in ("AgeGroup", "Severity", "Delay", "Region")
        for level in (2, 3)
    ]
    deaths, patients = data["Deaths"], data["Patients"]
    start = np.r_[math.log(deaths.sum() / patients.sum()), np.zeros(8)]
    return dict(
        X=with_intercept(len(deaths), *columns),
        y=deaths,
        kwargs=model("binomial", "log", trials=patients, start=start),
        expect=value(digits=6),
    )


def _xy(y, fam, link, x=None, **kw):
    n = len(y)
    x = np.arange(n) if x is None else x
    return dict(
        X=with_intercept(n, x),
        y=np.array(y, float),
        kwargs=model(fam, link),
        expect=value(digits=6, **kw),
    )


@case(
    "conv_poisson_identity_1",
    "identity Poisson with an interior optimum that R's glm does not reach"
    " (no valid set of coefficients)",
)
def _():
    return _xy([1, 0, 6, 6, 12, 21], "poisson", "identity")


@case("conv_poisson_identity_2", "identity Poisson, interior optimum, R's glm oscillates")
def _():
    return _xy([0, 0, 1, 3, 0, 1, 2, 0], "poisson", "identity")


# The predictor of both canonical Gamma cases.
DOSES = np.array([0.1, 0.5, 1, 2, 4, 8, 16, 32])


@case(
    "conv_gamma_inverse_1",
    "canonical Gamma, the first step leaves the valid region; interior optimum",
    ["statsmodels/statsmodels#1932", "sdmTMB/sdmTMB#35"],
)
def _():
    return _xy([0.37, 0.1, 0.97, 4.08, 0.32, 0.31, 8.97, 0.62], "Gamma", "inverse", DOSES)


@case(
    "conv_gamma_inverse_2",
    "canonical Gamma, six decades of y, positive slope",
    ["statsmodels/statsmodels#1932"],
)
def _():
    return _xy([1.27, 0.42, 0.04, 1.04, 19.6, 119.34, 0.03, 0.48], "Gamma", "inverse", DOSES)


@case(
    "conv_gamma_identity_variance",
    "variance-function regression, Gamma identity",
    ["hturner/gnm#21"],
)
def _():
    data = table("hardcases/variance_function.csv")
    return dict(
        X=with_intercept(21, data["mean"] ** 2),
        y=data["variance"],
        kwargs=model("Gamma", "identity"),
        expect=value(digits=5),
    )


@case(
    "conv_invgauss_canonical",
    "inverse Gaussian, canonical link 1/mu^2 (clotting data)",
    ["bambinos/bambi#363", "statsmodels/statsmodels#2834"],
)
def _():
    uu = np.array([5, 10, 15, 20, 30, 40, 60, 80, 100.0])
    return _xy([118, 58, 42, 35, 27, 25, 21, 19, 18], "inverse.gaussian", "1/mu^2", np.log(uu))


@case(
    "conv_gaussian_log_negative_y",
    "Gaussian log link with a negative response: R cannot start; a finite optimum exists",
    ["choxos/mlumr#32", "lme4/lme4#282"],
)
def _():
    return _xy([-2, 1, 1], "gaussian", "log", np.array([-1, 0, 1.0]))


@case("conv_gaussian_log_zeros", "Gaussian log link with zeros in y", ["lme4/lme4#389"])
def _():
    data = table("hardcases/gaussian_log_zeros.csv")
    return _xy(data["y"], "gaussian", "log", data["x"])


@case("conv_cauchit", "cauchit link with outliers on the wrong side: very slow Fisher scoring")
def _():
    x = np.linspace(-5, 5, 41)
    y = (x > 0.3) * 1.0
    y[3], y[37] = 1, 0
    return _xy(y, "binomial", "cauchit", x)


@case(
    "conv_cloglog_saturated",
    "cloglog with fitted probabilities that round to 1",
    ["JuliaStats/MixedModels.jl#92"],
)
def _():
    x = np.array([0, 1, 2, 3, 4, 5, 6, 20, 40.0])
    return dict(
        X=with_intercept(9, x),
        y=np.array([1, 3, 6, 11, 15, 19, 20, 20, 20.0]),
        kwargs=model("binomial", "cloglog", trials=np.full(9, 20.0)),
        expect=value(
            digits=6,
            note="the last two rows contribute less than 2^-200 at the optimum;"
            " the answer is computed without them",
        ),
    )


@case(
    "conv_logit_far_outlier",
    "logistic with one x = 1000: eta overflows a naive sigmoid",
    ["JuliaStats/GLM.jl#286"],
)
def _():
    n = 60
    x = normal(n)
    x[10] = 1000
    y = (uniform(n, 1) < 1 / (1 + np.exp(-np.clip(x, -30, 30)))) * 1.0
    y[10] = 1
    return _xy(
        y,
        "binomial",
        "logit",
        x,
        note="row 10 contributes nothing at the optimum (1 - mu = exp(-1480));"
        " the answer is computed without it",
    )


@case(
    "conv_saturated_poisson", "two rows, two coefficients, no intercept", ["JuliaStats/GLM.jl#105"]
)
def _():
    return dict(
        X=np.array([[0, 1], [1, 1.0]]),
        y=np.array([11, 1.0]),
        kwargs=model("poisson", "log"),
        expect=value(digits=8, closed_form="log(1/11), log(11)"),
    )


@case(
    "conv_logbinomial_boundary",
    "log-binomial (iris): Fisher scoring overshoots out of the valid region; interior optimum",
    ["tidymodels/broom#918"],
)
def _():
    data = table("hardcases/iris.csv")
    y = (data["Petal.Width"] > 2) * 1.0
    return dict(
        X=with_intercept(150, data["Sepal.Length"], data["Sepal.Width"]),
        y=y,
        kwargs=model("binomial", "log", start=np.array([math.log(y.mean()), 0, 0])),
        expect=value(digits=6, note="often reported as a boundary case; the largest mean is 0.836"),
    )


@case("conv_probit_wide", "probit with eta to +-12: tails of the normal")
def _():
    x = np.linspace(-12, 12, 49)
    y = (x > 0) * 1.0
    y[20:29] = [0, 1, 0, 1, 0, 1, 0, 1, 1]
    return _xy(y, "binomial", "probit", x)
