"""Owns a run: which libraries are asked at which tolerances, in what order, and the lines of it.

Every run is a fresh process. In the first turn each library is run at all its tolerances, from
loose to tight; the further turns repeat what the report compares, every second one in reverse.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import data, driver, machine, results
from benchmarks.paths import bars, base
from benchmarks.paths.base import OTHERS
from benchmarks.spec import SEED
from benchmarks.targets import OURS

Line = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes
    ----------
    count : of the strengths
    python : the interpreter of the peers
    """

    problems: Sequence[str]
    libraries: Sequence[str]
    tolerances: Sequence[str] = ("all",)
    scale: float = 1.0
    count: int = 100
    repeat: int = 3
    threads: int = 1
    timeout: float = 1800.0
    seed: int = SEED
    python: str = sys.executable
    command: str = ""


class Entry(NamedTuple):
    """A library at a tolerance."""

    library: str
    tolerance: float | None

    @property
    def is_ours(self) -> bool:
        return self.library in (OURS, *OTHERS)

    @property
    def name(self) -> str:
        return self.library if self.tolerance is None else f"{self.library}@{self.tolerance:g}"


def execute(plan: Plan, say: Callable[[str], None] = print) -> Iterator[Line]:
    """Run a plan; yields one line for each run, as soon as it is there."""
    shared = driver.origin(without_paths(plan.command), plan.threads, plan.seed)
    shared |= {"scale": plan.scale}
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        for problem in plan.problems:
            folder = Path(name) / problem
            for line in _problem(plan, shared | {"problem": problem}, folder, say):
                yield line | {"date": driver.now(), "commit": machine.commit()}
            # A problem's files can be gigabytes: not kept beyond their turn.
            shutil.rmtree(folder)


def _problem(plan: Plan, shared: Line, folder: Path, say: Callable[[str], None]) -> Iterator[Line]:
    say(f"{shared['problem']}: drawing it")
    folder.mkdir()
    request = {"problem": shared["problem"], "scale": plan.scale, "seed": plan.seed}
    made = _asked(plan, folder, sys.executable, mode="prepare", count=plan.count, **request)
    if made["status"] != "ok":
        yield shared | made | {"library": OURS, "tolerance": None, "turn": 0}
        return
    shared = shared | driver.describe(data.read_spec(folder)) | {"strengths": made["strengths"]}
    entries = [
        Entry(library, tolerance)
        for library in plan.libraries
        for tolerance in base.create(library).asked(plan.tolerances)
    ]
    first: list[Line] = []
    for turn in range(plan.repeat):
        given_up: set[str] = set()
        for entry in entries[:: -1 if turn % 2 else 1]:
            if entry.library in given_up:
                continue
            asked = {"library": entry.library, "tolerance": entry.tolerance}
            python = sys.executable if entry.is_ours else plan.python
            line = shared | asked | {"turn": turn}
            line |= _asked(plan, folder, python, mode="run", **asked)
            say(f"  {entry.name}, turn {turn + 1}: {_short(line)}")
            yield line
            if turn == 0:
                first.append(line)
            # What is not installed, or too slow, is so at a tighter tolerance.
            if turn == 0 and line["status"] in ("skipped", "error"):
                given_up.add(entry.library)
        if turn == 0:
            entries = _repeated(entries, first)


def _repeated(entries: Sequence[Entry], lines: Sequence[Line]) -> list[Entry]:
    """What further turns repeat: all of ours, and of the peers what the report compares."""
    found = []
    for library, runs in results.group(lines, "library").items():
        by_tolerance = results.group(runs, "tolerance")
        ours = {at for at, group in by_tolerance.items() if results.passed(group)}
        mine = Entry(library, None).is_ours
        found += [Entry(library, at) for at in (ours if mine else bars.shown(by_tolerance))]
    return [entry for entry in entries if entry in found]


def _asked(plan: Plan, folder: Path, python: str, **request: Any) -> Line:
    answer = driver.answered(
        "benchmarks.paths.worker",
        request | {"threads": plan.threads},
        folder,
        environment=machine.worker_environment(plan.threads, "cpu"),
        timeout=plan.timeout,
        python=python,
    )
    if "reason" in answer:
        answer["reason"] = without_paths(answer["reason"])
    return answer


def without_paths(text: str) -> str:
    """Words with the names of files, but not of the folders that they lie in."""
    return re.sub(r"(?<![^\s='\"(])[^\s='\"(]*/(?=\S)", "", text)


def _short(line: Line) -> str:
    if line["status"] != "ok":
        return f"{line['status']}, {line['reason']}"
    shown = f"cold {line['cold']['total']:.3g} s, warm {line['warm']['median']:.3g} s"
    return shown + (f", residual {line['kkt']['largest']:.1e}" if "kkt" in line else "")
