"""glmnet's paths on real tables: coefficients, explained deviance and the first strength."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jaxglm as jg
from tests.reference.cases import FOLDER, read_csv

PATHS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "penalties" / "paths.json").read_text()
)["paths"]
# Coefficients agree to this where columns and a Gaussian response are in standard deviations.
NEAR = 1e-7


@dataclasses.dataclass(frozen=True)
class Case:
    """What a path of glmnet is here.

    Attributes
    ----------
    arguments : dict
        Those of `fit_path`.
    X : [n, p]
        With the intercept.
    column_units, response_unit : [p - 1], float
        Standard deviations; that of the response is 1 where it is on another scale than the linear
        predictor.
    """

    arguments: dict[str, Any]
    X: np.ndarray
    column_units: np.ndarray
    response_unit: float

    @classmethod
    def named(cls, name: str) -> "Case":
        stored = PATHS[name]
        table = read_csv(FOLDER / "data" / f"{stored['table']}.csv")
        for column, levels in stored["levels"].items():
            table[column] = pd.Categorical(table[column], categories=levels)
        formula = stored["formula"]
        y, X = (np.asarray(part, float) for part in jg.design(formula, table))
        vectors = {key: value for key, value in stored["vectors"].items() if value}
        weight = table[vectors["var_weights"]] if "var_weights" in vectors else np.ones(len(y))
        unit = spread(y, weight) if stored["family"] == "gaussian" else 1.0
        arguments = {
            "formula": formula,
            "data": table,
            "family": jg.Gamma(link=jg.Log()) if stored["family"] == "gamma" else stored["family"],
            "penalty": penalty(stored, unit),
            **vectors,
        }
        return cls(arguments, X, spread(X[:, 1:], weight), unit)


def spread(values: np.ndarray, weight: Any) -> Any:
    """The weighted standard deviation of each column; divisor: the sum of the weights."""
    mean = np.average(values, axis=0, weights=weight)
    return np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weight))


def penalty(stored: dict[str, Any], unit: float) -> Any:
    """The penalty at strength 1, as docs/penalties.md has it; `unit` is that of the response."""
    alpha = stored["alpha"]
    options: dict[str, Any] = {"standardize": stored["standardize"]}
    if stored["penalty_factor"]:
        factors = np.array(stored["penalty_factor"])
        options["penalty_factor"] = factors * factors.size / factors.sum()
    if alpha < 1 and stored["family"] == "gaussian":
        return jg.Lasso(alpha, **options) + jg.Ridge((1 - alpha) / unit, **options)
    return jg.ElasticNet(1.0, alpha, **options)


@pytest.mark.parametrize("name", PATHS)
def test_the_path_of_glmnet(name: str) -> None:
    case, stored = Case.named(name), PATHS[name]
    path = jg.fit_path(**case.arguments, lambdas=stored["lambda"], tol=1e-9)
    assert path.converged.all()
    found, expected = path.params.to_numpy(), np.array(stored["coefficients"])
    off = found - expected
    assert np.abs(off[:, 1:] * case.column_units).max() < NEAR * case.response_unit
    assert np.abs(off @ case.X.T).max() < NEAR * case.response_unit
    # glmnet's null model has the intercept only, also where columns are free.
    explained = 1 - path.deviance / stored["null_deviance"]
    np.testing.assert_allclose(explained, stored["dev_ratio"], rtol=0, atol=1e-8)
    # At the first strength rounding decides whether the first column is at zero.
    assert ((found == 0) == (expected == 0))[1:].all()
    assert (path.df.iloc[1:] - 1 == stored["df"][1:]).all()


@pytest.mark.parametrize("name", PATHS)
def test_the_strengths_of_glmnet(name: str) -> None:
    path = jg.fit_path(**Case.named(name).arguments, n_lambdas=PATHS[name]["nlambda"])
    expected = np.array(PATHS[name]["lambda"])
    # By which gain a path ends differs by family in glmnet, so one may be longer.
    both = min(len(path), len(expected))
    assert both >= 39
    np.testing.assert_allclose(path.lambdas[:both], expected[:both], rtol=1e-11)
