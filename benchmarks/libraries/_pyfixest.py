"""pyfixest's fepois: the factors are absorbed, and only the numeric columns get coefficients.

Its linear predictor is what is judged. Standard errors are those of the numeric columns. The
tolerance is that of the outer loop; the inner one (the demeaning) gets a hundred times as much,
which at the default is the library's own 1e-6.
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.libraries.base import Library, Solution, as_float

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec


class Pyfixest(Library):
    packages = ("pyfixest", "numpy", "pandas")
    default = 1e-8
    tight = 1e-10
    ladder = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)

    def obstacle(self, spec: "Spec") -> str | None:
        if spec.family != "poisson" or not spec.factors:
            return "its Poisson fit with absorbed factors is what is measured"
        return None

    def load(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.pf = importlib.import_module("pyfixest")
            self.demeaners = importlib.import_module("pyfixest.demeaners")

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        assert tolerance is not None
        # It may add columns: to a shallow copy, so that it need not make a deep one.
        spec, frame = data.spec, data.frame.copy(deep=False)
        options: dict[str, Any] = {}
        if spec.has_exposure:
            frame["log_exposure"] = np.log(frame["exposure"])  # it takes an offset by name
            options["offset"] = "log_exposure"
        formula = f"y ~ {' + '.join(spec.numeric)} | {' + '.join(spec.factors)}"
        inner = min(max(100 * tolerance, 1e-12), 1e-2)
        with warnings.catch_warnings():
            # Whether it converged is for the gate to say.
            warnings.simplefilter("ignore")
            result = self.pf.fepois(
                formula,
                frame,
                vcov="iid",
                fixef_rm="none",
                iwls_tol=tolerance,
                iwls_maxiter=200,
                demeaner=self.demeaners.MapDemeaner(fixef_tol=inner),
                copy_data=False,
                **options,
            )
        errors = np.full(spec.p, np.nan)
        errors[spec.p - len(spec.numeric) :] = as_float(result.se())
        return Solution(eta=as_float(result._Y_hat_link), errors=errors)
