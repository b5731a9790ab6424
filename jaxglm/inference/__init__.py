"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm.inference._bootstrap import Bootstrap, bootstrap
from jaxglm.inference._criteria import (
    check_kind,
    information_criterion,
    likelihood_rsquared,
    share_explained,
    without_rounding,
)
from jaxglm.inference._determined import (
    broken,
    say_nan,
    undetermined,
    warn_undetermined,
)
from jaxglm.inference._effects import exponentiated, meaning, ratio_label, refusal
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._evaluation import Evaluation
from jaxglm.inference._null_means import null_means
from jaxglm.inference._overdispersion import Overdispersion, assess, equals, suspect_weights
from jaxglm.inference._prediction import Prediction, check_scale
from jaxglm.inference._scores import BrierScore, HosmerLemeshow
from jaxglm.inference._suggest import suggest_family
from jaxglm.inference._suggestions import FamilySuggestions
from jaxglm.inference._wald import akaike, interval, schwarz, wald
from jaxglm.inference._zero_inflation import ZeroInflation, zero_inflation

__all__ = [
    "Bootstrap",
    "BrierScore",
    "Estimates",
    "Evaluation",
    "FamilySuggestions",
    "HosmerLemeshow",
    "Overdispersion",
    "Prediction",
    "ZeroInflation",
    "akaike",
    "assess",
    "bootstrap",
    "broken",
    "check_kind",
    "check_scale",
    "equals",
    "exponentiated",
    "information_criterion",
    "interval",
    "likelihood_rsquared",
    "meaning",
    "null_means",
    "ratio_label",
    "refusal",
    "say_nan",
    "schwarz",
    "share_explained",
    "suggest_family",
    "suspect_weights",
    "undetermined",
    "wald",
    "warn_undetermined",
    "without_rounding",
    "zero_inflation",
]
