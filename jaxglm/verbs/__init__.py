"""What users call to fit."""

from jaxglm.verbs._arrays import GLM
from jaxglm.verbs._compare import anova, compare
from jaxglm.verbs._design import design
from jaxglm.verbs._glm import glm
from jaxglm.verbs._load import load
from jaxglm.verbs._responses import fit_responses
from jaxglm.verbs._segments import fit_groups
from jaxglm.verbs._solve import Solution, solve

__all__ = [
    "GLM",
    "Solution",
    "anova",
    "compare",
    "design",
    "fit_groups",
    "fit_responses",
    "glm",
    "load",
    "solve",
]
