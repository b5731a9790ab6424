"""glum: `irls-cd` with `alpha_search` at the strengths given; tables through tabmat."""

import importlib
import warnings
from typing import Any

from benchmarks.paths.base import Adapter, Coefficients, Given

TURNS = 1_000


class Glum(Adapter):
    packages = ("glum", "tabmat", "numpy")
    default = 1e-4
    tolerances = (1e-4, 1e-6, 1e-7)

    def load(self) -> None:
        self.glum = importlib.import_module("glum")
        self.tabmat = importlib.import_module("tabmat")

    def ready(self, given: Given) -> None:
        spec = given.spec
        self.X: Any = given.by_column
        if spec.door == "table":
            columns = [*spec.factors, *spec.numeric]
            self.X = self.tabmat.from_pandas(given.data.frame[columns], drop_first=True)

    def solve(self, given: Given, tolerance: float | None) -> Coefficients:
        model = self.glum.GeneralizedLinearRegressor(
            alpha=given.strengths,
            alpha_search=True,
            l1_ratio=1,
            family=given.spec.family,
            solver="irls-cd",
            gradient_tol=tolerance,
            max_iter=TURNS,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether it converged is judged
            model.fit(self.X, given.y, offset=given.offset)
        return Coefficients(model.intercept_path_, model.coef_path_)
