"""Owns the targets: how many times faster than a peer jaxglm is to be, problem by problem.

A target is met or not on the ratio of paired times, of which both passed the accuracy gate. They
stand in the report whether met or not. So do limits on what jaxglm itself may take, and how far it
may be behind a peer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import results
from benchmarks.results import Line

OURS = "jaxglm"


@dataclass(frozen=True)
class Target:
    """`at_least` is the smallest ratio of the peer's warm time to ours."""

    problem: str
    against: str
    at_least: float


TARGETS = (
    # Many fits.
    Target("segments-logistic", "statsmodels@loosest", 60),
    Target("segments-logistic", "numpy-irls@loosest", 9),
    Target("segments-logistic", "edi-kernels-frame@loosest", 2),
    Target("segments-wide", "statsmodels@loosest", 10),
    Target("segments-wide", "numpy-irls@loosest", 1.5),
    Target("segments-ragged", "statsmodels@loosest", 30),
    Target("segments-flights", "statsmodels@loosest", 12),
    Target("segments-flights", "numpy-irls@loosest", 1.5),
    Target("segments-negative-binomial", "statsmodels-discrete@loosest", 30),
    # One fit.
    Target("dense-logistic", "glum@loosest", 4.5),
    Target("dense-logistic", "sklearn-lbfgs@loosest", 1.6),
    Target("dense-logistic", "statsmodels@loosest", 45),
    Target("claims", "glum@loosest", 4.5),
    Target("claims", "pyfixest@loosest", 3.5),
    Target("small", "statsmodels@loosest", 1),
)


@dataclass(frozen=True)
class Lag:
    """`at_most` is how many seconds our cold start may take longer than the peer's."""

    problem: str
    against: str
    at_most: float


LAGS = (Lag("small-table", "statsmodels@loosest", 1),)


@dataclass(frozen=True)
class Limit:
    """The largest value of something of ours; `measured` tells it for a run, None where unknown."""

    problem: str
    what: str
    at_most: float
    unit: str
    measured: Callable[[Line], float | None]
    ours: str = OURS


def _memory(line: Line) -> float:
    """Peak memory over the size of the data as handed in, the data included."""
    return line["memory"]["over_data"]


def _hardware(line: Line) -> float | None:
    return line["over_hardware"]


def _peak(line: Line) -> float:
    """Peak memory of the process in GiB, interpreter and data included."""
    return line["memory"]["peak"] / 2**30


def _first_call(line: Line) -> float:
    """Seconds that the first call takes longer than a warm one."""
    return line["cold"]["first"] - line["warm"]["median"]


FIRST_CALL = "first call, beyond a warm one"
HARDWARE = "time over the hardware's limit"
MEMORY = "peak memory over data"
LIMITS = (
    Limit("segments-logistic", FIRST_CALL, 2.5, " s", _first_call),
    Limit("segments-wide", FIRST_CALL, 2.5, " s", _first_call),
    Limit("segments-ragged", FIRST_CALL, 2.5, " s", _first_call),
    Limit("segments-flights", FIRST_CALL, 2.5, " s", _first_call),
    Limit("segments-million", "warm time", 4, " s", results.warm),
    Limit("segments-million", "peak memory of the process", 4, " GiB", _peak),
    Limit("dense-gaussian", HARDWARE, 2, "x", _hardware),
    Limit("dense-long-float32", HARDWARE, 2, "x", _hardware, "jaxglm-float32"),
    Limit(
        "small-table",
        "cold start with compiled programs",
        0.6,
        " s",
        results.cold,
        "jaxglm-compiled",
    ),
    Limit("dense-logistic", MEMORY, 1.5, "x", _memory),
    Limit("claims", MEMORY, 1.5, "x", _memory),
)
Runs = Mapping[str, Mapping[str, Sequence[Line]]]


def check(by_library: Runs) -> list[list[str]]:
    """Rows of problem, what, measured, target, met; for the problems that were run."""
    return [*_targets(by_library), *_lags(by_library), *_limits(by_library)]


def _targets(by_library: Runs) -> Iterator[list[str]]:
    for target in TARGETS:
        runs = by_library.get(target.problem, {})
        if target.against in runs and OURS in runs:
            found = results.ratio(runs[target.against], runs[OURS])
            against = results.marked(target.against, runs[target.against])
            what = f"warm time of {against} over ours"
            met = found is not None and found.median >= target.at_least
            yield _row(target.problem, runs, what, found, "x", f"{target.at_least:g}x", met)


def _lags(by_library: Runs) -> Iterator[list[str]]:
    for lag in LAGS:
        runs = by_library.get(lag.problem, {})
        if lag.against in runs and OURS in runs:
            found = results.difference(runs[OURS], runs[lag.against], results.cold)
            what = f"cold time of ours, beyond that of {lag.against}"
            met = found is not None and found.median <= lag.at_most
            at_most = f"at most {lag.at_most:g} s"
            yield _row(lag.problem, runs, what, found, " s", at_most, met)


def _limits(by_library: Runs) -> Iterator[list[str]]:
    for limit in LIMITS:
        runs = by_library.get(limit.problem, {})
        lines = [line for line in runs.get(limit.ours, []) if results.counts(line)]
        values = [value for value in map(limit.measured, lines) if value is not None]
        if values:
            worst = max(values)
            measured = f"{worst:.3g}{limit.unit}"
            if limit.measured is _memory:
                later = max(line["memory"]["over_data_later"] for line in lines)
                measured += f" (compiling; later fits {later:.3g}x)"
            what = limit.what if limit.ours == OURS else f"{limit.what}, {limit.ours}"
            at_most = f"at most {limit.at_most:g}{limit.unit}"
            met = _word(worst <= limit.at_most)
            yield [at(limit.problem, runs), what, measured, at_most, met]


def _row(
    problem: str,
    runs: Mapping[str, Sequence[Line]],
    what: str,
    found: results.Pairs | None,
    unit: str,
    target: str,
    met: bool,
) -> list[str]:
    """A row on paired runs; "-" instead of a judgement where none of them passed the gate."""
    if found is None:
        return [at(problem, runs), what, "no pair that passed the gate", target, "-"]
    return [at(problem, runs), what, f"{found}{unit}", target, _word(met)]


def at(problem: str, runs: Mapping[str, Sequence[Line]]) -> str:
    """The problem, with its scale where that is not 1."""
    scale = next(iter(runs.values()))[0]["scale"]
    return problem if scale == 1 else f"{problem} (scale {scale:g})"


def _word(met: bool) -> str:
    return "yes" if met else "**no**"
