"""What estimates say: tests, intervals, effects, overdispersion, predictions, the bootstrap."""

from jaxglm.inference._anova import by_term, sequential
from jaxglm.inference._bootstrap import Bootstrap, bootstrap
from jaxglm.inference._comparison import Comparison
from jaxglm.inference._constrained import constrained
from jaxglm.inference._determined import (
    broken,
    say_nan,
    undetermined,
    warn_undetermined,
)
from jaxglm.inference._effects import exponentiated, meaning, ratio_label, refusal
from jaxglm.inference._estimates import Estimates
from jaxglm.inference._models import anova_of
from jaxglm.inference._overdispersion import Overdispersion, assess, equals, suspect_weights
from jaxglm.inference._prediction import Prediction, check_scale
from jaxglm.inference._profile import profile_curve
from jaxglm.inference._profile_shape import alpha_interval
from jaxglm.inference._score import ScoreTest, score_test
from jaxglm.inference._side_by_side import compare_of
from jaxglm.inference._single_terms import add1, drop1
from jaxglm.inference._step import step
from jaxglm.inference._wald import akaike, interval, schwarz, wald

__all__ = [
    "Bootstrap",
    "Comparison",
    "Estimates",
    "Overdispersion",
    "Prediction",
    "ScoreTest",
    "add1",
    "akaike",
    "alpha_interval",
    "anova_of",
    "assess",
    "bootstrap",
    "broken",
    "by_term",
    "check_scale",
    "compare_of",
    "constrained",
    "drop1",
    "equals",
    "exponentiated",
    "interval",
    "meaning",
    "profile_curve",
    "ratio_label",
    "refusal",
    "say_nan",
    "schwarz",
    "score_test",
    "sequential",
    "step",
    "suspect_weights",
    "undetermined",
    "wald",
    "warn_undetermined",
]
