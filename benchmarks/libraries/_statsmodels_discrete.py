"""statsmodels' models of discrete responses: Logit, Probit, Poisson and NegativeBinomial.

Each by its own default: Newton's method, with the tolerance on the change of the parameters, but
for the negative binomial model BFGS, with the tolerance on the gradient (Newton's method fails on
one segment in a hundred and fifty).
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.libraries._loop import Fitted, Loop
from benchmarks.libraries.base import Solution, as_float, dense_obstacle, timed

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data import Data
    from benchmarks.segments import Part
    from benchmarks.spec import Spec

MODELS = {
    ("binomial", "logit"): "Logit",
    ("binomial", "probit"): "Probit",
    ("poisson", "log"): "Poisson",
    ("negative_binomial", "log"): "NegativeBinomial",
}
MOST_TURNS = 500


class StatsmodelsDiscrete(Loop):
    packages = ("statsmodels", "numpy", "scipy")
    default = 1e-6
    tight = 1e-7
    ladder = (1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)

    def obstacle(self, spec: "Spec") -> str | None:
        if (spec.family, spec.link) not in MODELS or spec.shape is not None:
            return "no such model of discrete responses"
        if spec.has_exposure and spec.family != "poisson":
            return "no exposure"
        return dense_obstacle(spec, 4)

    def load(self) -> None:
        self.sm = importlib.import_module("statsmodels.api")
        self.smf = importlib.import_module("statsmodels.formula.api")

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        spec = data.spec
        name = MODELS[spec.family, spec.link]
        options: dict[str, Any] = {}
        if spec.has_exposure:
            options["exposure"] = data.frame["exposure"].to_numpy()
        if spec.door == "arrays":
            model, encode = timed(lambda: getattr(self.sm, name)(data.y, data.matrix, **options))
        else:
            by_formula = getattr(self.smf, name.lower())
            model, encode = timed(lambda: by_formula(spec.formula, data.frame, **options))
        with warnings.catch_warnings():
            # Whether it converged is for the gate to say.
            warnings.simplefilter("ignore")
            result, solve = timed(lambda: self._fit(model, tolerance))
            if spec.summary:
                str(result.summary())
        beta, errors, shape = _answer(result, spec)
        return Solution(
            beta,
            errors=errors,
            shape=shape if spec.estimates_shape else None,
            passes=result.mle_retvals.get("iterations"),
            stages={"encode": encode, "solve": solve},
        )

    def fit_part(self, part: "Part", spec: "Spec", tolerance: float | None) -> Fitted | None:
        offset = {} if part.offset is None else {"offset": part.offset}
        model = getattr(self.sm, MODELS[spec.family, spec.link])(part.y, part.X, **offset)
        result = self._fit(model, tolerance)
        return _answer(result, spec) if result.mle_retvals["converged"] else None

    def _fit(self, model: Any, tolerance: float | None) -> Any:
        if type(model).__name__ == "NegativeBinomial":
            return model.fit(method="bfgs", gtol=tolerance, maxiter=MOST_TURNS, disp=0)
        return model.fit(method="newton", tol=tolerance, disp=0)


def _answer(result: Any, spec: "Spec") -> Fitted:
    """The shape stands behind the coefficients."""
    params: np.ndarray = as_float(result.params)
    shape = float(params[-1]) if spec.estimates_shape else float("nan")
    return Fitted(params[: spec.p], as_float(result.bse)[: spec.p], shape)
