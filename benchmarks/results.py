"""Owns the results file: one JSON object a line, appended, never rewritten; and what pairs in it.

Imports the standard library only. A time counts only where the run passed the accuracy gate: this
module is the one place that reads times, so no report can show a wrong answer as a fast one.
"""

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def append(path: Path, line: Line) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, allow_nan=True) + "\n")


def read(path: Path) -> list[Line]:
    """The lines of a file.

    Raises
    ------
    ValueError
        Naming the line that is not a JSON object.
    """
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        if not isinstance(line, dict):
            raise ValueError(f"{path}, line {number}: not an object")
        lines.append(line)
    return lines


def latest(lines: Iterable[Line]) -> list[Line]:
    """The lines of the last invocation of each problem, and all hardware lines."""
    lines = list(lines)
    last = {line["problem"]: line["invocation"] for line in lines if line["kind"] == "run"}
    return [
        line
        for line in lines
        if line["kind"] != "run" or last[line["problem"]] == line["invocation"]
    ]


def one_commit(lines: Iterable[Line]) -> str | None:
    """The commit of these runs; None where they were not made in a checkout.

    Raises
    ------
    ValueError
        If they are of several: a time of one would stand beside that of another.
    """
    problems: dict[str | None, list[str]] = {}
    for line in lines:
        if line["kind"] == "run":
            named = problems.setdefault(line["commit"], [])
            if line["problem"] not in named:
                named.append(line["problem"])
    if len(problems) > 1:
        words = "; ".join(
            f"{commit or 'outside git'} ({', '.join(named)})" for commit, named in problems.items()
        )
        raise ValueError(
            f"these runs are of {len(problems)} commits: {words}. Run what is to be compared at "
            "one commit, into a file of its own."
        )
    return next(iter(problems), None)


def warm(line: Line) -> float:
    return line["warm"]["median"]


def cold(line: Line) -> float:
    return line["cold"]["total"]


def counts(line: Line) -> bool:
    """Whether the times of a run may be shown."""
    return line.get("status") in ("ok", "baseline") and "warm" in line


def passed(runs: Sequence[Line]) -> bool:
    """Whether every turn did: a library that passes by luck has not passed."""
    return all(counts(line) for line in runs)


def marked(name: str, runs: Sequence[Line]) -> str:
    """The name with † for no standard errors, ‡ for only some; the null model needs none."""
    made = runs[0].get("standard_errors") if runs[0]["status"] == "ok" else None
    return name + {"none": " †", "partial": " ‡"}.get(made or "all", "")


@dataclass(frozen=True)
class Pairs:
    """Of times paired turn by turn, ratios or differences: the median, and the range."""

    median: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        """The median, with the range where there is one."""
        if self.pairs == 1:
            return f"{self.median:.3g}"
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


def spread(values: Sequence[float]) -> Pairs:
    """What pairs gave, in one."""
    return Pairs(statistics.median(values), min(values), max(values), len(values))


def turn(line: Line) -> Any:
    """What makes a pair: the same turn of the same invocation."""
    return line["invocation"], line["turn"]


def ratio(
    above: Sequence[Line],
    below: Sequence[Line],
    seconds: Callable[[Line], float] = warm,
    *,
    key: Callable[[Line], Any] = turn,
) -> Pairs | None:
    """Times of one set of runs over times of another, pair by pair; None without a pair."""
    found = [seconds(one) / seconds(other) for one, other in _paired(above, below, key)]
    return spread(found) if found else None


def difference(
    above: Sequence[Line], below: Sequence[Line], seconds: Callable[[Line], float] = warm
) -> Pairs | None:
    """Times of one set of runs less times of another, pair by pair; None without a pair."""
    found = [seconds(one) - seconds(other) for one, other in _paired(above, below, turn)]
    return spread(found) if found else None


def _paired(
    above: Sequence[Line], below: Sequence[Line], key: Callable[[Line], Any]
) -> list[tuple[Line, Line]]:
    partners = {key(line): line for line in below if counts(line)}
    return [(line, partners[key(line)]) for line in above if counts(line) and key(line) in partners]


def group(lines: Iterable[Line], *keys: str) -> dict[Any, list[Line]]:
    """Runs by the values of some keys (by the value itself for one), in order of appearance."""
    found: dict[Any, list[Line]] = {}
    for line in lines:
        if line["kind"] == "run":
            values = tuple(line[key] for key in keys)
            found.setdefault(values[0] if len(keys) == 1 else values, []).append(line)
    return found
