"""Owns the comparison: A over B, pair by pair, of two results files or of two libraries.

Imports `results` only.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks import results
from benchmarks.results import Line, Pairs


def libraries(lines: Sequence[Line], above: str, below: str) -> list[tuple[str, Pairs | None]]:
    """Warm times of one library over another's, by problem, paired by invocation and turn."""
    rows = []
    for problem, runs in results.group(lines, "problem").items():
        named = results.group(runs, "library")
        if above in named and below in named:
            rows.append((problem, results.ratio(named[above], named[below])))
    return rows


def files(above: Sequence[Line], below: Sequence[Line]) -> list[tuple[str, Pairs | None]]:
    """Warm times in one file over those in another, by problem and library.

    The pairs are the turns of the same number in the latest invocation of each: nothing ran at the
    same time, so the machine's drift is in these ratios. The files may be of two commits, each of
    them of one.
    """
    shown = [results.latest(lines) for lines in (above, below)]
    for lines in shown:
        results.one_commit(lines)
    one, two = (results.group(lines, "problem", "scale", "library") for lines in shown)

    def turn(line: Line) -> Any:
        return line["turn"]

    return [
        (f"{problem} (scale {scale:g}), {library}", results.ratio(runs, two[key], key=turn))
        for key, runs in one.items()
        if key in two
        for problem, scale, library in [key]
    ]


def words(rows: Sequence[tuple[str, Pairs | None]]) -> str:
    """One line a ratio."""
    if not rows:
        return "Nothing in common to compare."
    return "\n".join(
        f"{what}: "
        + (
            "no pair in which both passed the accuracy gate"
            if found is None
            else f"{found}, {found.pairs} pair{'s' if found.pairs > 1 else ''}"
        )
        for what, found in rows
    )
