"""The registry of hard cases, what can be expected of one, and the deterministic numbers of all.

A case is a function that returns a dict with

- ``X``, ``y``: the full design (with a column of ones where there is an intercept), the response;
- ``kwargs``: family, link, and where used weights with weights_kind ("prior" or "frequency"),
  offset, trials (y = successes then), names, theta or power or estimate_theta, start; or
  interface="formula" with data, formula, newdata (X and y are None then);
- ``expect``: what a trustworthy engine does. Its ``kind`` is one of

  - value: a unique finite answer exists; ``coef`` to ``digits`` digits (6 if not said), optional
    se, deviance, dispersion, theta, fitted_10 (solved in 60-digit arithmetic, or closed forms);
  - report: no finite optimum, or an ill-posed question: the user must be told so in words that
    match ``mention``; finite parts still right;
  - boundary: the optimum lies on the edge of the valid region: right deviance, and said so;
  - error: the input is refused with a message that matches ``mention``;
  - alias: rank-deficient design: dropped columns reported (or refused), fitted values right;
  - equal, equal_finite: ``other`` is a second (X, y, kwargs) whose coefficients and standard errors
    must agree, up to ``transform``, ``scale``, ``shift``;
  - predict_equal, predict_nan, nobs: for tables; batch: for many segments at once.
"""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

DATA = Path(__file__).parents[1] / "data"
REGISTRY: dict[str, dict[str, Any]] = {}
ROOTS_OF = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53]

# Words of which one must be in what the user is told, by kind of trouble.
NO_OPTIMUM = (
    "separat|perfect|infinite|not exist|diverg|boundary|unbounded|did not converge|not converge"
    "|0 or 1|numerically 0"
)
RANK = (
    "rank|collinear|singular|alias|linearly dependent|redundant|not identif|invertible|definite"
    "|duplicate|constant|ill.?condition"
)
NOT_FINITE = "nan|inf|missing|finite|\\bNA\\b"


def in_group(group: str) -> Callable:
    """Make the decorator that registers the cases of one group."""

    def case(identifier: str, title: str, cites: tuple[str, ...] | list[str] = ()) -> Callable:
        def register(function: Callable) -> Callable:
            REGISTRY[identifier] = {
                "function": function,
                "group": group,
                "title": title,
                "cites": list(cites),
            }
            return function

        return register

    return case


def uniform(n: int, k: int = 0) -> np.ndarray:
    """n numbers in (0, 1): multiples of the k-th irrational root, modulo 1."""
    return np.mod((np.arange(n) + 1) * math.sqrt(ROOTS_OF[k]), 1.0)


def normal(n: int, k: int = 0) -> np.ndarray:
    """n numbers that look standard normal."""
    standard = NormalDist()
    return np.array([standard.inv_cdf(v) for v in uniform(n, k)])


def poisson_quantile(probability: np.ndarray, mean: np.ndarray | float) -> np.ndarray:
    """Smallest counts whose Poisson distribution function reaches the probabilities."""
    out = np.zeros(len(probability))
    for i, (p, mu) in enumerate(
        zip(probability, np.broadcast_to(mean, len(probability)), strict=True)
    ):
        count, term = 0, math.exp(-mu)
        total = term
        while total < p and count < 10000:
            count += 1
            term *= mu / count
            total += term
        out[i] = count
    return out


def with_intercept(n: int, *columns) -> np.ndarray:
    return np.column_stack([np.ones(n)] + [np.asarray(c, float) for c in columns])


def line(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """A predictor, and a response around 1 + 2 x."""
    x = normal(n)
    return x, 1 + 2 * x + 0.3 * normal(n, 1)


def log_linear(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A design, and a positive response around exp(0.5 + 0.4 x)."""
    x = normal(n)
    return with_intercept(n, x), np.exp(0.5 + 0.4 * x + 0.3 * normal(n, 1))


def table(name: str) -> dict[str, np.ndarray]:
    """The columns of a CSV file of the test data, numeric where they can be."""
    with open(DATA / name, newline="") as file:
        head, *rows = csv.reader(file)
    columns = {}
    for name_, values in zip(head, zip(*rows, strict=True), strict=True):
        try:
            columns[name_] = np.array(values, float)
        except ValueError:
            columns[name_] = np.array(values)
    return columns


def model(family: str, link: str, **kwargs) -> dict[str, Any]:
    return {"family": family, "link": link, **kwargs}


def value(**kwargs) -> dict[str, Any]:
    return {"kind": "value", **kwargs}


def report(mention: str, **kwargs) -> dict[str, Any]:
    return {"kind": "report", "mention": mention, **kwargs}


def error(mention: str, **kwargs) -> dict[str, Any]:
    return {"kind": "error", "mention": mention, **kwargs}


TRUTH: dict[str, dict[str, Any]] = json.loads((DATA / "hardcases" / "truth.json").read_text())


def get(identifier: str) -> dict[str, Any]:
    """One case: X, y, kwargs, expect (with the known answer), id, group, title, cites."""
    entry = REGISTRY[identifier]
    made = entry["function"]()
    answer = {k: np.array(v) if isinstance(v, list) else v for k, v in _truth(identifier).items()}
    return {
        **made,
        "expect": {**made["expect"], **answer},
        "id": identifier,
        "group": entry["group"],
        "title": entry["title"],
        "cites": entry["cites"],
    }


def _truth(identifier: str) -> dict[str, Any]:
    return TRUTH.get(identifier, {})
