"""RustyStats: IRLS in Rust from a polars frame, made before the clock starts; with standard errors.

The tolerance is `tol`, on the deviance.
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.libraries.base import Library, Solution, as_float, dense_obstacle

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec

FAMILIES = {
    ("gaussian", "identity"): "gaussian",
    ("binomial", "logit"): "binomial",
    ("poisson", "log"): "poisson",
    ("gamma", "log"): "gamma",
    ("tweedie", "log"): "tweedie",
    ("negative_binomial", "log"): "negbinomial",
}


class RustyStats(Library):
    packages = ("rustystats", "polars", "numpy")
    default = 1e-8
    tight = 1e-12
    ladder = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12)

    def obstacle(self, spec: "Spec") -> str | None:
        if (spec.family, spec.link) not in FAMILIES:
            return f"no {spec.family} family with the {spec.link} link"
        return dense_obstacle(spec, 3)

    def load(self) -> None:
        self.pl = importlib.import_module("polars")
        self.rs = importlib.import_module("rustystats")

    def ready(self, data: "Data") -> None:
        spec, pl = data.spec, self.pl
        if spec.door == "arrays":
            columns = {f"x{j}": data.matrix[:, j] for j in range(1, spec.p)} | {"y": data.y}
            self.terms = {f"x{j}": {"type": "linear"} for j in range(1, spec.p)}
        else:
            columns = {name: data.frame[name].to_numpy() for name in [*spec.numeric, "y"]}
            columns |= {name: data.frame[name].astype(str).to_numpy() for name in spec.factors}
            if spec.has_exposure:
                columns["exposure"] = data.frame["exposure"].to_numpy()
            self.terms = {name: {"type": "categorical"} for name in spec.factors}
            self.terms |= {name: {"type": "linear"} for name in spec.numeric}
        self.table = pl.DataFrame(columns)

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        spec = data.spec
        options: dict[str, Any] = {"family": FAMILIES[spec.family, spec.link]}
        if spec.has_exposure:
            options["exposure"] = "exposure"
        if spec.power is not None:
            options["var_power"] = spec.power
        if spec.family == "negative_binomial":
            options["theta"] = "estimate" if spec.shape is None else 1 / spec.shape
        with warnings.catch_warnings():
            # Whether it converged is for the gate to say.
            warnings.simplefilter("ignore")
            model = self.rs.glm_dict("y", self.terms, self.table, **options)
            result = model.fit(tol=tolerance)
            if spec.summary:
                str(result.summary())
        return Solution(
            as_float(result.params),
            errors=as_float(result.bse()),
            shape=1 / float(result.theta) if spec.estimates_shape else None,
            passes=int(result.iterations),
        )
