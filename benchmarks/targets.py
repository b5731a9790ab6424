"""Owns the targets: how many times faster than a peer jaxglm is to be, problem by problem.

A target is met or not on the ratio of paired times, of which both passed the accuracy gate. They
stand in the report whether met or not. So do limits on what jaxglm itself may take.
"""

from collections.abc import Callable, Mapping, Sequence
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
    Target("segments-logistic", "statsmodels@loosest", 100),
    Target("segments-logistic", "glum@loosest", 100),
    Target("segments-wide", "statsmodels@loosest", 20),
    Target("segments-wide", "glum@loosest", 20),
    Target("segments-ragged", "statsmodels@loosest", 50),
    Target("segments-ragged", "glum@loosest", 50),
)


@dataclass(frozen=True)
class Limit:
    """The largest value of something of ours; `measured` tells it for a run, None where unknown."""

    problem: str
    what: str
    at_most: float
    unit: str
    measured: Callable[[Line], float | None]


def _memory(line: Line) -> float:
    """Peak memory over the size of the data as handed in, the data included."""
    return line["memory"]["over_data"]


def _hardware(line: Line) -> float | None:
    return line["over_hardware"]


def _peak(line: Line) -> float:
    """Peak memory of the process in GiB, interpreter and data included."""
    return line["memory"]["peak"] / 2**30


LIMITS = (
    Limit("dense-logistic", "peak memory over data", 1.5, "x", _memory),
    Limit("claims", "peak memory over data", 1.5, "x", _memory),
    Limit("dense-logistic", "time over the hardware's limit", 2, "x", _hardware),
    Limit("dense-wide", "time over the hardware's limit", 2, "x", _hardware),
    Limit("segments-million", "peak memory of the process", 4, " GiB", _peak),
)


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
    for limit in LIMITS:
        runs = by_library.get(limit.problem, {})
        lines = [line for line in runs.get(OURS, []) if results.counts(line)]
        values = [value for value in map(limit.measured, lines) if value is not None]
        if values:
            worst = max(values)
            measured = f"{worst:.3g}{limit.unit}"
            if limit.measured is _memory:
                later = max(line["memory"]["over_data_later"] for line in lines)
                measured += f" (compiling; later fits {later:.3g}x)"
            at_most = f"at most {limit.at_most:g}{limit.unit}"
            met = _word(worst <= limit.at_most)
            rows.append([_at(limit.problem, runs), limit.what, measured, at_most, met])
    return rows


def _at(problem: str, runs: Mapping[str, Sequence[Line]]) -> str:
    """The problem, with its scale where that is not the one the targets are meant for."""
    scale = runs[OURS][0]["scale"]
    return problem if scale == 1 else f"{problem} (scale {scale:g})"


def _word(met: bool) -> str:
    return "yes" if met else "**no**"
