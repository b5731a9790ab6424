"""Owns the residuals that are near enough, and which of a library's tolerances comes near enough.

Imports `results`.
"""

from collections.abc import Mapping, Sequence

from benchmarks import results
from benchmarks.results import Line

BARS = (1e-4, 1e-6)


def residual(runs: Sequence[Line]) -> float:
    """The largest residual of some turns."""
    return max(line["kkt"]["largest"] for line in runs)


def judged(runs: Sequence[Line]) -> bool:
    """Whether every turn left a whole path."""
    return results.passed(runs) and all("kkt" in line for line in runs)


def loosest(by_tolerance: Mapping[float, Sequence[Line]], bar: float) -> float | None:
    """The loosest tolerance whose residual is under the bar, or None."""
    near = [at for at, runs in by_tolerance.items() if judged(runs) and residual(runs) <= bar]
    return max(near, default=None)


def nearest(by_tolerance: Mapping[float, Sequence[Line]]) -> float | None:
    """The tolerance with the least residual, or None without a path."""
    whole = [at for at, runs in by_tolerance.items() if judged(runs)]
    return min(whole, key=lambda at: residual(by_tolerance[at]), default=None)


def shown(by_tolerance: Mapping[float, Sequence[Line]]) -> set[float]:
    """The tolerances whose times the report compares."""
    best = nearest(by_tolerance)
    if best is None:
        return set()
    found = {loosest(by_tolerance, bar) for bar in BARS}
    return {best if at is None else at for at in found}
