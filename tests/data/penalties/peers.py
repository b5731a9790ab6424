"""Make table.csv, and peers.json: penalised fits of it by other Python libraries.

    pip install scikit-learn glum statsmodels adelie skglm; python peers.py

Each fit stands under the words of its row in docs/penalties.md, with the numbers that the row names
by letters. Tolerances are the tightest at which the library still says that it converged.
"""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import adelie as ad
import numpy as np
import pandas as pd
import statsmodels.api as sm
from glum import GeneralizedLinearRegressor
from skglm import GeneralizedLinearEstimator
from skglm.datafits import QuadraticGroup
from skglm.penalties import WeightedGroupL2
from skglm.solvers import GroupBCD
from sklearn import linear_model

HERE = Path(__file__).parent
N, P = 48, 6
RNG = np.random.default_rng(2024)
table = pd.DataFrame(
    (RNG.normal(size=(N, P)) * [1, 2, 0.5, 1, 3, 1]).round(2), columns=[f"x{j}" for j in range(P)]
)
eta = 0.4 + table["x0"] - 0.3 * table["x1"] + 0.8 * table["x2"]
table["real"] = (3 * eta + 2 * RNG.normal(size=N)).round(2)
table["binary"] = RNG.binomial(1, 1 / (1 + np.exp(-eta)))
table["count"] = RNG.poisson(np.exp(0.6 * eta))
table["positive"] = (np.exp(0.6 * eta) * RNG.gamma(3.0, size=N) / 3).round(2) + 0.01
table["w"] = RNG.integers(1, 9, N) / 2
table.to_csv(HERE / "table.csv", index=False)

X, w = table.iloc[:, :P].to_numpy(), table["w"].to_numpy()
fits: dict[str, list[dict[str, Any]]] = {}


def keep(
    row: str, response: str, coef: Any, *, weighted: bool = False, family: str = "", **numbers: Any
) -> None:
    """A fit by the words of its row; coefficients with the intercept, where it has one."""
    numbers = {name: np.asarray(value).tolist() for name, value in numbers.items()}
    fits.setdefault(row, []).append(
        {
            "response": response,
            "family": family or FAMILIES[response],
            "weighted": weighted,
            "numbers": numbers,
            "coef": np.ravel(coef).tolist(),
        }
    )


FAMILIES = {"real": "gaussian", "binary": "binomial", "count": "poisson", "positive": "gamma"}


def with_intercept(model: Any) -> np.ndarray:
    return np.r_[model.intercept_, np.ravel(model.coef_)]


# ---------------------------------------------------------------------------------- scikit-learn


def of_sklearn(
    row: str, make: Callable[..., Any], response: str, family: str = "", **numbers: Any
) -> None:
    for weighted in (False, True):
        model = make(**numbers).fit(X, table[response], w if weighted else None)
        keep(
            row,
            response,
            with_intercept(model),
            weighted=weighted,
            family=family,
            **numbers,
        )


TIGHT: dict[str, Any] = {"tol": 1e-14, "max_iter": 1_000_000}

of_sklearn(
    "scikit-learn `Ridge(alpha=s)`",
    lambda s: linear_model.Ridge(alpha=s, solver="cholesky"),
    "real",
    s=9.0,
)
# A strength is `l` here because the page, whose cells are evaluated with these names, calls it so.
of_sklearn(
    "scikit-learn `Lasso(alpha=l)`",
    lambda l: linear_model.Lasso(alpha=l, **TIGHT),  # noqa: E741
    "real",
    l=0.6,
)
of_sklearn(
    "scikit-learn `ElasticNet(alpha=l, l1_ratio=a)`",
    lambda l, a: linear_model.ElasticNet(alpha=l, l1_ratio=a, **TIGHT),  # noqa: E741
    "real",
    l=0.7,
    a=0.6,
)
of_sklearn(
    "scikit-learn `LogisticRegression(C=c)`",
    lambda c: linear_model.LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12),
    "binary",
    c=0.2,
)
of_sklearn(
    'scikit-learn `LogisticRegression(C=c, l1_ratio=a, solver="saga")`',
    lambda c, a: linear_model.LogisticRegression(
        C=c, l1_ratio=a, solver="saga", random_state=0, **TIGHT
    ),
    "binary",
    c=0.2,
    a=0.7,
)
REGRESSORS = "scikit-learn `PoissonRegressor(alpha=l)`, `GammaRegressor`, `TweedieRegressor`"
for regressor, response in (("PoissonRegressor", "count"), ("GammaRegressor", "positive")):
    of_sklearn(
        REGRESSORS,
        lambda l, kind=regressor: getattr(linear_model, kind)(  # noqa: E741
            alpha=l, solver="newton-cholesky", tol=1e-12
        ),
        response,
        l=0.3,
    )
of_sklearn(
    REGRESSORS,
    lambda l: linear_model.TweedieRegressor(  # noqa: E741
        power=1.5, alpha=l, solver="newton-cholesky", tol=1e-12
    ),
    "count",
    family="tweedie",
    l=0.3,
)

# ------------------------------------------------------------------------------------------ glum

IN_GLUM = {"gaussian": "normal"}


def of_glum(row: str, response: str, asked: dict[str, Any], **numbers: Any) -> None:
    for weighted in (False, True):
        family = FAMILIES[response]
        model = GeneralizedLinearRegressor(
            family=IN_GLUM.get(family, family),
            link={"gaussian": "identity", "binomial": "logit"}.get(family, "log"),
            gradient_tol=1e-13,
            max_iter=1000,
            **asked,
        ).fit(X, table[response], sample_weight=w if weighted else None)
        keep(row, response, with_intercept(model), weighted=weighted, **numbers)


factors, low, up = [1.0, 0.0, 2.0, 1.0, 0.5, 1.0], [-0.1] * P, [0.2] * P
half = np.eye(P) - np.eye(P, k=1)
P2 = half.T @ half + 0.1 * np.eye(P)
for response in ("real", "binary", "count", "positive"):
    of_glum(
        "glum `GeneralizedLinearRegressor(alpha=l, l1_ratio=a)`",
        response,
        {"alpha": 0.2, "l1_ratio": 0.7},
        l=0.2,
        a=0.7,
    )
of_glum(
    "glum `scale_predictors=True`",
    "count",
    {"alpha": 0.2, "l1_ratio": 0.7, "scale_predictors": True},
    l=0.2,
    a=0.7,
)
of_glum(
    "glum `P1=f, l1_ratio=1`",
    "count",
    {"alpha": 0.2, "l1_ratio": 1, "P1": np.array(factors)},
    l=0.2,
    f=factors,
)
of_glum(
    "glum `P2=P, l1_ratio=0`",
    "count",
    {"alpha": 0.2, "l1_ratio": 0, "P2": P2},
    l=0.2,
    P=P2,
)
of_glum(
    "glum `lower_bounds=lo, upper_bounds=up`",
    "count",
    {
        "alpha": 0.1,
        "l1_ratio": 1,
        "lower_bounds": np.array(low),
        "upper_bounds": np.array(up),
    },
    l=0.1,
    a=1.0,
    lo=low,
    up=up,
)

# ----------------------------------------------------------------------------------- statsmodels

l, a = 0.25, 0.6  # noqa: E741
exact = {"cnvrg_tol": 1e-14, "zero_tol": 1e-12, "maxiter": 10_000}
constant = sm.add_constant(X)
held = np.r_[0.0, np.full(P, l)]
OLS = "statsmodels `OLS(y, X).fit_regularized(alpha=np.r_[0, l, ..., l], L1_wt=a)`"
WLS = "statsmodels `WLS(y, X, w).fit_regularized(alpha=np.r_[0, l, ..., l], L1_wt=a)`"
for share in (a, 0.0):
    asked = {"alpha": held, "L1_wt": share, **(exact if share else {})}
    plain = sm.OLS(table["real"], constant).fit_regularized(**asked)
    keep(OLS, "real", plain.params, l=l, a=share)
    by_weight = sm.WLS(table["real"], constant, w).fit_regularized(**asked)
    keep(WLS, "real", by_weight.params, weighted=True, l=l, a=share)
GLM = "statsmodels `GLM(y, X, family).fit_regularized(alpha=np.r_[0, l, ..., l], L1_wt=a)`"
SM = {
    "real": sm.families.Gaussian(),
    "binary": sm.families.Binomial(),
    "count": sm.families.Poisson(),
    "positive": sm.families.Gamma(sm.families.links.Log()),
}
for response, family in SM.items():
    for weighted in (False, True):
        given = {"freq_weights": w} if weighted else {}
        model = sm.GLM(table[response], constant, family, **given)
        found = model.fit_regularized(alpha=held, L1_wt=a, **exact)
        keep(GLM, response, found.params, weighted=weighted, l=l, a=a)

# --------------------------------------------------------------------------------- adelie, skglm

labels = np.array([1, 1, 1, 2, 2, 3])
starts, sizes = np.array([0, 3, 5]), np.array([3, 2, 1])
IN_ADELIE = {"real": ad.glm.gaussian, "binary": ad.glm.binomial, "count": ad.glm.poisson}
for response, kind in IN_ADELIE.items():
    for weighted in (False, True):
        found = ad.grpnet(
            np.asfortranarray(X),
            kind(table[response].to_numpy(float), weights=w / w.sum() if weighted else None),
            groups=starts,
            lmda_path=[0.2],
            tol=1e-16,
            irls_tol=1e-16,
            early_exit=False,
            progress_bar=False,
        )
        coef = np.r_[found.intercepts[0], np.ravel(found.betas[0].toarray())]
        row = "adelie `grpnet(X, glm, groups=starts)` at `l`"
        keep(row, response, coef, weighted=weighted, l=0.2, labels=labels)

pointers, places = np.r_[0, np.cumsum(sizes)].astype(np.int32), np.arange(P, dtype=np.int32)
skglm = GeneralizedLinearEstimator(
    QuadraticGroup(pointers, places),
    WeightedGroupL2(0.5, np.sqrt(sizes), pointers, places),
    GroupBCD(tol=1e-14, max_iter=10_000, max_epochs=100_000, fit_intercept=True),
).fit(X, table["real"].to_numpy())
row = "skglm `WeightedGroupL2(l, weights=np.sqrt(sizes), ...)`"
keep(row, "real", with_intercept(skglm), l=0.5, labels=labels)

names = ("scikit-learn", "glum", "statsmodels", "adelie", "skglm", "numpy")
answer = {"versions": {name: version(name) for name in names}, "fits": fits}
(HERE / "peers.json").write_text(json.dumps(answer) + "\n")
