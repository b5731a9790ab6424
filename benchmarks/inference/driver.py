"""Owns a run: which workers there are, in what order they are asked, and the lines that come of it.

One process of each library lives as long as its problem. Within a turn each task is asked of ours,
with a plain pass beside it, and then of the peers: what is compared was measured in the same
minutes. Before the first turn everything is asked once, untimed, and the answers are held against
each other.
"""

import dataclasses
import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, driver, machine
from benchmarks.inference import base, tasks
from benchmarks.inference.problems import Size
from benchmarks.spec import SEED
from benchmarks.targets import OURS

Asked = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to run."""

    problems: Sequence[str]
    libraries: Sequence[str]
    size: Size = field(default_factory=Size)
    repeat: int = 5
    threads: int = 1
    timeout: float = 1800.0
    seed: int = SEED
    command: str = ""


class Worker:
    """A process that answers; one that has ended, or takes too long, answers with an error."""

    def __init__(self, request: Asked, plan: Plan):
        self._timeout = plan.timeout
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.inference.worker",
                json.dumps(request | {"threads": plan.threads}),
            ],
            env=machine.worker_environment(plan.threads, "cpu"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def heard(self) -> Asked:
        """The next line that it says."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], self._timeout)
        if not ready:
            self._process.kill()
            return {"status": "error", "reason": f"no answer in {self._timeout:.0f} s"}
        line = self._process.stdout.readline()
        if not line:
            return {"status": "error", "reason": f"ended with code {self._process.wait()}"}
        return json.loads(line)

    def ask(self, task: str, correction: str = "sandwich", keep: Path | None = None) -> Asked:
        """Have a task done; `keep` is where its numbers are left."""
        assert self._process.stdin is not None
        asked = {
            "task": task,
            "correction": correction,
            "keep": None if keep is None else str(keep),
        }
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # what it was is heard
        return self.heard()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@dataclass(frozen=True)
class Peer:
    """A library beside ours, with how far its answers are from ours, by task."""

    name: str
    worker: Worker
    corrections: dict[str, str]
    versions: dict[str, str]
    differences: dict[str, float] = field(default_factory=dict)


def execute(plan: Plan, say: Callable[[str], None] = print) -> Iterator[Asked]:
    """Run a plan; yields one line for each task of each library and turn."""
    shared = driver.origin(plan.command, plan.threads, plan.seed)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        for problem in plan.problems:
            folder = Path(name) / problem
            folder.mkdir()
            say(f"{problem}: drawing it")
            size = dataclasses.asdict(plan.size)
            request = {"folder": str(folder), "problem": problem, "size": size, "seed": plan.seed}
            drawing = Worker(request | {"mode": "draw"}, plan)
            made = drawing.heard()
            drawing.close()
            line = shared | {"problem": problem, "library": OURS, "task": "-", "turn": 0}
            if made["status"] != "ok":
                yield line | made | {"date": driver.now()}
                continue
            yield from _problem(plan, line, folder, say)


def _problem(
    plan: Plan, shared: Asked, folder: Path, say: Callable[[str], None]
) -> Iterator[Asked]:
    shared = shared | driver.describe(data.read_spec(folder))
    workers: list[Worker] = []

    def started(library: str) -> tuple[Worker, Asked]:
        say(f"  {library}: fitting")
        worker = Worker({"mode": "serve", "library": library, "folder": str(folder)}, plan)
        workers.append(worker)
        return worker, worker.heard()

    try:
        # The first: where it ends is where the others start.
        ours, ready = started(OURS)
        if ready["status"] != "ok":
            yield shared | ready | {"date": driver.now()}
            return
        peers = []
        for library in plan.libraries:
            if library == OURS:
                continue
            worker, answer = started(library)
            if answer["status"] == "ok":
                corrections = dict(base.adapter_of(library).corrections)
                peers.append(Peer(library, worker, corrections, answer["versions"]))
            else:
                say(f"  {library}: {answer['status']}, {answer['reason']}")
                yield shared | answer | {"library": library, "date": driver.now()}
        asked = tasks.of(shared["problem"])
        for task in asked:
            say(f"  {task.words}: the first time")
            _compare(ours, peers, task, folder)
        shared = shared | {"versions": ready["versions"]}
        for turn in range(plan.repeat):
            for task in asked:
                for line in _turn(ours, peers, task):
                    say(f"  {task.words}, turn {turn + 1}, {line['library']}: {_short(line)}")
                    yield shared | line | {"turn": turn, "task": task.name, "date": driver.now()}
    finally:
        for worker in workers:
            worker.close()


def _compare(ours: Worker, peers: Sequence[Peer], task: tasks.Task, folder: Path) -> None:
    """Ask for everything once, and note how far peers are from ours with their corrections."""
    ours.ask(task.unit)
    ours.ask(task.name)
    for peer in peers:
        if task.name not in peer.corrections:
            continue
        files = [folder / f"{name}.{task.name}.npy" for name in (OURS, peer.name)]
        correction = peer.corrections[task.name]
        answers = [
            worker.ask(task.name, correction, keep)
            for worker, keep in zip((ours, peer.worker), files, strict=True)
        ]
        if all(answer["status"] == "ok" for answer in answers):
            peer.differences[task.name] = difference(*map(np.load, files))


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest relative difference of numbers; infinite where they are not as many."""
    if ours.shape != theirs.shape:
        return float("inf")
    return float(np.max(np.abs(theirs - ours) / np.abs(ours)))


def _turn(ours: Worker, peers: Sequence[Peer], task: tasks.Task) -> Iterator[Asked]:
    """A line of ours, with a pass before it, and one of each peer that has the task."""
    unit = ours.ask(task.unit)
    own = _line(OURS, ours.ask(task.name))
    yield own | ({"unit": unit["seconds"]} if unit["status"] == "ok" else unit)
    for peer in peers:
        if task.name in peer.corrections:
            agreement = {
                "correction": peer.corrections[task.name],
                "difference": peer.differences.get(task.name),
            }
            line = _line(peer.name, peer.worker.ask(task.name))
            yield line | {"agreement": agreement, "versions": peer.versions}


def _line(library: str, answer: Asked) -> Asked:
    if answer["status"] != "ok":
        return {"library": library} | answer
    return {
        "library": library,
        "status": "ok",
        "warm": {"median": answer["seconds"], "fits": 1},
    }


def _short(line: Asked) -> str:
    if line["status"] != "ok":
        return f"{line['status']}, {line['reason']}"
    seconds = line["warm"]["median"]
    return f"{seconds:.3g} s" + (f", {seconds / line['unit']:.3g} passes" if "unit" in line else "")
