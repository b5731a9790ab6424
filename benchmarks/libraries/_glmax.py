"""glmax: IRLS on a dense X in JAX, in 64 bit; the tolerance is on the change of the likelihood."""

import importlib
from typing import TYPE_CHECKING

from benchmarks.libraries.base import Library, Solution, dense_obstacle

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec

FAMILIES = {
    "gaussian": "Gaussian",
    "binomial": "Binomial",
    "poisson": "Poisson",
    "gamma": "Gamma",
}
LINKS = {
    "identity": "IdentityLink",
    "log": "LogLink",
    "inverse": "InverseLink",
    "sqrt": "SqrtLink",
    "logit": "LogitLink",
    "probit": "ProbitLink",
    "cloglog": "CLogLogLink",
    "loglog": "LogLogLink",
    "cauchit": "CauchitLink",
}


class Glmax(Library):
    packages = ("glmax", "jax", "jaxlib", "equinox", "lineax")
    default = 1e-3
    tight = 1e-8
    ladder = (1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)

    def obstacle(self, spec: "Spec") -> str | None:
        if spec.door != "arrays":
            return "takes arrays only"
        if spec.family not in FAMILIES:
            return f"no {spec.family} family with all that is asked for"
        return dense_obstacle(spec, 4)

    def load(self) -> None:
        self.jax = importlib.import_module("jax")
        # Before any array exists: the library follows jax's setting.
        self.jax.config.update("jax_enable_x64", True)
        self.glmax = importlib.import_module("glmax")
        self.jax.devices()

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        glmax = self.glmax
        link = getattr(glmax, LINKS[data.spec.link])()
        family = getattr(glmax, FAMILIES[data.spec.family])(link)
        fitter = glmax.IRLSFitter(tol=tolerance)
        fitted = glmax.fit(family, data.matrix, data.y, fitter=fitter)
        inferred = glmax.infer(fitted)
        result = fitted.result
        return Solution(
            np.asarray(result.params.beta, float),
            errors=np.asarray(inferred.se, float),
            passes=int(result.num_iters),
        )
