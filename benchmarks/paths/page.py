"""Owns the page: for each problem the times at which libraries came near enough.

Imports `results`, `report` and `bars`.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks import report, results
from benchmarks.paths import bars
from benchmarks.paths.base import CV, OTHERS, PLAIN, RIDGE, create
from benchmarks.results import Line
from benchmarks.targets import OURS

MOST_OF_CV = 4.0
"""Times a path that ten folds may take."""
LEGEND = f"""\
Times are of the loosest tolerance whose largest residual, over all strengths and turns, is under
the bar: the most by which a coefficient misses its condition of optimality, on the scale of the
mean loss, as the strengths are. Warm is a call in a process that has made one before, where a
library compiles; cold is a new process from its imports to the first answer. Ratios over {OURS}'s
are of runs in the same turn.
"""
Runs = Mapping[float, Sequence[Line]]


def markdown(lines: Sequence[Line]) -> str:
    """The latest run of each problem."""
    runs = report.arrange(lines)
    if not runs:
        return "No runs.\n"
    parts = [_problem(problem, libraries) for problem, libraries in runs.items()]
    return "\n".join([LEGEND, *parts, report.provenance(lines, runs)])


def _problem(problem: str, libraries: Mapping[str, Sequence[Line]]) -> str:
    idle = {name: runs[0] for name, runs in libraries.items() if runs[0]["status"] == "skipped"}
    paths = {
        name: results.group(runs, "tolerance")
        for name, runs in libraries.items()
        if name not in idle and name not in OTHERS
    }
    parts = [_title(problem, next(iter(libraries.values()))[0])]
    if paths:
        header = ["library"]
        for bar in bars.BARS:
            header += [
                f"residual under {bar:.0e}: tolerance",
                "warm, s",
                f"over {OURS}'s",
                "cold, s",
            ]
        ours = paths.get(OURS, {})
        rows = [
            [name, *(cell for bar in bars.BARS for cell in _at(bar, runs, ours))]
            for name, runs in paths.items()
        ]
        parts += [report.table(header, rows), _every(paths)]
    rows = _others(libraries, paths.get(OURS, {}))
    if rows:
        parts.append(report.table((OURS, "warm, s", "ratio", ""), rows))
    if idle:
        why = "; ".join(f"{name} ({line['reason']})" for name, line in idle.items())
        parts.append(f"Not run: {why}.\n")
    return "\n".join(parts)


def _title(problem: str, line: Line) -> str:
    if "strengths" not in line:
        return f"### {problem}\n"
    strengths = line["strengths"]
    return (
        f"### {problem}: {line['spec']['family']}, {line['n']:,} rows, {line['p']:,} columns, "
        f"{len(strengths)} strengths from {strengths[0]:.3g} to {strengths[-1]:.3g}\n"
    )


def _at(bar: float, theirs: Runs, ours: Runs) -> list[str]:
    """Tolerance, times and ratio at a bar; what was reached instead, where it was not."""
    at, our_at = bars.loosest(theirs, bar), bars.loosest(ours, bar)
    if at is None:
        best = bars.nearest(theirs)
        if best is None:
            return ["no path", "-", "-", "-"]
        reached = f"not reached: {bars.residual(theirs[best]):.1e} at {best:g}"
        return [reached, _median(theirs[best], results.warm), "-", "-"]
    ratio = None if our_at is None else results.ratio(theirs[at], ours[our_at])
    return [
        f"{at:g}",
        _median(theirs[at], results.warm),
        "-" if ratio is None else str(ratio),
        _median(theirs[at], results.cold),
    ]


def _every(paths: Mapping[str, Runs]) -> str:
    """A row for each library and tolerance."""
    least = _least([line for runs in paths.values() for group in runs.values() for line in group])
    rows = []
    for name, runs in paths.items():
        for at, group in runs.items():
            bad = next((line for line in group if not bars.judged([line])), None)
            if bad is not None:
                rows.append([name, f"{at:g}", f"{bad['status']}: {bad['reason']}", *["-"] * 5])
                continue
            rows.append(
                [
                    name,
                    f"{at:g}",
                    _median(group, results.warm),
                    _median(group, results.cold),
                    f"{bars.residual(group):.1e}",
                    f"{max(line['kkt']['share'] for line in group):.1e}",
                    f"{max(_excess(line, least) for line in group):.1e}",
                    f"{group[0]['nonzero']:,}",
                ]
            )
    header = ("library", "tolerance", "warm, s", "cold, s", "largest residual")
    more = ("over its strength", "objective over the least, relative", "not zero at the last")
    return report.table((*header, *more), rows)


def _least(lines: Sequence[Line]) -> list[float]:
    """The least objective that any library found, at each strength."""
    objectives = [line["objectives"] for line in lines if bars.judged([line])]
    return [min(values) for values in zip(*objectives, strict=True)]


def _excess(line: Line, least: Sequence[float]) -> float:
    return max(mine / low - 1 for mine, low in zip(line["objectives"], least, strict=True))


def _others(libraries: Mapping[str, Sequence[Line]], path: Runs) -> list[list[str]]:
    """Cross-validation over a path at the same tolerance, and ridge over a fit without penalty."""
    default = create(OURS).default
    pairs = (
        (CV, "10-fold cross-validation over a path", path.get(default or 0.0, [])),
        (RIDGE, "ridge over a fit without a penalty", libraries.get(PLAIN, [])),
    )
    rows = []
    for name, words, below in pairs:
        runs = libraries.get(name, [])
        if not runs:
            continue
        found = results.ratio(runs, below)
        bad = next((line for line in runs if not results.counts(line)), None)
        if bad is not None:
            rows.append([words, "-", "-", f"{bad['status']}: {bad['reason']}"])
            continue
        said = ""
        if name == CV and found is not None:
            met = "yes" if found.median < MOST_OF_CV else "**no**"
            said = f"under {MOST_OF_CV:g}: {met}"
        ratio = "-" if found is None else str(found)
        rows.append([words, _median(runs, results.warm), ratio, said])
    return rows


def _median(runs: Sequence[Line], seconds: Callable[[Line], float]) -> str:
    return f"{statistics.median(map(seconds, runs)):.3g}"
