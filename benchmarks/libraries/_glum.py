"""glum: unpenalised, IRLS; tables through tabmat, which keeps factors as codes.

The tolerance is `gradient_tol`. No standard errors are asked for, except where the job is a
summary, and of segments.
"""

import importlib
from typing import TYPE_CHECKING, Any

from benchmarks.libraries._loop import Fitted, Loop
from benchmarks.libraries.base import Solution, as_float, square_obstacle, timed

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.segments import Part
    from benchmarks.spec import Spec

MOST_TURNS = 200


class Glum(Loop):
    packages = ("glum", "tabmat", "numpy")
    default = 1e-4
    tight = 1e-8
    ladder = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)

    def precision(self, spec: "Spec") -> str:
        return spec.dtype

    def obstacle(self, spec: "Spec") -> str | None:
        if spec.link not in ("identity", "log", "logit", "cloglog") or spec.estimates_shape:
            shape = ", with its shape to estimate" if spec.estimates_shape else ""
            return f"no {spec.family} family with the {spec.link} link{shape}"
        return square_obstacle(spec)

    def load(self) -> None:
        self.glum = importlib.import_module("glum")
        self.tabmat = importlib.import_module("tabmat")

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        spec = data.spec
        X: Any = data.X
        encode = 0.0
        if spec.door == "table":
            columns = [*spec.factors, *spec.numeric]
            X, encode = timed(lambda: self.tabmat.from_pandas(data.frame[columns], drop_first=True))
        model = self._regressor(spec, tolerance, fit_intercept=spec.door == "table")
        offset = np.log(data.frame["exposure"].to_numpy()) if spec.has_exposure else None
        # The covariance is part of the job only where a summary is.
        options = {"store_covariance_matrix": True} if spec.summary else {}
        _, solve = timed(lambda: model.fit(X, data.y, offset=offset, **options))
        beta = as_float(model.coef_)
        if spec.door == "table":
            beta = np.concatenate([[float(model.intercept_)], beta])
        errors = as_float(model.std_errors()) if spec.summary else None
        return Solution(
            beta,
            errors=errors,
            passes=int(model.n_iter_),
            stages={"encode": encode, "solve": solve},
        )

    def fit_part(self, part: "Part", spec: "Spec", tolerance: float | None) -> Fitted | None:
        # The model's own covariance: its default, the robust one, takes longer.
        model = self._regressor(spec, tolerance, fit_intercept=False, robust=False)
        model.fit(part.X, part.y, offset=part.offset, store_covariance_matrix=True)
        errors = as_float(model.std_errors())
        return Fitted(model.coef_, errors) if model.n_iter_ < MOST_TURNS else None

    def _regressor(self, spec: "Spec", tolerance: float | None, **options: Any) -> Any:
        family: Any = spec.family.replace("_", ".")
        if spec.family == "tweedie":
            family = self.glum.TweedieDistribution(spec.power)
        elif spec.family == "negative_binomial":
            family = self.glum.NegativeBinomialDistribution(spec.shape)
        return self.glum.GeneralizedLinearRegressor(
            alpha=0,
            family=family,
            link=spec.link,
            gradient_tol=tolerance,
            solver="irls-ls",
            max_iter=MOST_TURNS,
            **options,
        )
