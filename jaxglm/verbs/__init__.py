"""What users call to fit."""

from jaxglm.verbs._arrays import GLM
from jaxglm.verbs._compare import anova, compare
from jaxglm.verbs._cross_validate import cross_validate
from jaxglm.verbs._design import design
from jaxglm.verbs._glm import glm
from jaxglm.verbs._load import load
from jaxglm.verbs._path import fit_path
from jaxglm.verbs._responses import fit_responses
from jaxglm.verbs._segments import fit_groups
from jaxglm.verbs._solve import Solution, solve

__all__ = [
    "GLM",
    "Solution",
    "anova",
    "compare",
    "cross_validate",
    "design",
    "fit_groups",
    "fit_path",
    "fit_responses",
    "glm",
    "load",
    "solve",
]
