"""skglm: its proximal Newton solver, for logistic models; each strength starts at the last."""

import importlib
import warnings
from typing import TYPE_CHECKING

from benchmarks.paths.base import Adapter, Coefficients, Given

if TYPE_CHECKING:
    from benchmarks.spec import Spec

TURNS = 1_000


class Skglm(Adapter):
    packages = ("skglm", "numba", "numpy")
    default = 1e-4
    tolerances = (1e-4, 1e-6, 1e-7)
    compiles = True

    def obstacle(self, spec: "Spec") -> str | None:
        return "neither an offset nor weights" if spec.has_exposure else None

    def load(self) -> None:
        self.solvers = importlib.import_module("skglm.solvers")
        self.datafits = importlib.import_module("skglm.datafits")
        self.penalties = importlib.import_module("skglm.penalties")

    def ready(self, given: Given) -> None:
        _ = given.by_column

    def solve(self, given: Given, tolerance: float | None) -> Coefficients:
        import numpy as np

        solver = self.solvers.ProxNewton(tol=tolerance, max_iter=TURNS, fit_intercept=True)
        X, y, datafit = given.by_column, 2 * given.y - 1, self.datafits.Logistic()
        found, b = [], np.zeros(given.spec.p)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether it converged is judged
            for strength in given.strengths:
                eta = X @ b[:-1] + b[-1]
                b, _, _ = solver.solve(X, y, datafit, self.penalties.L1(strength), b.copy(), eta)
                found.append(b.copy())
        values = np.array(found)
        return Coefficients(values[:, -1], values[:, :-1])
