"""Owns the problems that paths are measured on, and how far down their strengths go.

Imports NumPy, `drawing` and the table problems.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks import problems
from benchmarks.drawing import respond
from benchmarks.spec import Columns, Made, Spec, rows_at

SHARED = 0.3
"""Correlation of any two columns of a matrix: independent ones flatter coordinate descent."""


@dataclass(frozen=True)
class PathProblem:
    """A problem of a path.

    Attributes
    ----------
    about : str
    lowest : float
        The last strength as a share of the first.
    rows, columns : int
        Of a matrix without its constant; 0 for a table.
    relevant : int
        How many of the columns have an effect.
    """

    about: str
    lowest: float
    rows: int = 0
    columns: int = 0
    relevant: int = 0


PROBLEMS = {
    "tall": PathProblem("logistic, 100,000 x 200", 1e-4, 100_000, 200, 50),
    "claims": PathProblem(problems.PROBLEMS["claims"].about, 1e-3),
    "wide": PathProblem("logistic, 5,000 x 20,000", 1e-2, 5_000, 20_000, 100),
}


def draw(name: str, scale: float, seed: int) -> Made:
    """The problem of that name; the same seed gives the same numbers.

    Raises
    ------
    KeyError
        For a name that there is not.
    """
    problem = PROBLEMS[name]
    if not problem.columns:
        return problems.generate(name, scale, seed)
    n, p = rows_at(problem.rows, scale), problem.columns
    rng = np.random.default_rng(seed)
    scales = np.exp(rng.uniform(-1.0, 1.0, p))
    X = np.ones((n, 1 + p))
    X[:, 1:] = np.sqrt(1 - SHARED) * rng.standard_normal((n, p))
    X[:, 1:] += np.sqrt(SHARED) * rng.standard_normal((n, 1))
    X[:, 1:] *= scales
    # Effects that together move the linear predictor by about one standard deviation.
    truth = np.zeros(1 + p)
    relevant = rng.choice(p, problem.relevant, replace=False)
    truth[1 + relevant] = rng.normal(0.0, problem.relevant**-0.5, problem.relevant)
    truth[1 + relevant] /= scales[relevant]
    truth[0] = -0.5
    spec = Spec(name, "binomial", n, 1 + p, "arrays", scale=scale)
    return spec, Columns(respond(spec, X @ truth, rng), X=X)
