"""celer: `celer_path` by proximal Newton steps, for logistic models.

It has no intercept. A column of `SCALE` stands for one, as in LIBLINEAR: the penalty on its
coefficient is then that part of the others', which is the least residual that it can reach.
"""

import importlib
import warnings
from typing import TYPE_CHECKING

from benchmarks.paths.base import Adapter, Coefficients, Given

if TYPE_CHECKING:
    from benchmarks.spec import Spec

SCALE = 1e6
TURNS = 1_000


class Celer(Adapter):
    packages = ("celer", "scikit-learn", "numpy")
    default = 1e-6
    tolerances = (1e-4, 1e-6, 1e-8)

    def obstacle(self, spec: "Spec") -> str | None:
        return None if spec.family == "binomial" else f"no {spec.family} family"

    def load(self) -> None:
        self.homotopy = importlib.import_module("celer.homotopy")

    def ready(self, given: Given) -> None:
        import numpy as np

        constant = np.full((given.spec.n, 1), SCALE)
        self.X = np.asfortranarray(np.hstack([given.design, constant]))

    def solve(self, given: Given, tolerance: float | None) -> Coefficients:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether it converged is judged
            _, found, _ = self.homotopy.celer_path(
                self.X,
                2 * given.y - 1,
                "logreg",
                alphas=given.spec.n * given.strengths,
                use_PN=True,
                max_iter=TURNS,
                tol=tolerance,
            )
        return Coefficients(SCALE * found[-1], found[:-1].T)
