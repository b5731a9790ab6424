"""adelie: `grpnet` with a group for each column, no early exit; sparse columns for a table."""

import importlib

from benchmarks.paths.base import Adapter, Coefficients, Given


class Adelie(Adapter):
    packages = ("adelie", "numpy")
    default = 1e-7
    tolerances = (1e-7, 1e-10, 1e-14)

    def load(self) -> None:
        self.adelie = importlib.import_module("adelie")

    def ready(self, given: Given) -> None:
        import numpy as np

        from benchmarks import machine

        ad = self.adelie
        self.threads = machine.usable_cpus()
        make = ad.matrix.sparse if given.spec.door == "table" else ad.matrix.dense
        self.X = make(given.by_column, method="naive", n_threads=self.threads)
        self.y = getattr(ad.glm, given.spec.family)(y=np.asarray(given.y, float))

    def solve(self, given: Given, tolerance: float | None) -> Coefficients:
        import numpy as np

        state = self.adelie.grpnet(
            self.X,
            self.y,
            lmda_path=given.strengths,
            offsets=given.offset,
            penalty=np.ones(given.spec.p - 1),
            tol=tolerance,
            irls_tol=tolerance,
            early_exit=False,
            progress_bar=False,
            n_threads=self.threads,
        )
        return Coefficients(np.asarray(state.intercepts), state.betas.toarray())
