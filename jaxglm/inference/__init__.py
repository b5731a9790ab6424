"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm.inference._bootstrap import Bootstrap, bootstrap
from jaxglm.inference._clusters import column_of_fit
from jaxglm.inference._covariance_choice import CovarianceChoice, Information
from jaxglm.inference._determined import (
    broken,
    say_nan,
    undetermined,
    warn_undetermined,
)
from jaxglm.inference._dispersion import (
    check_scale_choice,
    slopes_of,
    slopes_of_many,
    with_dispersion,
)
from jaxglm.inference._effects import exponentiated, meaning, ratio_label, refusal
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._overdispersion import Overdispersion, assess, equals, suspect_weights
from jaxglm.inference._prediction import Prediction, check_scale
from jaxglm.inference._sandwich import Asked, Estimated, covariance_of
from jaxglm.inference._sandwich_of_many import covariances_of
from jaxglm.inference._wald import akaike, interval, schwarz, wald

__all__ = [
    "Asked",
    "Bootstrap",
    "CovarianceChoice",
    "Estimated",
    "Estimates",
    "Information",
    "Overdispersion",
    "Prediction",
    "akaike",
    "assess",
    "bootstrap",
    "broken",
    "check_scale",
    "check_scale_choice",
    "column_of_fit",
    "covariance_of",
    "covariances_of",
    "equals",
    "exponentiated",
    "interval",
    "meaning",
    "ratio_label",
    "refusal",
    "say_nan",
    "schwarz",
    "slopes_of",
    "slopes_of_many",
    "suspect_weights",
    "undetermined",
    "wald",
    "warn_undetermined",
    "with_dispersion",
]
