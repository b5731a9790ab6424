"""scikit-learn: logistic regression by `saga`, which starts each strength at the one before.

Its other solvers have no absolute values, or (liblinear) penalise the intercept.
"""

import importlib
import warnings
from typing import TYPE_CHECKING

from benchmarks.paths.base import Adapter, Coefficients, Given

if TYPE_CHECKING:
    from benchmarks.spec import Spec

TURNS = 10_000


class Saga(Adapter):
    packages = ("scikit-learn", "numpy")
    default = 1e-4
    tolerances = (1e-4, 1e-6)

    def obstacle(self, spec: "Spec") -> str | None:
        if spec.family == "binomial":
            return None
        return f"no absolute values in its {spec.family} regression"

    def load(self) -> None:
        self.linear = importlib.import_module("sklearn.linear_model")

    def ready(self, given: Given) -> None:
        import numpy as np

        self.X = np.ascontiguousarray(given.design)

    def solve(self, given: Given, tolerance: float | None) -> Coefficients:
        import numpy as np

        model = self.linear.LogisticRegression(
            solver="saga", l1_ratio=1.0, tol=tolerance, max_iter=TURNS, warm_start=True
        )
        intercepts, beta = [], []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether it converged is judged
            for strength in given.strengths:
                model.set_params(C=1.0 / (given.spec.n * strength)).fit(self.X, given.y)
                intercepts.append(float(model.intercept_[0]))
                beta.append(model.coef_[0].copy())
        return Coefficients(np.array(intercepts), np.array(beta))
