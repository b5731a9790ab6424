"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm.inference._bootstrap import Bootstrap, bootstrap
from jaxglm.inference._determined import (
    broken,
    say_nan,
    undetermined,
    warn_undetermined,
)
from jaxglm.inference._distribution import Law, check_sizes, law
from jaxglm.inference._effects import exponentiated, meaning, ratio_label, refusal
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._margins import Effects, Where, marginal_effects
from jaxglm.inference._margins_changes import METHODS, Asked, check_variables
from jaxglm.inference._new_responses import NewResponses
from jaxglm.inference._overdispersion import Overdispersion, assess, equals, suspect_weights
from jaxglm.inference._prediction import Prediction, check_scale
from jaxglm.inference._wald import akaike, check_alpha, interval, schwarz, wald

__all__ = [
    "METHODS",
    "Asked",
    "Bootstrap",
    "Effects",
    "Estimates",
    "Law",
    "NewResponses",
    "Overdispersion",
    "Prediction",
    "Where",
    "akaike",
    "assess",
    "bootstrap",
    "broken",
    "check_alpha",
    "check_scale",
    "check_sizes",
    "check_variables",
    "equals",
    "exponentiated",
    "interval",
    "law",
    "marginal_effects",
    "meaning",
    "ratio_label",
    "refusal",
    "say_nan",
    "schwarz",
    "suspect_weights",
    "undetermined",
    "wald",
    "warn_undetermined",
]
