"""Owns the registry of problems, and which of them are run by default.

Every generator draws from a model of known coefficients, at any scale, and sees to it that the
optimum is finite: a factor level without a single event has none, and no distance to it could be
measured.
"""

import fnmatch
from collections.abc import Sequence

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


def chosen(patterns: Sequence[str] | None, device: str = "cpu") -> list[str]:
    """The problems that are asked for, or the default of the device; `*` stands for any text.

    Raises
    ------
    ValueError
        For what no problem is named.
    """
    if not patterns:
        return list(DEFAULT[device])
    found: list[str] = []
    for pattern in patterns:
        named = [name for name in PROBLEMS if fnmatch.fnmatchcase(name, pattern)]
        if not named:
            raise ValueError(f"no problem {pattern!r}; there are {', '.join(PROBLEMS)}")
        found += [name for name in named if name not in found]
    return found


def generate(name: str, scale: float = 1.0, seed: int = SEED) -> Made:
    """The problem of that name at that scale; the same seed gives the same numbers."""
    return PROBLEMS[name].make(scale, seed)
