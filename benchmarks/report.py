"""Owns the report: tables in Markdown and a picture, from a results file.

Imports `results` and `targets`; matplotlib only for the picture. Every ratio is of runs paired in
one invocation, and all are of one commit. Runs that missed the accuracy gate appear without a time,
and libraries that make no standard errors, or only some, with a mark.
"""

import importlib
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results, targets
from benchmarks.results import Line
from benchmarks.targets import OURS

HEADER = (
    "library",
    "tolerance",
    "warm, s",
    f"warm, over {OURS}'s",
    "cold, s",
    f"cold, over {OURS}'s",
    "standard errors",
    "distance, s.e.",
    "peak memory",
)
# Of one fit, and of many.
HEADER_ONE = (*HEADER, "over hardware", "bandwidth, solving")
HEADER_MANY = (*HEADER, "µs a segment", "segments timed", "unhealthy ones answered")
LEGEND = """\
Warm is a fit of a shape that this process has seen before, cold a new process from its imports to
the first answer. Tolerances `@loosest` are the loosest that pass the accuracy gate with a margin.
† makes no standard errors, ‡ only some: part of the work is left out.
"""
Runs = Mapping[str, Mapping[str, Sequence[Line]]]


def arrange(lines: Sequence[Line]) -> dict[str, dict[str, list[Line]]]:
    """The latest runs: problem, then library, then turns.

    Raises
    ------
    ValueError
        If they are of several commits.
    """
    latest = results.latest(lines)
    results.one_commit(latest)
    problems = results.group(latest, "problem")
    return {name: results.group(runs, "library") for name, runs in problems.items()}


def markdown(lines: Sequence[Line]) -> str:
    """The whole report."""
    runs = arrange(lines)
    if not runs:
        return "No runs.\n"
    parts = [LEGEND]
    rows = targets.check(runs)
    if rows:
        parts.append("### Targets\n")
        parts.append(table(("problem", "what", "measured", "target", "met"), rows))
    rows = _faster(runs)
    if rows:
        parts.append(f"### Faster than {OURS}\n")
        parts.append(table(("problem", "library", "clock", f"over {OURS}'s"), rows))
    for problem, libraries in runs.items():
        first = next(iter(libraries.values()))[0]
        parts.append(f"### {_title(problem, first)}\n")
        ours = libraries.get(OURS, [])
        idle = {name: group[0] for name, group in libraries.items() if _skipped(group)}
        rows = [_row(name, group, ours) for name, group in libraries.items() if name not in idle]
        if rows:
            parts.append(table(HEADER_MANY if _segments(first) else HEADER_ONE, rows))
        if idle:
            why = "; ".join(f"{name} ({line['reason']})" for name, line in idle.items())
            parts.append(f"Not run: {why}.\n")
    parts.append(provenance(lines, runs))
    return "\n".join(parts)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a "|" inside a cell is escaped."""
    cells = [header, ["---"] * len(header), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in cells
    )


def _faster(runs: Runs) -> list[list[str]]:
    """Where a peer took less time, the median of its turns, warm or cold."""
    rows = []
    for problem, libraries in runs.items():
        ours = libraries.get(OURS, [])
        where = targets.at(problem, libraries)
        for name, group in libraries.items():
            if not results.passed(group) or name.startswith(OURS) or group[0]["status"] != "ok":
                continue
            for clock, seconds in (("warm", results.warm), ("cold", results.cold)):
                found = results.ratio(group, ours, seconds)
                if found is not None and found.median < 1:
                    rows.append([where, results.marked(name, group), clock, str(found)])
    return rows


def _skipped(group: Sequence[Line]) -> bool:
    return all(line["status"] == "skipped" for line in group)


def _segments(line: Line) -> int:
    """How many fits the problem is made of; 0 for one."""
    return line.get("spec", {}).get("segments", 0)


def _title(problem: str, line: Line) -> str:
    if "n" not in line:
        return problem
    scale = "" if line["scale"] == 1 else f", scale {line['scale']:g}"
    spec = line["spec"]
    many = f"{_segments(line):,} segments, " if _segments(line) else ""
    link = f", {spec['other_link']} link" if spec.get("other_link") else ""
    family = spec["family"].replace("_", " ") + link
    return f"{problem}: {family}, {many}{line['n']:,} rows, {line['p']:,} columns{scale}"


def _row(name: str, runs: Sequence[Line], ours: Sequence[Line]) -> list[str]:
    tolerance = runs[0].get("tolerance")
    shown = "-" if tolerance is None else f"{tolerance:g}"
    if not results.passed(runs):
        line = next(line for line in runs if not results.counts(line))
        header = HEADER_MANY if _segments(line) else HEADER_ONE
        return [
            name,
            shown,
            f"{line['status']}: {line.get('reason', '')}",
            *["-"] * (len(header) - 3),
        ]

    def median(value: Callable[[Line], Any], digits: str = ".3g") -> str:
        values = [value(line) for line in runs]
        return "-" if None in values else format(statistics.median(values), digits)

    count = _segments(runs[0])
    if count:
        judged = runs[0]["accuracy"]
        last = [
            median(lambda line: 1e6 * results.warm(line) / count),
            median(lambda line: line["share"] * count, ",.0f"),
            f"{judged['answered']} of {judged['unhealthy']}",
        ]
    else:
        last = [
            median(lambda line: line.get("over_hardware")),
            median(lambda line: line.get("bandwidth_share"), ".0%"),
        ]
    paired, cold = (results.ratio(runs, ours, clock) for clock in (results.warm, results.cold))
    return [
        results.marked(name, runs),
        shown,
        median(results.warm),
        "-" if paired is None else str(paired),
        median(results.cold),
        "-" if cold is None else str(cold),
        runs[0]["standard_errors"],
        "baseline"
        if runs[0]["status"] == "baseline"
        else median(lambda line: line["accuracy"]["distance"], ".1e"),
        _memory(runs),
        *last,
    ]


def _memory(good: Sequence[Line]) -> str:
    """Peak beyond the data, and over the data: on small data the first says more.

    What only the first fit takes is that of compiling, where a library compiles.
    """
    first = statistics.median(line["memory"]["first_only"] for line in good)
    extra = statistics.median(
        max(line["memory"]["peak"] - line["memory"]["before"], 0) for line in good
    )
    over = statistics.median(line["memory"]["over_data"] for line in good)
    later = statistics.median(line["memory"]["over_data_later"] for line in good)
    return (
        f"+{extra / 2**20:.3g} MiB, of these {first / 2**20:.3g} in the first fit only "
        f"({over:.3g}x, later fits {later:.3g}x)"
    )


def provenance(lines: Sequence[Line], runs: Runs) -> str:
    """Machine, threads, versions, commands: what the numbers belong to."""
    shown = [line for libraries in runs.values() for group in libraries.values() for line in group]
    invocations = {line["invocation"]: line for line in shown}
    parts = []
    for key, line in invocations.items():
        machine = line["machine"]
        versions: dict[str, str] = {}
        device = "cpu"
        for other in shown:
            if other["invocation"] == key:
                versions |= other.get("versions", {})
                if other["library"] == OURS and "device" in other:
                    device = other["device"]["kind"]
        named = ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
        parts.append(
            f"`{line['command']}` on {line['date'][:10]}, {_commit(line)}: "
            f"{machine['cpu']}, {line['threads']} threads, {machine['memory_gib']:g} GiB, device "
            f"{device}, Python {machine['python']}; {named or 'no versions'}."
        )
        for other in lines:
            if other["kind"] == "hardware" and other["invocation"] == key:
                parts[-1] += " " + _hardware_words(other["hardware"])
    return "\n\n".join(parts) + "\n"


def _commit(line: Line) -> str:
    return "outside git" if line["commit"] is None else f"commit {line['commit']}"


def _hardware_words(measured: Mapping[str, Any]) -> str:
    rates = measured["flops_per_second"]
    return (
        f"Copy bandwidth {max(measured['copy_bytes_per_second'].values()) / 1e9:.3g} GB/s, matrix "
        f"rate {max(rates['float64'].values()) / 1e9:.3g} GFLOP/s in float64, "
        f"{max(rates['float32'].values()) / 1e9:.3g} in float32."
    )


def picture(lines: Sequence[Line], path: Path) -> None:
    """Times over ours, one row a problem, on a logarithmic axis; runs that failed are not drawn.

    Raises
    ------
    ValueError
        Without a single pair to draw.
    """
    runs = arrange(lines)
    points: list[tuple[str, str, results.Pairs]] = []
    for problem, libraries in runs.items():
        for name, group in libraries.items():
            passed = results.passed(group) and group[0]["status"] == "ok"
            found = results.ratio(group, libraries.get(OURS, [])) if passed else None
            if found is not None and name != OURS:
                points.append((problem, results.marked(name, group), found))
    if not points:
        raise ValueError(f"no runs paired with {OURS} to draw")
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    plt = importlib.import_module("matplotlib.pyplot")
    problems = list(dict.fromkeys(problem for problem, _, _ in points))
    names = list(dict.fromkeys(name for _, name, _ in points))
    marks = "osD^vP*X<>hpd8HH|_"
    figure, axes = plt.subplots(figsize=(8, 1.4 + 0.55 * len(problems)), layout="constrained")
    for i, name in enumerate(names):
        mine = [(problem, found) for problem, other, found in points if other == name]
        x = [found.median for _, found in mine]
        # Beside each other, so that equal ratios do not hide one another.
        shift = 0.5 * (i / max(len(names) - 1, 1) - 0.5)
        y = [problems.index(problem) + shift for problem, _ in mine]
        spread = [
            [found.median - found.low for _, found in mine],
            [found.high - found.median for _, found in mine],
        ]
        axes.errorbar(x, y, xerr=spread, fmt=marks[i % len(marks)], label=name, capsize=2)
    axes.axvline(1.0, color="0.5", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(problems)), problems)
    axes.invert_yaxis()
    axes.set_xlabel(
        f"warm time over {OURS}'s (right of the line: {OURS} is faster; † without "
        "standard errors, ‡ with some)"
    )
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)
