"""Owns the targets: how many times faster than a peer jaxglm is to be, problem by problem.

A target is met or not on the ratio of paired times, of which both passed the accuracy gate. They
stand in the report whether met or not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import results
from benchmarks.results import Line

OURS = "jaxglm"


@dataclass(frozen=True)
class Target:
    """`clock` is "warm" or "cold"; `at_least` the smallest ratio of the peer's time to `ours`."""

    problem: str
    against: str
    at_least: float
    clock: str = "warm"
    ours: str = OURS


TARGETS = (
    Target("dense-logistic", "glum@loosest", 6),
    Target("dense-logistic", "sklearn-lbfgs@loosest", 4),
    Target("dense-logistic", "statsmodels@loosest", 80),
    Target("dense-wide", "glum@loosest", 3),
    Target("claims", "glum@loosest", 5),
    Target("claims", "glum@tight", 15),
    Target("claims", "pyfixest@loosest", 6),
    Target("high-cardinality", "pyfixest@loosest", 1),
    Target("flights", "statsmodels@loosest", 30),
    Target("flights", "glum@loosest", 3),
    Target("small", "statsmodels@loosest", 0.5),
    Target("small", "statsmodels@loosest", 1, "cold"),
    Target("small", "statsmodels@loosest", 1, "cold", "jaxglm-compiled"),
)
MOST_MEMORY = 1.5
"""Peak memory over the size of the data as handed in, the data included."""
MOST_OVER_HARDWARE = 2.0
LIMITED = {
    "memory": ("dense-logistic", "claims"),
    "hardware": ("dense-logistic", "dense-wide"),
}


def check(by_library: Mapping[str, Mapping[str, Sequence[Line]]]) -> list[list[str]]:
    """Rows of problem, what, measured, target, met; for the problems that were run."""
    rows = []
    for target in TARGETS:
        runs = by_library.get(target.problem)
        if runs is None or target.against not in runs or target.ours not in runs:
            continue
        seconds = results.warm if target.clock == "warm" else results.cold
        found = results.ratio(runs[target.against], runs[target.ours], seconds)
        met = "-" if found is None else _word(found.median >= target.at_least)
        measured = "no pair that passed the gate" if found is None else f"{found}x"
        own = "ours" if target.ours == OURS else f"{target.ours}'s"
        what = f"{target.clock} time of {target.against} over {own}"
        rows.append([_at(target.problem, runs), what, measured, f"{target.at_least:g}x", met])
    for kind, problems in LIMITED.items():
        most = MOST_MEMORY if kind == "memory" else MOST_OVER_HARDWARE
        what = "peak memory over data" if kind == "memory" else "time over the hardware's limit"
        for problem in problems:
            runs = by_library.get(problem, {})
            lines = [line for line in runs.get(OURS, []) if results.counts(line)]
            values = [
                line["memory"]["over_data"] if kind == "memory" else line["over_hardware"]
                for line in lines
            ]
            values = [value for value in values if value is not None]
            if values:
                worst = max(values)
                measured = f"{worst:.3g}x"
                if kind == "memory":
                    later = max(line["memory"]["over_data_later"] for line in lines)
                    measured += f" (compiling; later fits {later:.3g}x)"
                limit = f"at most {most:g}x"
                rows.append([_at(problem, runs), what, measured, limit, _word(worst <= most)])
    return rows


def _at(problem: str, runs: Mapping[str, Sequence[Line]]) -> str:
    """The problem, with its scale where that is not the one the targets are meant for."""
    scale = runs[OURS][0]["scale"]
    return problem if scale == 1 else f"{problem} (scale {scale:g})"


def _word(met: bool) -> str:
    return "yes" if met else "**no**"
