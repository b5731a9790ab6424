"""polars-statistics: one expression, in `select` for one fit and in `group_by` for many.

It is handed a polars frame, made before the clock starts. Its summaries have standard errors; of a
negative binomial fit they do not tell the shape. Expressions with an exposure, and the
others that take a tolerance, are those of its `penalized_glm`, without a penalty.
"""

import importlib
from typing import TYPE_CHECKING, Any

from benchmarks.libraries.base import Library, Solution, dense_obstacle

if TYPE_CHECKING:
    from benchmarks.data import Data
    from benchmarks.spec import Spec

FAMILIES = {
    ("gaussian", "identity"): "ols_summary",
    ("binomial", "logit"): "penalized_glm_summary",
    ("binomial", "probit"): "probit_summary",
    ("binomial", "cloglog"): "cloglog_summary",
    ("poisson", "log"): "penalized_glm_summary",
    ("gamma", "log"): "penalized_glm_summary",
    ("tweedie", "log"): "penalized_glm_summary",
    ("negative_binomial", "log"): "penalized_glm_summary",
}


class PolarsStatistics(Library):
    packages = ("polars-statistics", "polars")
    default = 1e-8
    tight = 1e-10
    ladder = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10)
    by_segment = True

    def obstacle(self, spec: "Spec") -> str | None:
        if (spec.family, spec.link) not in FAMILIES:
            return f"no {spec.family} family with the {spec.link} link"
        if spec.factors:
            return "no factors"
        return dense_obstacle(spec, 4)

    def load(self) -> None:
        self.pl = importlib.import_module("polars")
        self.ps = importlib.import_module("polars_statistics")

    def ready(self, data: "Data") -> None:
        spec, pl = data.spec, self.pl
        if spec.door == "arrays":
            columns = {f"x{j}": data.matrix[:, j] for j in range(1, spec.p)} | {"y": data.y}
        else:
            columns = {name: data.frame[name].to_numpy() for name in [*spec.numeric, "y"]}
            if data.log_exposure is not None:
                columns["log_exposure"] = data.log_exposure
            for name in spec.by:
                values = data.frame[name]
                # Groups by numbers, which are quicker; the order is that of the labels.
                columns[name] = (values.cat.codes if hasattr(values, "cat") else values).to_numpy()
        self.table = pl.DataFrame(columns)
        self.terms = [name for name in columns if name.startswith("x") or name in spec.numeric]

    def fit(self, data: "Data", tolerance: float | None) -> Solution:
        found = self.table.select(self._expression(data.spec, tolerance)).to_series()[0]
        values = found.struct.unnest()
        return Solution(values["estimate"].to_numpy(), errors=values["std_error"].to_numpy().copy())

    def fit_segments(self, data: "Data", tolerance: float | None) -> Solution:
        import numpy as np

        spec, by = data.spec, list(data.spec.by)
        fits = self.table.group_by(by).agg(self._expression(spec, tolerance)).sort(by)
        tidy = fits.explode("fit").unnest("fit")
        # A segment without a fit has one row without numbers.
        counts = fits["fit"].list.len().fill_null(0).to_numpy()
        whole = counts == spec.p
        of_row = np.repeat(whole, np.maximum(counts, 1))
        beta = np.full((len(fits), spec.p), np.nan)
        errors = beta.copy()
        for target, name in ((beta, "estimate"), (errors, "std_error")):
            target[whole] = tidy[name].to_numpy()[of_row].reshape(-1, spec.p)
        # Without standard errors there is no ordinary optimum either.
        beta[~np.isfinite(errors).all(axis=1)] = np.nan
        return Solution(beta, errors=errors)

    def _expression(self, spec: "Spec", tolerance: float | None) -> Any:
        options: dict[str, Any] = {}
        name = FAMILIES[spec.family, spec.link]
        if spec.estimates_shape:
            name = "negative_binomial_summary"
        elif name == "penalized_glm_summary":
            options = {"family": spec.family, "tol": tolerance, "power": spec.power}
            if spec.shape is not None:
                options["theta"] = 1 / spec.shape
            if spec.has_exposure:
                options["offset"] = "log_exposure"
            if spec.family == "gamma":
                options["link"] = "log"
        return getattr(self.ps, name)("y", *self.terms, **options).alias("fit")
