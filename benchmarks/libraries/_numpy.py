"""Ten lines of NumPy: iteratively reweighted least squares with standard errors.

What anyone writes who has read how a GLM is fitted, and the least that a library has to beat. The
tolerance is on the change of the coefficients.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.libraries._loop import Fitted, Loop
from benchmarks.libraries.base import Solution, dense_obstacle

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.data import Data
    from benchmarks.segments import Part
    from benchmarks.spec import Spec

LINKS = {"gaussian": "identity", "binomial": "logit", "poisson": "log", "gamma": "log"}
MOST_TURNS = 50


class NumpyIrls(Loop):
    packages = ("numpy",)
    default = 1e-8
    tight = 1e-10
    ladder = (1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10)

    def obstacle(self, spec: "Spec") -> str | None:
        if LINKS.get(spec.family) != spec.link:
            return f"not written for {spec.family} with the {spec.link} link"
        if spec.door == "table" and not spec.segments:
            return "takes arrays only"
        # X and its weighted copy, which is float64.
        return dense_obstacle(spec, 2)

    def load(self) -> None:
        import numpy as np

        self.np = np

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        assert tolerance is not None
        (beta, errors, _), turns = self._irls(data.y, data.matrix, 0.0, data.spec, tolerance)
        return Solution(beta, errors=errors, passes=turns)

    def fit_part(self, part: "Part", spec: "Spec", tolerance: float | None) -> Fitted | None:
        assert tolerance is not None
        offset = 0.0 if part.offset is None else part.offset
        fitted, turns = self._irls(part.y, part.X, offset, spec, tolerance)
        return fitted if turns < MOST_TURNS else None

    def _irls(
        self, y: "np.ndarray", X: "np.ndarray", offset: Any, spec: "Spec", tolerance: float
    ) -> tuple[Fitted, int]:
        np, terms = self.np, self._terms(spec.family)
        eta, beta = self._start(spec.family, y), np.inf
        turns, moved = 0, np.inf
        while moved > tolerance and turns < MOST_TURNS:
            turns += 1
            weight, residual = terms(y, eta)
            # A Gaussian response has one weight for all rows, and is solved at once.
            weighted = X if weight is None else X * weight[:, None]
            H = weighted.T @ X
            last, beta = beta, np.linalg.solve(H, weighted.T @ (eta - offset + residual))
            moved = 0.0 if weight is None else np.abs(beta - last).max()
            eta = X @ beta + offset
        variance = np.diag(np.linalg.inv(H))
        if spec.family in ("gaussian", "gamma"):
            left = terms(y, eta)[1]
            variance = variance * (left @ left) / (y.size - spec.p)
        return Fitted(beta, np.sqrt(variance)), turns

    def _start(self, family: str, y: "np.ndarray") -> "np.ndarray":
        """A linear predictor near the responses themselves."""
        np = self.np
        if family == "binomial":
            return np.where(y > 0.5, 1.0, -1.0)
        return np.zeros_like(y) if family == "gaussian" else np.log(y + 0.1)

    def _terms(self, family: str) -> Callable[..., tuple[Any, Any]]:
        """Weight and working residual of each row; the weight None where it is 1."""
        np = self.np

        def binomial(y: Any, eta: Any) -> tuple[Any, Any]:
            mu = 1 / (1 + np.exp(-eta))
            weight = mu * (1 - mu)
            return weight, (y - mu) / weight

        def poisson(y: Any, eta: Any) -> tuple[Any, Any]:
            mu = np.exp(eta)
            return mu, y / mu - 1

        def gamma(y: Any, eta: Any) -> tuple[Any, Any]:
            return np.ones_like(eta), y * np.exp(-eta) - 1

        def gaussian(y: Any, eta: Any) -> tuple[Any, Any]:
            return None, y - eta

        return {"binomial": binomial, "poisson": poisson, "gamma": gamma}.get(family, gaussian)
