"""The libraries that can be measured, by name, and the tolerances each is run at.

A run is named `library@tolerance`: the tolerance is "default", "tight", "loosest" (the loosest on
the library's ladder that passes the accuracy gate on the problem at hand), or a number.
"""

import importlib
from dataclasses import dataclass

from benchmarks.libraries.base import Library

ADAPTERS = {
    "jaxglm": ("_jaxglm", "JaxGlm"),
    "jaxglm-float32": ("_jaxglm", "JaxGlmFloat32"),
    "jaxglm-compiled": ("_jaxglm", "JaxGlmCompiled"),
    "jaxglm-cpu": ("_jaxglm", "JaxGlmCpu"),
    "glum": ("_glum", "Glum"),
    "statsmodels": ("_statsmodels", "Statsmodels"),
    "statsmodels-discrete": ("_statsmodels_discrete", "StatsmodelsDiscrete"),
    "numpy-irls": ("_numpy", "NumpyIrls"),
    "edi-kernels": ("_edi", "Edi"),
    "edi-kernels-frame": ("_edi", "EdiFrame"),
    "polars-statistics": ("_polars_statistics", "PolarsStatistics"),
    "rustystats": ("_rustystats", "RustyStats"),
    "statgpu": ("_statgpu", "StatGpu"),
    "sklearn-lbfgs": ("_sklearn", "SklearnLbfgs"),
    "sklearn-newton-cholesky": ("_sklearn", "SklearnNewton"),
    "pyfixest": ("_pyfixest", "Pyfixest"),
    "glmax": ("_glmax", "Glmax"),
    "r-glm": ("_r_glm", "RGlm"),
    "null": ("_null", "Null"),
}
WORDS = ("default", "tight", "loosest")


def create(name: str) -> Library:
    """The adapter of that name; nothing of its library is imported yet."""
    module, adapter = ADAPTERS[name]
    return getattr(importlib.import_module(f"benchmarks.libraries.{module}"), adapter)()


@dataclass(frozen=True)
class Entrant:
    """A library with the tolerance it is asked to run at."""

    library: str
    at: str = "default"

    @property
    def name(self) -> str:
        return self.library if self.at == "default" else f"{self.library}@{self.at}"

    def tolerance(self, adapter: Library) -> float | None:
        """The number to pass on; for "loosest" a search has to find it."""
        if self.at in ("default", "tight"):
            return getattr(adapter, self.at)
        return float(self.at)


def entrant(text: str) -> Entrant:
    """Read `library` or `library@tolerance`.

    Raises
    ------
    ValueError
        For a library that is not registered, or a tolerance that is neither a word nor a number.
    """
    library, _, at = text.partition("@")
    if library not in ADAPTERS:
        raise ValueError(f"no library {library!r}; there are {', '.join(ADAPTERS)}")
    at = at or "default"
    if at not in WORDS:
        float(at)
    return Entrant(library, at)


_CPU = (
    "jaxglm",
    "jaxglm-compiled",
    "jaxglm-float32",
    "glum",
    "glum@tight",
    "glum@loosest",
    "statsmodels@loosest",
    "statsmodels-discrete@loosest",
    "numpy-irls@loosest",
    "edi-kernels@loosest",
    "edi-kernels-frame@loosest",
    "polars-statistics@loosest",
    "rustystats@loosest",
    "statgpu@loosest",
    "sklearn-lbfgs@loosest",
    "sklearn-newton-cholesky@loosest",
    "pyfixest@loosest",
    "glmax@loosest",
    "r-glm@loosest",
    "null",
)
# On an accelerator, only what runs there, and the same code on the CPU beside it.
_GPU = ("jaxglm", "jaxglm-float32", "jaxglm-cpu")
DEFAULT = {
    "cpu": tuple(entrant(text) for text in _CPU),
    "gpu": tuple(entrant(text) for text in _GPU),
}
