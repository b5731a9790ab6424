"""pyfixest: `feglm` and `fepois`, whose `vcov` is asked for again and again.

It takes no coefficients to start from; its own tolerance is set tight. A factor is absorbed, and
the numeric columns have errors.
"""

import importlib
import warnings
from typing import Any, ClassVar

import numpy as np

from benchmarks.inference.base import Adapter
from benchmarks.libraries.base import dense_obstacle

TOLERANCE = 1e-14


class Pyfixest(Adapter):
    packages = ("pyfixest", "numpy", "pandas")
    corrections: ClassVar = {"HC0": "fixest", "cluster": "fixest", "twoway": "fixest"}

    def obstacle(self) -> str | None:
        spec = self.given.data.spec
        return dense_obstacle(spec, 6) if spec.door == "arrays" else None

    def fit(self) -> None:
        import pandas as pd

        given = self.given.data
        if given.spec.door == "arrays":
            table: Any = pd.DataFrame(given.matrix[:, 1:], columns=self.given.names)
            table["y"], absorbed = given.y, ""
        else:
            table, absorbed = given.frame.copy(), " | " + " + ".join(given.spec.factors)
        table["clusters"], table["others"] = self.given.clusters, self.given.others
        numeric = given.spec.numeric or self.given.names
        formula = f"y ~ {' + '.join(numeric)}{absorbed}"
        options: dict[str, Any] = {"iwls_tol": TOLERANCE, "iwls_maxiter": 200, "vcov": "iid"}
        with warnings.catch_warnings():
            # It warns of what is to change in it.
            warnings.simplefilter("ignore")
            pf = importlib.import_module("pyfixest")
            if absorbed:
                demeaners = importlib.import_module("pyfixest.demeaners")
                options |= {"fixef_rm": "none"}
                options |= {"demeaner": demeaners.MapDemeaner(fixef_tol=TOLERANCE)}
            if given.spec.family == "poisson":
                self.result = pf.fepois(formula, table, **options)
            else:
                self.result = pf.feglm(formula, table, family="logit", **options)

    def HC0(self, correction: str) -> np.ndarray:
        return self._errors("HC1")

    def cluster(self, correction: str) -> np.ndarray:
        return self._errors({"CRV1": self._first})

    def twoway(self, correction: str) -> np.ndarray:
        return self._errors({"CRV1": f"{self._first}+others"})

    @property
    def _first(self) -> str:
        """The clusters; where they are a factor of the model, by its name."""
        return next(iter(self.given.data.spec.factors), "clusters")

    def _errors(self, kind: Any) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            errors = self.result.vcov(kind).se()
        if not self.given.data.spec.numeric:
            return errors[["Intercept", *self.given.names]].to_numpy()
        return errors[list(self.given.data.spec.numeric)].to_numpy()
