"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm.inference._bootstrap import Bootstrap, bootstrap
from jaxglm.inference._clusters import column_of_fit
from jaxglm.inference._combinations import combinations_of
from jaxglm.inference._comparisons import comparison_table, warn_no_tests
from jaxglm.inference._contrasts import contrasts_of
from jaxglm.inference._covariance_choice import CovarianceChoice, Information
from jaxglm.inference._determined import broken, say_nan, undetermined, warn_undetermined
from jaxglm.inference._dispersion import (
    check_scale_choice,
    slopes_of,
    slopes_of_many,
    with_dispersion,
)
from jaxglm.inference._effects import exponentiated, is_intercept, meaning, ratio_label, refusal
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._hypothesis import read_combination, read_hypothesis
from jaxglm.inference._influence import Influence
from jaxglm.inference._linear_tests import (
    LinearTest,
    TermTests,
    WaldTest,
    caution,
    columns_test,
    joint_test,
    single_tests,
)
from jaxglm.inference._multiplicity import ADJUSTMENTS, adjusted, adjusted_critical_value
from jaxglm.inference._overdispersion import Overdispersion, assess, equals, suspect_weights
from jaxglm.inference._prediction import Prediction, check_scale
from jaxglm.inference._sandwich import Asked, Estimated, covariance_of
from jaxglm.inference._sandwich_of_many import covariances_of
from jaxglm.inference._wald import akaike, critical_value, interval, schwarz, wald

__all__ = [
    "ADJUSTMENTS",
    "Asked",
    "Bootstrap",
    "CovarianceChoice",
    "Estimated",
    "Estimates",
    "Influence",
    "Information",
    "LinearTest",
    "Overdispersion",
    "Prediction",
    "TermTests",
    "WaldTest",
    "adjusted",
    "adjusted_critical_value",
    "akaike",
    "assess",
    "bootstrap",
    "broken",
    "caution",
    "check_scale",
    "check_scale_choice",
    "column_of_fit",
    "columns_test",
    "combinations_of",
    "comparison_table",
    "contrasts_of",
    "covariance_of",
    "covariances_of",
    "critical_value",
    "equals",
    "exponentiated",
    "interval",
    "is_intercept",
    "joint_test",
    "meaning",
    "ratio_label",
    "read_combination",
    "read_hypothesis",
    "refusal",
    "say_nan",
    "schwarz",
    "single_tests",
    "slopes_of",
    "slopes_of_many",
    "suspect_weights",
    "undetermined",
    "wald",
    "warn_no_tests",
    "warn_undetermined",
    "with_dispersion",
]
