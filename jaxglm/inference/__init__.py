"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm.inference._again import rows_of
from jaxglm.inference._bootstrap import Bootstrap, bootstrap
from jaxglm.inference._clusters import column_of_fit, column_of_table, refuse_idle_table, row_codes
from jaxglm.inference._determined import (
    broken,
    say_missing,
    say_nan,
    undetermined,
    warn_undetermined,
)
from jaxglm.inference._effects import exponentiated, is_intercept, meaning, ratio_label, refusal
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._influence import Influence
from jaxglm.inference._jackknife import infinitesimal, without_each
from jaxglm.inference._overdispersion import Overdispersion, assess, equals, suspect_weights
from jaxglm.inference._wald import akaike, check_alpha, critical_value, interval, schwarz, wald
from jaxglm.inference.comparisons._anova import by_term, sequential
from jaxglm.inference.comparisons._comparison import Comparison
from jaxglm.inference.comparisons._constrained import constrained
from jaxglm.inference.comparisons._firth import (
    has_penalised_likelihood,
    penalised_curve,
    penalised_likelihood,
    penalised_tests,
)
from jaxglm.inference.comparisons._models import anova_of
from jaxglm.inference.comparisons._profile import profile_curve
from jaxglm.inference.comparisons._profile_shape import alpha_interval
from jaxglm.inference.comparisons._score import ScoreTest, score_test
from jaxglm.inference.comparisons._side_by_side import compare_of
from jaxglm.inference.comparisons._single_terms import add1, drop1
from jaxglm.inference.comparisons._step import step
from jaxglm.inference.comparisons._submodels import UNDER_PENALTY, refuse_penalised
from jaxglm.inference.covariances._asked import BESIDE_REDUCED, Asked, information_of, is_robust
from jaxglm.inference.covariances._choice import CovarianceChoice, Information
from jaxglm.inference.covariances._dispersion import (
    SCALES_ASKED,
    check_scale_choice,
    slopes_of,
    slopes_of_many,
    with_dispersion,
)
from jaxglm.inference.covariances._of_many import ManyCovariances, covariances_of
from jaxglm.inference.covariances._sandwich import Estimated, covariance_of
from jaxglm.inference.hypotheses._answers import LinearTest, TermTests, WaldTest
from jaxglm.inference.hypotheses._combinations import combinations_of
from jaxglm.inference.hypotheses._comparisons import comparison_table, warn_no_tests
from jaxglm.inference.hypotheses._contrasts import contrasts_of
from jaxglm.inference.hypotheses._hypothesis import read_combination, read_hypothesis
from jaxglm.inference.hypotheses._linear_tests import (
    caution,
    columns_test,
    joint_test,
    single_tests,
)
from jaxglm.inference.hypotheses._multiplicity import ADJUSTMENTS, adjusted, adjusted_critical_value
from jaxglm.inference.margins._changes import METHODS, AskedEffects, check_variables
from jaxglm.inference.margins._margins import Effects, Where, marginal_effects
from jaxglm.inference.predictions._distribution import Law, check_sizes, law
from jaxglm.inference.predictions._gaps import no_error, no_prediction
from jaxglm.inference.predictions._new_responses import NewResponses
from jaxglm.inference.predictions._prediction import Prediction, check_scale
from jaxglm.inference.predictions._quantile_residuals import quantile_residuals
from jaxglm.inference.quality._collinearity import condition_number, inflation
from jaxglm.inference.quality._criteria import (
    check_kind,
    information_criterion,
    likelihood_rsquared,
    share_explained,
    without_rounding,
)
from jaxglm.inference.quality._evaluation import Evaluation
from jaxglm.inference.quality._misfit import Misfit, link_test, variance_test
from jaxglm.inference.quality._null_means import null_means
from jaxglm.inference.quality._scores import BrierScore, HosmerLemeshow
from jaxglm.inference.quality._suggest import suggest_family
from jaxglm.inference.quality._suggestions import FamilySuggestions
from jaxglm.inference.quality._zero_inflation import ZeroInflation, zero_inflation
from jaxglm.inference.shapes._joint import joint_covariance
from jaxglm.inference.shapes._power_profile import PowerProfile, power_profile

__all__ = [
    "ADJUSTMENTS",
    "BESIDE_REDUCED",
    "METHODS",
    "SCALES_ASKED",
    "UNDER_PENALTY",
    "Asked",
    "AskedEffects",
    "Bootstrap",
    "BrierScore",
    "Comparison",
    "CovarianceChoice",
    "Effects",
    "Estimated",
    "Estimates",
    "Evaluation",
    "FamilySuggestions",
    "HosmerLemeshow",
    "Influence",
    "Information",
    "Law",
    "LinearTest",
    "ManyCovariances",
    "Misfit",
    "NewResponses",
    "Overdispersion",
    "PowerProfile",
    "Prediction",
    "ScoreTest",
    "TermTests",
    "WaldTest",
    "Where",
    "ZeroInflation",
    "add1",
    "adjusted",
    "adjusted_critical_value",
    "akaike",
    "alpha_interval",
    "anova_of",
    "assess",
    "bootstrap",
    "broken",
    "by_term",
    "caution",
    "check_alpha",
    "check_kind",
    "check_scale",
    "check_scale_choice",
    "check_sizes",
    "check_variables",
    "column_of_fit",
    "column_of_table",
    "columns_test",
    "combinations_of",
    "compare_of",
    "comparison_table",
    "condition_number",
    "constrained",
    "contrasts_of",
    "covariance_of",
    "covariances_of",
    "critical_value",
    "drop1",
    "equals",
    "exponentiated",
    "has_penalised_likelihood",
    "infinitesimal",
    "inflation",
    "information_criterion",
    "information_of",
    "interval",
    "is_intercept",
    "is_robust",
    "joint_covariance",
    "joint_test",
    "law",
    "likelihood_rsquared",
    "link_test",
    "marginal_effects",
    "meaning",
    "no_error",
    "no_prediction",
    "null_means",
    "penalised_curve",
    "penalised_likelihood",
    "penalised_tests",
    "power_profile",
    "profile_curve",
    "quantile_residuals",
    "ratio_label",
    "read_combination",
    "read_hypothesis",
    "refusal",
    "refuse_idle_table",
    "refuse_penalised",
    "row_codes",
    "rows_of",
    "say_missing",
    "say_nan",
    "schwarz",
    "score_test",
    "sequential",
    "share_explained",
    "single_tests",
    "slopes_of",
    "slopes_of_many",
    "step",
    "suggest_family",
    "suspect_weights",
    "undetermined",
    "variance_test",
    "wald",
    "warn_no_tests",
    "warn_undetermined",
    "with_dispersion",
    "without_each",
    "without_rounding",
    "zero_inflation",
]
