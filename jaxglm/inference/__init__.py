"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm.inference._bootstrap import Bootstrap, bootstrap
from jaxglm.inference._determined import (
    broken,
    say_nan,
    undetermined,
    warn_undetermined,
)
from jaxglm.inference._effects import exponentiated, meaning, ratio_label, refusal
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._firth import (
    has_penalised_likelihood,
    log_information,
    penalised_tests,
)
from jaxglm.inference._overdispersion import Overdispersion, assess, equals, suspect_weights
from jaxglm.inference._prediction import Prediction, check_scale
from jaxglm.inference._wald import akaike, interval, schwarz, wald

__all__ = [
    "Bootstrap",
    "Estimates",
    "Overdispersion",
    "Prediction",
    "akaike",
    "assess",
    "bootstrap",
    "broken",
    "check_scale",
    "equals",
    "exponentiated",
    "has_penalised_likelihood",
    "interval",
    "log_information",
    "meaning",
    "penalised_tests",
    "ratio_label",
    "refusal",
    "say_nan",
    "schwarz",
    "suspect_weights",
    "undetermined",
    "wald",
    "warn_undetermined",
]
