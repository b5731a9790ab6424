"""Owns what is asked of a fit, how many passes over the rows each needs, and the target.

A pass is what the last pass of a fit does: the linear predictor of every row, and the score, the
information matrix and the deviance from it. Where each row is multiplied by a matrix, or a Gram
matrix is made of what rows give, that is n q^2 products: a pass each.
"""

from dataclasses import dataclass

AT_MOST = 3.0
"""The target: so many times the passes that it needs."""


@dataclass(frozen=True)
class Task:
    """Something asked of a fit.

    Attributes
    ----------
    name, words : as in a results line, and as in the report
    passes : that it needs
    why : what these are for
    problems : that it is asked of
    errors : whether its answer are standard errors, or one number per row
    unit : the pass that it is measured in: that of its model
    """

    name: str
    words: str
    passes: int
    why: str
    problems: tuple[str, ...] = ("logit", "poisson")
    errors: bool = True
    unit: str = "plain"


_ALL = ("logit", "poisson", "levels")
_SCORES = "rows times the root, scores added up"

TASKS = (
    Task("HC0", "HC0", 2, "rows times the root, its Gram matrix", _ALL),
    Task("HC3", "HC3", 2, "as HC0: leverages come from the rows times the root"),
    Task("cluster", "clusters", 2, _SCORES, _ALL),
    Task("twoway", "two-way clusters", 4, f"{_SCORES} in three ways", _ALL),
    Task("HAC", "HAC, 4 lags", 2, "rows times the root, scores times a sum of earlier ones"),
    Task(
        "observed",
        "observed information (probit)",
        2,
        "rows times the root, its Gram matrix",
        ("logit",),
        unit="plain_probit",
    ),
    Task("leverages", "leverages", 1, "rows times the root", errors=False),
    Task("cooks", "Cook's distances", 1, "leverages", errors=False),
    Task("auc", "area under the ROC curve", 1, "predictions", ("logit",), errors=False),
    Task("calibration", "calibration", 1, "predictions", errors=False),
    Task("check", "check()", 3, "predictions, the link test, leverages", errors=False),
)
BY_NAME = {task.name: task for task in TASKS}


def of(problem: str) -> tuple[Task, ...]:
    """The tasks of a problem, in their order."""
    return tuple(task for task in TASKS if problem in task.problems)
