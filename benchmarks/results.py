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


def warm(line: Line) -> float:
    return line["warm"]["median"]


def cold(line: Line) -> float:
    return line["cold"]["total"]


def counts(line: Line) -> bool:
    """Whether the times of a run may be shown."""
    return line.get("status") in ("ok", "baseline") and "warm" in line


@dataclass(frozen=True)
class Ratio:
    """Of times paired turn by turn: the median, and the range over the turns."""

    median: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        """The median, with the range where there is one."""
        if self.pairs == 1:
            return f"{self.median:.3g}"
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


def spread(ratios: Sequence[float]) -> Ratio:
    """Ratios of pairs, in one."""
    return Ratio(statistics.median(ratios), min(ratios), max(ratios), len(ratios))


def ratio(
    above: Sequence[Line],
    below: Sequence[Line],
    seconds: Callable[[Line], float] = warm,
    *,
    key: Callable[[Line], Any] = lambda line: (line["invocation"], line["turn"]),
) -> Ratio | None:
    """Times of one set of runs over times of another, pair by pair; None without a pair."""
    divisors = {key(line): seconds(line) for line in below if counts(line)}
    ratios = [
        seconds(line) / divisors[key(line)]
        for line in above
        if counts(line) and key(line) in divisors
    ]
    if not ratios:
        return None
    return spread(ratios)


def group(lines: Iterable[Line], *keys: str) -> dict[Any, list[Line]]:
    """Runs by the values of some keys (by the value itself for one), in order of appearance."""
    found: dict[Any, list[Line]] = {}
    for line in lines:
        if line["kind"] == "run":
            values = tuple(line[key] for key in keys)
            found.setdefault(values[0] if len(keys) == 1 else values, []).append(line)
    return found
