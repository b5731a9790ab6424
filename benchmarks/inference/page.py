"""Owns the page: for each problem what a task costs in passes, and beside the peers.

Imports `results`, `report` and `tasks`.
"""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks import report, results
from benchmarks.inference import tasks
from benchmarks.results import Line
from benchmarks.targets import OURS

Group = Mapping[str, Sequence[Line]]


def markdown(lines: Sequence[Line]) -> str:
    """The latest run of each problem."""
    runs = report.arrange(lines)
    if not runs:
        return "No runs.\n"
    parts = []
    for problem, libraries in runs.items():
        parts.append(_problem(problem, libraries))
    return "\n".join([*parts, report.provenance(lines, runs)])


def _problem(problem: str, libraries: Group) -> str:
    every = [line for group in libraries.values() for line in group]
    first = next((line for line in every if "n" in line), None)
    idle = {name: group[0] for name, group in libraries.items() if group[0]["task"] == "-"}
    title = f"### {problem}"
    if first is not None:
        title += f": {first['spec']['family']}, {first['n']:,} rows, {first['p']:,} columns"
    parts = [title + "\n"]
    by_task = results.group((line for line in every if line["task"] != "-"), "task")
    peers = [name for name in libraries if name not in idle and name != OURS]
    if by_task:
        header = ["", f"{OURS}, s", "passes", "it needs", f"within {tasks.AT_MOST:g}x"]
        header += [f"{peer}: time over ours, difference" for peer in peers]
        rows = [_row(tasks.BY_NAME[name], group, peers) for name, group in by_task.items()]
        parts.append(report.table(header, rows))
        parts += [f"{peer}: {_corrections(libraries[peer])}.\n" for peer in peers]
    if idle:
        why = "; ".join(f"{name} ({line['reason']})" for name, line in idle.items())
        parts.append(f"Not run: {why}.\n")
    return "\n".join(parts)


def _row(task: tasks.Task, lines: Sequence[Line], peers: Sequence[str]) -> list[str]:
    by_library = results.group(lines, "library")
    ours = by_library.get(OURS, [])
    bad = next((line for line in ours if not results.counts(line)), None)
    if bad is not None or not ours:
        cells = [_failed(bad) if bad is not None else "-", "-", "-", "-"]
    else:
        passes = results.spread([results.warm(line) / line["unit"] for line in ours])
        met = passes.median <= tasks.AT_MOST * task.passes
        seconds = statistics.median(map(results.warm, ours))
        needs = f"{task.passes} ({task.why})"
        cells = [f"{seconds:.3g}", str(passes), needs, "yes" if met else "**no**"]
    return [task.words, *cells, *(_peer(by_library.get(peer, []), ours) for peer in peers)]


def _peer(theirs: Sequence[Line], ours: Sequence[Line]) -> str:
    """Its time over ours, and how far its numbers are from ours."""
    if not theirs:
        return "-"
    bad = next((line for line in theirs if not results.counts(line)), None)
    if bad is not None:
        return _failed(bad)
    found, apart = results.ratio(theirs, ours), theirs[0]["agreement"]["difference"]
    ratio = "-" if found is None else f"{found}x"
    return f"{ratio}; {'-' if apart is None else format(apart, '.1e')}"


def _corrections(theirs: Sequence[Line]) -> str:
    """Which corrections of ours its errors were held against."""
    by_correction: dict[str, list[str]] = {}
    for line in theirs:
        task = tasks.BY_NAME[line["task"]]
        if task.errors and "agreement" in line:
            named = by_correction.setdefault(line["agreement"]["correction"], [])
            if task.words not in named:
                named.append(task.words)
    return "; ".join(f"{', '.join(n)} at correction={c!r}" for c, n in by_correction.items())


def _failed(line: Line) -> str:
    return f"{line['status']}: {line['reason']}"
