"""scikit-learn, unpenalised: `lbfgs` and `newton-cholesky`. It has no standard errors.

An exposure enters as scikit-learn's own examples have it: rates as response, exposure as weight,
which for the Poisson family is the same likelihood. Factors go through its one-hot encoder, sparse.
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from benchmarks.libraries.base import Library, Solution, as_float, square_obstacle, timed

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec

POWERS = {"gaussian": 0, "inverse_gaussian": 3}


class SklearnLbfgs(Library):
    packages = ("scikit-learn", "numpy", "scipy")
    default = 1e-4
    tight = 1e-8
    ladder = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
    solver = "lbfgs"
    turns = 5_000

    def precision(self, spec: "Spec") -> str:
        return spec.dtype

    def obstacle(self, spec: "Spec") -> str | None:
        if spec.family == "negative_binomial" or spec.link not in ("identity", "log", "logit"):
            return f"no {spec.family} family with the {spec.link} link"
        return None

    def load(self) -> None:
        self.linear = importlib.import_module("sklearn.linear_model")
        self.preprocessing = importlib.import_module("sklearn.preprocessing")
        self.sparse = importlib.import_module("scipy.sparse")

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        spec = data.spec
        table = spec.door == "table"
        X: Any = data.X
        encode = 0.0
        if table:
            X, encode = timed(lambda: self._encode(data))
        shared = {
            "tol": tolerance,
            "max_iter": self.turns,
            "fit_intercept": table,
            "solver": self.solver,
        }
        y, weights = data.y, None
        if spec.family == "binomial":
            model = self.linear.LogisticRegression(C=np.inf, **shared)
        elif spec.family == "poisson":
            model = self.linear.PoissonRegressor(alpha=0.0, **shared)
        elif spec.family == "gamma":
            model = self.linear.GammaRegressor(alpha=0.0, **shared)
        else:
            power = POWERS.get(spec.family, spec.power)
            options = {"power": power, "link": spec.link, "alpha": 0.0}
            model = self.linear.TweedieRegressor(**options, **shared)
        if spec.has_exposure:
            weights = data.frame["exposure"].to_numpy()
            y = y / weights
        with warnings.catch_warnings():
            # Whether it converged is for the gate to say.
            warnings.simplefilter("ignore")
            _, solve = timed(lambda: model.fit(X, y, sample_weight=weights))
        beta = as_float(model.coef_)
        if table:
            beta = np.concatenate([as_float(model.intercept_), beta])
        return Solution(
            beta,
            passes=int(np.max(model.n_iter_)),
            stages={"encode": encode, "solve": solve},
        )

    def _encode(self, data: "Data") -> Any:
        spec = data.spec
        if not spec.factors:
            return data.frame[list(spec.numeric)].to_numpy()
        encoder = self.preprocessing.OneHotEncoder(drop="first")
        factors = encoder.fit_transform(data.frame[list(spec.factors)])
        numeric = self.sparse.csr_matrix(data.frame[list(spec.numeric)].to_numpy())
        return self.sparse.hstack([factors, numeric], format="csr")


class SklearnNewton(SklearnLbfgs):
    solver = "newton-cholesky"
    turns = 200

    def obstacle(self, spec: "Spec") -> str | None:
        return super().obstacle(spec) or square_obstacle(spec)
