"""statgpu: IRLS on a dense X, here on the CPU, in NumPy; with standard errors.

An unpenalised fit is `C=0`. The tolerance is `tol`.
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.libraries.base import Library, Solution, as_float, dense_obstacle

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec

MODELS = {
    ("gaussian", "identity"): "LinearRegression",
    ("binomial", "logit"): "LogisticRegression",
    ("poisson", "log"): "PoissonRegression",
    ("gamma", "log"): "GammaRegression",
    ("inverse_gaussian", "log"): "InverseGaussianRegression",
    ("tweedie", "log"): "TweedieRegression",
    ("negative_binomial", "log"): "NegativeBinomialRegression",
}


class StatGpu(Library):
    packages = ("statgpu", "numpy", "scipy")
    default = 1e-4
    tight = 1e-8
    ladder = (1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10)

    def obstacle(self, spec: "Spec") -> str | None:
        if spec.door != "arrays":
            return "takes arrays only"
        if (spec.family, spec.link) not in MODELS or spec.estimates_shape:
            return f"no {spec.family} family with all that is asked for"
        return dense_obstacle(spec, 4)

    def load(self) -> None:
        self.models = importlib.import_module("statgpu.linear_model")

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        spec = data.spec
        options: dict[str, Any] = {}
        if spec.family != "gaussian":
            options = {"C": 0.0, "tol": tolerance}
        if spec.power is not None:
            options["power"] = spec.power
        if spec.shape is not None:
            options["alpha"] = spec.shape
        kind = getattr(self.models, MODELS[spec.family, spec.link])
        with warnings.catch_warnings():
            # Whether it converged is for the gate to say.
            warnings.simplefilter("ignore")
            model = kind(fit_intercept=False, device="cpu", compute_inference=True, **options)
            model.fit(data.matrix, data.y)
        turns = getattr(model, "n_iter_", None)
        return Solution(
            as_float(model.coef_),
            errors=as_float(model._bse),
            passes=None if turns is None else int(turns),
        )
