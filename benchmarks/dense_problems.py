"""Owns the problems whose data are one dense matrix.

Imports `spec` and `drawing`.
"""

import dataclasses

import numpy as np

from benchmarks.drawing import respond
from benchmarks.spec import Columns, Made, Problem, Spec, rows_at

ALIKE = 0.6
"""Correlation of a column with the next one, where columns are correlated; then its powers."""


def dense(
    name: str, family: str, n_full: int, p: int, dtype: str = "float64", *, alike: float = 0.0
):
    def make(scale: float, seed: int) -> Made:
        rng = np.random.default_rng(seed)
        n = rows_at(n_full, scale, 10 * p)
        X = np.empty((n, p), dtype)
        eta = np.empty(n)
        # Effects that together move the linear predictor by about one standard deviation.
        truth = rng.normal(0.0, 1.0 / np.sqrt(p), p)
        truth[0] = -0.5
        for at in range(0, n, 1 << 16):
            rows = slice(at, min(at + (1 << 16), n))
            block = rng.standard_normal((rows.stop - at, p), dtype="float32")
            if alike:
                for j in range(1, p):
                    block[:, j] = alike * block[:, j - 1] + np.sqrt(1 - alike**2) * block[:, j]
            X[rows] = block
            X[rows, 0] = 1.0
            eta[rows] = X[rows] @ truth
        spec = Spec(name, family, n, p, "arrays", dtype, scale)
        return spec, Columns(respond(spec, eta, rng), X=X)

    return make


def _small(scale: float, seed: int) -> Made:
    spec, columns = dense("small", "binomial", 1_000, 5)(1.0, seed)
    return dataclasses.replace(spec, scale=scale), columns


DENSE_PROBLEMS = (
    Problem(
        "dense-logistic",
        "logistic, 1,000,000 x 50, float64",
        dense("dense-logistic", "binomial", 1_000_000, 50),
    ),
    Problem(
        "dense-logistic-float32",
        "the same draws, held in float32",
        dense("dense-logistic-float32", "binomial", 1_000_000, 50, "float32"),
    ),
    Problem(
        "dense-logistic-correlated",
        "logistic, 1,000,000 x 50, float64, correlated columns",
        dense("dense-logistic-correlated", "binomial", 1_000_000, 50, alike=ALIKE),
    ),
    Problem(
        "dense-wide",
        "Poisson, 100,000 x 500, float64",
        dense("dense-wide", "poisson", 100_000, 500),
    ),
    Problem(
        "dense-wide-float32",
        "the same draws, held in float32",
        dense("dense-wide-float32", "poisson", 100_000, 500, "float32"),
    ),
    Problem(
        "dense-gaussian",
        "Gaussian, 1,000,000 x 200, float64",
        dense("dense-gaussian", "gaussian", 1_000_000, 200),
    ),
    Problem(
        "dense-long-float32",
        "logistic, 10,000,000 x 10, float32",
        dense("dense-long-float32", "binomial", 10_000_000, 10, "float32"),
    ),
    Problem("small", "logistic, 1,000 x 5 at every scale: latency", _small),
    Problem(
        "dense-tall",
        "logistic, 100,000,000 x 20, float32: for an accelerator",
        dense("dense-tall", "binomial", 100_000_000, 20, "float32"),
    ),
)
