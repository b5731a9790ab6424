"""statsmodels: the functions of its sandwich, and `get_influence`, on a GLM at our coefficients.

A GLM of statsmodels has HC0 whichever of HC0 to HC3 is asked for, so HC3 is not among the tasks.
"""

import importlib
from typing import Any, ClassVar

import numpy as np

from benchmarks.inference.base import LAGS, Adapter
from benchmarks.libraries.base import dense_obstacle


class Statsmodels(Adapter):
    packages = ("statsmodels", "numpy", "scipy")
    corrections: ClassVar = {
        "HC0": "statsmodels",
        "cluster": "statsmodels",
        "twoway": "statsmodels",
        "HAC": "statsmodels",
        "leverages": "sandwich",
        "cooks": "sandwich",
    }

    def obstacle(self) -> str | None:
        spec = self.given.data.spec
        if spec.door != "arrays":
            return "a column of a dense X for each level"
        # X, its weighted copy, the scores and their like.
        return dense_obstacle(spec, 5)

    def fit(self) -> None:
        sm = importlib.import_module("statsmodels.api")
        self.sandwich = importlib.import_module("statsmodels.stats.sandwich_covariance")
        given = self.given.data
        named = {"binomial": "Binomial", "poisson": "Poisson"}[given.spec.family]
        model = sm.GLM(given.y, given.matrix, family=getattr(sm.families, named)())
        self.result = model.fit(start_params=self.given.beta, maxiter=1)

    def HC0(self, correction: str) -> np.ndarray:
        return self._errors(self.sandwich.cov_white_simple(self.result, use_correction=False))

    def cluster(self, correction: str) -> np.ndarray:
        return self._errors(self.sandwich.cov_cluster(self.result, self.given.clusters))

    def twoway(self, correction: str) -> np.ndarray:
        both, _, _ = self.sandwich.cov_cluster_2groups(
            self.result, self.given.clusters, self.given.others
        )
        return self._errors(both)

    def HAC(self, correction: str) -> np.ndarray:
        return self._errors(
            self.sandwich.cov_hac_simple(self.result, nlags=LAGS, use_correction=False)
        )

    def leverages(self, correction: str) -> np.ndarray:
        return self.result.get_influence(observed=False).hat_matrix_diag

    def cooks(self, correction: str) -> np.ndarray:
        return self.result.get_influence(observed=False).cooks_distance[0]

    @staticmethod
    def _errors(covariance: Any) -> np.ndarray:
        return np.sqrt(np.diag(covariance))
