"""jaxglm: a result is asked for another covariance, for leverages, for measures of quality.

The unit of all times is `plain`, one pass over the rows: the sums at the solution that every fit
ends with, of rows that are in place already.
"""

import functools
import importlib
from typing import Any

import numpy as np

from benchmarks.inference.base import LAGS, Adapter


class JaxGlm(Adapter):
    packages = ("jaxglm", "jax", "jaxlib", "numpy", "scipy")

    def fit(self) -> None:
        self.jg = importlib.import_module("jaxglm")
        given, spec = self.given.data, self.given.data.spec
        if spec.door == "arrays":
            self.result = self.jg.GLM(given.y, given.matrix, spec.family).fit()
        else:
            self.result = self.jg.glm(spec.formula, given.frame, spec.family)
        np.save(self.given.folder / "beta.npy", self.result.fit.coef)

    @functools.cached_property
    def probit(self) -> Any:
        given = self.given.data
        return self.jg.GLM(given.y, given.matrix, self.jg.Binomial(link="probit")).fit()

    # -- the unit --------------------------------------------------------------------------------

    def plain(self, correction: str) -> None:
        self._pass()

    def plain_probit(self, correction: str) -> None:
        self._pass_of_probit()

    @functools.cached_property
    def _pass(self) -> Any:
        return _one_pass(self.result)

    @functools.cached_property
    def _pass_of_probit(self) -> Any:
        return _one_pass(self.probit)

    # -- covariances -----------------------------------------------------------------------------

    def HC0(self, correction: str) -> np.ndarray:
        # HC1 differs from it by a factor, and by nothing in the sandwich's and statsmodels' words.
        kind = "HC1" if correction == "fixest" else "HC0"
        return self._errors(cov_type=kind, correction=correction)

    def HC3(self, correction: str) -> np.ndarray:
        return self._errors(cov_type="HC3", correction=correction)

    def cluster(self, correction: str) -> np.ndarray:
        return self._errors(cluster=self.given.clusters, correction=correction)

    def twoway(self, correction: str) -> np.ndarray:
        ways = [self.given.clusters, self.given.others]
        return self._errors(cluster=ways, correction=correction)

    def HAC(self, correction: str) -> np.ndarray:
        return self._errors(cov_type="HAC", maxlags=LAGS, correction=correction)

    def observed(self, correction: str) -> np.ndarray:
        return np.asarray(self.probit.robust(information="observed").bse)

    def _errors(self, **asked: Any) -> np.ndarray:
        """Standard errors; of a table those of its numeric columns, which every library has."""
        errors = self.result.robust(**asked).bse
        numeric = self.given.data.spec.numeric
        return np.asarray(errors[list(numeric)] if numeric else errors)

    # -- rows ------------------------------------------------------------------------------------

    def leverages(self, correction: str) -> np.ndarray:
        return self.result.hatvalues().to_numpy()

    def cooks(self, correction: str) -> np.ndarray:
        return self.result.get_influence().summary_frame()["cooks_d"].to_numpy()

    def auc(self, correction: str) -> None:
        self.result.roc_auc()

    def calibration(self, correction: str) -> None:
        self.result.calibration()

    def check(self, correction: str) -> None:
        self.result.check()


def _one_pass(result: Any) -> Any:
    """What visits the rows once, and returns when the sums are there."""
    jax = importlib.import_module("jax")
    sums = importlib.import_module("jaxglm.sums")
    inference = importlib.import_module("jaxglm.inference")
    computing = importlib.import_module("jaxglm._jax").computing
    held = result.model.held("a pass")
    estimated = inference.Estimated.of(result.fit, result.family, held)
    average = float(held.rows.y.mean())
    null = sums.NullModel(average, average, np.nan)
    coef = result.fit.coef[held.order]

    def visit() -> None:
        with computing():
            source = estimated.source
            jax.device_get(source.reduce(sums.final_sums, estimated.family, coef, null))

    return visit
