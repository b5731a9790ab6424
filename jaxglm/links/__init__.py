"""Links: the map between a mean and a linear predictor. Re-exports only."""

from jaxglm.links._base import Link, slope
from jaxglm.links._names import as_link, stands_for_link
from jaxglm.links._power import Identity, Inverse, InverseSquared, Log, Power, Sqrt
from jaxglm.links._probability import Cauchit, CLogLog, Logit, LogLog, Probit

__all__ = [
    "CLogLog",
    "Cauchit",
    "Identity",
    "Inverse",
    "InverseSquared",
    "Link",
    "Log",
    "LogLog",
    "Logit",
    "Power",
    "Probit",
    "Sqrt",
    "as_link",
    "slope",
    "stands_for_link",
]
