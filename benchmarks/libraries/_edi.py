"""edi-kernels: IRLS in C++ on a dense X; Newton's method where a shape is part of the fit.

It hands out the information matrix of a fit, of which the standard errors are made here. The
tolerance is its own `tol`, or `eps_g`. `edi-kernels-frame` is the same in a loop that starts at the
table: cutting it into segments is part of its time.
"""

import importlib
from typing import TYPE_CHECKING, Any

from benchmarks.libraries._loop import Fitted, Loop
from benchmarks.libraries.base import Solution, dense_obstacle

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data import Data
    from benchmarks.segments import Part
    from benchmarks.spec import Spec

KERNELS = {
    ("gaussian", "identity"): "fast_ols",
    ("binomial", "logit"): "fast_logistic_regression",
    ("binomial", "probit"): "fast_probit_regression",
    ("poisson", "log"): "fast_poisson_regression",
    ("negative_binomial", "log"): "fast_neg_bin",
}


class Edi(Loop):
    packages = ("edi_kernels", "numpy")
    default = 1e-8
    tight = 1e-10
    ladder = (1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10)

    def obstacle(self, spec: "Spec") -> str | None:
        if (spec.family, spec.link) not in KERNELS or spec.shape is not None:
            return f"no kernel for {spec.family} with the {spec.link} link"
        if spec.has_exposure:
            return "no exposure"
        if spec.door == "table" and not spec.segments:
            return "takes arrays only"
        return dense_obstacle(spec, 3)

    def load(self) -> None:
        self.kernels = importlib.import_module("edi_kernels")

    def ready(self, data: "Data") -> None:
        super().ready(data)
        if data.X is not None:
            import numpy as np

            # What its kernels read; a copy is made of anything else.
            data.X = np.asfortranarray(data.X, dtype=float)

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        fitted, raw = self._fit(data.y, data.matrix, data.spec, tolerance)
        shape = fitted.shape if data.spec.estimates_shape else None
        passes = raw.get("num_iter", 1)
        return Solution(fitted.beta, errors=fitted.errors, shape=shape, passes=int(passes))

    def fit_part(self, part: "Part", spec: "Spec", tolerance: float | None) -> Fitted | None:
        fitted, raw = self._fit(part.y, part.X, spec, tolerance)
        return None if raw["hit_iteration_cap"] else fitted

    def _fit(
        self, y: "np.ndarray", X: "np.ndarray", spec: "Spec", tolerance: float | None
    ) -> tuple[Fitted, dict[str, Any]]:
        import numpy as np

        kernel = getattr(self.kernels, KERNELS[spec.family, spec.link])
        shape, scale = float("nan"), 1.0
        if spec.estimates_shape:
            raw = kernel(X, y.astype(np.int32), eps_g=tolerance, optimization_alg="newton_raphson")
            shape = 1 / raw["dispersion"]
        elif spec.family == "gaussian":
            raw = kernel(X, y, estimate_only=False)
            left = y - X @ raw["b"]
            scale = (left @ left) / (y.size - spec.p)
        else:
            raw = kernel(X, y, tol=tolerance)
        variance = np.diag(np.linalg.inv(raw["XtWX"]))[: spec.p]
        return Fitted(raw["b"], np.sqrt(scale * variance), shape), raw


class EdiFrame(Edi):
    from_frame = True

    def obstacle(self, spec: "Spec") -> str | None:
        return super().obstacle(spec) if spec.segments else "only for many fits"
