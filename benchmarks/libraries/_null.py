"""The null model: one mean for all rows. Not a fit, but the least that any fit has to beat.

Its time is that of looking at the response once, its memory that of the data, its objective the
one that the columns have to improve. The accuracy gate does not apply.
"""

from typing import TYPE_CHECKING

from benchmarks.libraries.base import Library, Solution

if TYPE_CHECKING:
    from benchmarks.data import Data


class Null(Library):
    packages = ("numpy",)
    gated = False

    def load(self) -> None:
        import numpy as np

        self.np = np

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        from benchmarks.formulas import predictor

        np, spec = self.np, data.spec
        exposed = data.frame["exposure"].sum() if spec.has_exposure else spec.n
        mean = data.y.sum() / exposed
        beta = np.zeros(spec.p)
        beta[0] = predictor(spec.link, mean)
        return Solution(beta, passes=1)
