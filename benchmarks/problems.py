"""Owns the registry of problems, and which of them are run by default.

Every generator draws from a model of known coefficients, at any scale, and sees to it that the
optimum is finite: a factor level without a single event has none, and no distance to it could be
measured.
"""

from benchmarks.dense_problems import DENSE_PROBLEMS
from benchmarks.family_problems import FAMILY_PROBLEMS
from benchmarks.segment_problems import SEGMENT_PROBLEMS
from benchmarks.spec import SEED, Made
from benchmarks.table_problems import TABLE_PROBLEMS

PROBLEMS = {
    problem.name: problem
    for problem in (*DENSE_PROBLEMS, *TABLE_PROBLEMS, *FAMILY_PROBLEMS, *SEGMENT_PROBLEMS)
}
FOR_GPU = ("dense-tall", "claims-20m")
DEFAULT = {
    "cpu": tuple(name for name in PROBLEMS if name not in FOR_GPU),
    "gpu": (*FOR_GPU, "segments-logistic", "segments-million"),
}


def generate(name: str, scale: float = 1.0, seed: int = SEED) -> Made:
    """The problem of that name at that scale; the same seed gives the same numbers."""
    return PROBLEMS[name].make(scale, seed)
