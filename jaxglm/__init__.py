"""jaxglm: generalized linear models on JAX. This module is the table of contents."""

from jaxglm import datasets
from jaxglm._fit import GLM, glm
from jaxglm._save import load
from jaxglm._status import (
    BoundaryWarning,
    ConvergenceWarning,
    DataError,
    FitError,
    FormulaError,
    JaxglmWarning,
    PrecisionWarning,
    RankWarning,
    SegmentWarning,
    SeparationWarning,
    Status,
)
from jaxglm.families import (
    Binomial,
    Family,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Quasi,
    QuasiBinomial,
    QuasiPoisson,
    Tweedie,
)
from jaxglm.groups import Bootstrap, GroupResults, ResponseResults, fit_groups, fit_responses
from jaxglm.io import add_constant
from jaxglm.links import (
    Cauchit,
    CLogLog,
    Identity,
    Inverse,
    InverseSquared,
    Link,
    Log,
    Logit,
    LogLog,
    Power,
    Probit,
    Sqrt,
)
from jaxglm.results import Results

__version__ = "0.1.0"

__all__ = [
    "GLM",
    "Binomial",
    "Bootstrap",
    "BoundaryWarning",
    "CLogLog",
    "Cauchit",
    "ConvergenceWarning",
    "DataError",
    "Family",
    "FitError",
    "FormulaError",
    "Gamma",
    "Gaussian",
    "GroupResults",
    "Identity",
    "Inverse",
    "InverseGaussian",
    "InverseSquared",
    "JaxglmWarning",
    "Link",
    "Log",
    "LogLog",
    "Logit",
    "NegativeBinomial",
    "Poisson",
    "Power",
    "PrecisionWarning",
    "Probit",
    "Quasi",
    "QuasiBinomial",
    "QuasiPoisson",
    "RankWarning",
    "ResponseResults",
    "Results",
    "SegmentWarning",
    "SeparationWarning",
    "Sqrt",
    "Status",
    "Tweedie",
    "add_constant",
    "datasets",
    "fit_groups",
    "fit_responses",
    "glm",
    "load",
]
