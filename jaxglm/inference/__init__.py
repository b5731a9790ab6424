"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm._numbers import FloatArray
from jaxglm.inference._bootstrap import Bootstrap
from jaxglm.inference._effects import meaning, ratio_label
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._overdispersion import Overdispersion
from jaxglm.inference._prediction import Prediction
from jaxglm.inference._wald import (
    akaike,
    critical_value,
    interval,
    linear_variance,
    schwarz,
    wald,
)

__all__ = [
    "Bootstrap",
    "Estimates",
    "FloatArray",
    "Overdispersion",
    "Prediction",
    "akaike",
    "critical_value",
    "interval",
    "linear_variance",
    "meaning",
    "ratio_label",
    "schwarz",
    "wald",
]
