"""statsmodels' GLM: IRLS on a dense X; the tolerance is on the deviance."""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.libraries._loop import Fitted, Loop
from benchmarks.libraries.base import Solution, as_float, dense_obstacle, timed

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.segments import Part
    from benchmarks.spec import Spec

FAMILIES = {
    "gaussian": "Gaussian",
    "binomial": "Binomial",
    "poisson": "Poisson",
    "gamma": "Gamma",
    "inverse_gaussian": "InverseGaussian",
}
LINKS = {
    "identity": "Identity",
    "log": "Log",
    "inverse": "InversePower",
    "inverse_squared": "InverseSquared",
    "sqrt": "Sqrt",
    "logit": "Logit",
    "probit": "Probit",
    "cloglog": "CLogLog",
    "loglog": "LogLog",
    "cauchit": "Cauchy",
}


class Statsmodels(Loop):
    packages = ("statsmodels", "numpy", "scipy")
    default = 1e-8
    tight = 1e-12
    ladder = (1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)

    def obstacle(self, spec: "Spec") -> str | None:
        if spec.estimates_shape:
            return "does not estimate a shape"
        # X, its weighted copy and the pseudo-inverse are in memory at once.
        return dense_obstacle(spec, 4)

    def load(self) -> None:
        self.sm = importlib.import_module("statsmodels.api")
        self.smf = importlib.import_module("statsmodels.formula.api")

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        spec, families = data.spec, self.sm.families
        options: dict[str, Any] = {"family": _family(families, spec)}
        if spec.has_exposure:
            options["exposure"] = data.frame["exposure"].to_numpy()
        with warnings.catch_warnings():
            # Whether it converged is for the gate to say.
            warnings.simplefilter("ignore")
            if spec.door == "arrays":
                model, encode = timed(lambda: self.sm.GLM(data.y, data.matrix, **options))
            else:
                model, encode = timed(lambda: self.smf.glm(spec.formula, data.frame, **options))
            result, solve = timed(lambda: model.fit(tol=tolerance))
            if spec.summary:
                str(result.summary())
        return Solution(
            as_float(result.params),
            errors=as_float(result.bse),
            passes=int(result.fit_history["iteration"]),
            stages={"encode": encode, "solve": solve},
        )

    def fit_part(self, part: "Part", spec: "Spec", tolerance: float | None) -> Fitted | None:
        family = _family(self.sm.families, spec)
        result = self.sm.GLM(part.y, part.X, family=family, offset=part.offset).fit(tol=tolerance)
        return Fitted(result.params, result.bse) if result.converged else None


def _family(families: Any, spec: "Spec") -> Any:
    link = getattr(families.links, LINKS[spec.link])()
    if spec.family == "tweedie":
        return families.Tweedie(link=link, var_power=spec.power)
    if spec.family == "negative_binomial":
        return families.NegativeBinomial(link=link, alpha=spec.shape)
    return getattr(families, FAMILIES[spec.family])(link=link)
