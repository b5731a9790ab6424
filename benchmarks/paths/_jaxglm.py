"""jaxglm: a path from the data frame or the matrix as they are; beside it what its parts cost.

Those are a cross-validation in ten folds, a ridge fit, and one without a penalty.
"""

import importlib
from collections.abc import Sequence
from typing import Any, ClassVar

from benchmarks.paths.base import Adapter, Coefficients, Given

FOLDS = 10


class JaxGlm(Adapter):
    packages = ("jaxglm", "jax", "jaxlib", "numpy")
    default: ClassVar[float | None] = 1e-5
    tolerances: ClassVar[Sequence[float | None]] = (1e-1, 1e-2, 1e-3, 1e-5)
    compiles = True

    def load(self) -> None:
        self.jg = importlib.import_module("jaxglm")
        importlib.import_module("jax").devices()

    def solve(self, given: Given, tolerance: float | None) -> Coefficients | None:
        path = self._call("fit_path", given, lambdas=given.strengths, tol=tolerance)
        values = path.params.to_numpy()
        return Coefficients(values[:, 0], values[:, 1:])

    def _call(self, name: str, given: Given, **options: Any) -> Any:
        """A function of formulas and tables, or the method of its name for matrices."""
        data, spec = given.data, given.spec
        if spec.door == "arrays":
            method = "fit" if name == "glm" else name
            return getattr(self.jg.GLM(data.y, data.matrix, spec.family), method)(**options)
        if spec.has_exposure:
            options["exposure"] = "exposure"
        return getattr(self.jg, name)(spec.formula, data.frame, spec.family, **options)


class Other(JaxGlm):
    """What is no path, at its default tolerance."""

    default = None
    tolerances = (None,)


class CrossValidation(Other):
    def solve(self, given: Given, tolerance: float | None) -> None:
        self._call("cross_validate", given, lambdas=given.strengths, folds=FOLDS)


class Ridge(Other):
    def solve(self, given: Given, tolerance: float | None) -> None:
        middle = float(given.strengths[given.strengths.size // 2])
        self._call("glm", given, penalty=self.jg.Ridge(middle))


class Plain(Other):
    def solve(self, given: Given, tolerance: float | None) -> None:
        self._call("glm", given)
