"""Owns a benchmark: which workers are started, in what order, and the lines that come of it.

Imports neither jax nor any library that is measured, and holds no data: workers read files. For
each problem the libraries take turns, A B C A B C, each time in a fresh process, so that a slow
minute of the machine hits all of them; ratios are taken within a turn.
"""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import data, hardware, libraries, machine
from benchmarks.libraries import Entrant
from benchmarks.spec import SEED, Spec


@dataclass(frozen=True)
class Plan:
    """What to run."""

    problems: Sequence[str]
    entrants: Sequence[Entrant]
    scale: float = 1.0
    repeat: int = 3
    device: str = "cpu"
    threads: int = 1
    timeout: float = 1800.0
    seed: int = SEED
    cache: str | None = None
    command: str = ""


class WorkerError(RuntimeError):
    """A worker ended without an answer."""


def ask(
    plan: Plan,
    folder: Path,
    device: str | None = None,
    *,
    cache: str | None = None,
    one_thread: bool = False,
    **request: Any,
) -> dict[str, Any]:
    """The answer of one worker to one request; `folder` holds the problem's files.

    With `one_thread` its libraries start no threads of their own; the CPUs are those of the plan.
    """
    threads = 1 if one_thread else plan.threads
    return answered(
        "benchmarks.worker",
        request | {"threads": plan.threads},
        folder,
        environment=machine.worker_environment(threads, device or plan.device, cache or plan.cache),
        timeout=plan.timeout,
    )


def answered(
    module: str,
    request: dict[str, Any],
    folder: Path,
    *,
    environment: dict[str, str],
    timeout: float,
    python: str = sys.executable,
) -> dict[str, Any]:
    """What a fresh process of a module answers; one that is too slow ends with all it started."""
    answer = folder / f"answer-{uuid.uuid4().hex}.json"
    request = request | {"answer": str(answer), "folder": str(folder)}
    process = subprocess.Popen(
        [python, "-m", module, json.dumps(request)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=timeout)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return {"status": "error", "reason": f"no answer in {timeout:.0f} s"}
    if not answer.exists():
        last = (said.strip().splitlines() or ["no message"])[-1][:300]
        return {"status": "error", "reason": f"ended with code {process.returncode}: {last}"}
    return json.loads(answer.read_text())


def execute(plan: Plan, say: Callable[[str], None] = print) -> Iterator[dict[str, Any]]:
    """Run a plan; yields one line for each run, as soon as it is there."""
    shared = origin(plan.command, plan.threads, plan.seed) | {
        "asked_device": plan.device,
        "scale": plan.scale,
        "compilation_cache": plan.cache is not None,
    }
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        say("hardware: copy bandwidth and matrix rate")
        measured = ask(plan, folder, mode="hardware", small=plan.scale < 0.1)
        if "flops_per_second" not in measured:
            raise WorkerError(f"hardware figures: {measured['reason']}")
        yield shared | {"kind": "hardware", "date": now(), "hardware": measured}
        for problem in plan.problems:
            place = folder / problem
            for line in _problem(plan, shared, measured, problem, place, say):
                # Of now: an edit in the middle of an invocation has to show.
                yield line | {"commit": machine.commit()}
            # A problem's files can be gigabytes: not kept beyond their turn.
            shutil.rmtree(place)


def origin(command: str, threads: int, seed: int) -> dict[str, Any]:
    """What every line of an invocation says of where it comes from."""
    return {
        "kind": "run",
        "invocation": uuid.uuid4().hex[:12],
        "command": command,
        "commit": machine.commit(),
        "machine": machine.describe(),
        "threads": threads,
        "seed": seed,
    }


def describe(spec: Spec) -> dict[str, Any]:
    """What a line says of its problem."""
    fields = {k: v for k, v in dataclasses.asdict(spec).items() if k != "name"}
    return {"spec": fields, "n": spec.n, "p": spec.p}


def _problem(
    plan: Plan,
    shared: dict[str, Any],
    measured: dict[str, Any],
    problem: str,
    folder: Path,
    say: Callable[[str], None],
) -> Iterator[dict[str, Any]]:
    say(f"{problem}: drawing it and finding its optimum")
    folder.mkdir()
    # Drawing and the reference go by threads of their own, each with a BLAS of one.
    made = ask(
        plan,
        folder,
        one_thread=True,
        mode="prepare",
        problem=problem,
        scale=plan.scale,
        seed=plan.seed,
    )
    if "reference" not in made:
        yield shared | {"problem": problem, "date": now()} | made | {"library": "-", "turn": 0}
        return
    spec = data.read_spec(folder)
    shared = shared | describe(spec) | {"problem": problem, "reference": made["reference"]}
    ready: list[tuple[Entrant, float | None, libraries.Library]] = []
    for entrant in plan.entrants:
        line = shared | {"library": entrant.name, "turn": 0, "date": now()}
        if not made["reference"]["verified"]:
            yield line | {"status": "error", "reason": "the reference is not at an optimum"}
            continue
        adapter = libraries.create(entrant.library)
        reason = _obstacle(adapter, spec)
        if reason is not None:
            say(f"  {entrant.name}: skipped, {reason}")
            yield line | {"status": "skipped", "reason": reason}
        elif entrant.at == "loosest":
            found = ask(
                plan,
                folder,
                adapter.device,
                one_thread=_one_thread(adapter, spec),
                mode="probe",
                library=entrant.library,
            )
            if found.get("tolerance") is None:
                reason = found.get("reason", "no tolerance passes the accuracy gate")
                say(f"  {entrant.name}: failed, {reason}")
                failed = "error" if "reason" in found else "failed"
                yield line | {"status": failed, "reason": reason, "seen": found.get("seen")}
            else:
                ready.append((entrant, found["tolerance"], adapter))
        else:
            ready.append((entrant, entrant.tolerance(adapter), adapter))

    def run(entrant: Entrant, tolerance: float | None, adapter: libraries.Library) -> Any:
        programs = str(folder / "programs") if adapter.keeps_programs else None
        request = {"mode": "run", "library": entrant.library, "tolerance": tolerance}
        alone = _one_thread(adapter, spec)
        return ask(plan, folder, adapter.device, cache=programs, one_thread=alone, **request)

    for entry in ready:
        if entry[2].keeps_programs:
            run(*entry)  # fills the cache
    for turn in range(plan.repeat):
        for entrant, tolerance, adapter in ready:
            answer = run(entrant, tolerance, adapter)
            device = adapter.device or plan.device
            # The hardware is that of the benchmark's device.
            if "warm" in answer and device == plan.device:
                answer["over_hardware"] = _over_hardware(spec, answer, measured)
                answer["bandwidth_share"] = _bandwidth_share(spec, answer, measured)
            say(f"  {entrant.name}, turn {turn + 1}: {_short(answer)}")
            line = {"library": entrant.name, "tolerance": tolerance, "turn": turn, "date": now()}
            yield shared | line | answer


def _over_hardware(spec: Spec, answer: dict[str, Any], measured: dict[str, Any]) -> float | None:
    if answer["status"] != "ok":
        return None
    return hardware.distance(
        spec, answer["warm"]["median"], answer["passes"], answer["precision"], measured
    )


def _bandwidth_share(spec: Spec, answer: dict[str, Any], measured: dict[str, Any]) -> float | None:
    """Bytes that the passes had to read, over what a copy would have moved while solving."""
    seconds, passes = answer["stages"].get("solve"), answer["passes"]
    if answer["status"] != "ok" or not seconds or not passes:
        return None
    nbytes, _ = hardware.pass_cost(spec)
    return passes * nbytes / (seconds * max(measured["copy_bytes_per_second"].values()))


def _one_thread(adapter: libraries.Library, spec: Spec) -> bool:
    """Whether a run is a loop of fits too small to share among threads."""
    return adapter.loops and spec.segments > 0


def _obstacle(adapter: libraries.Library, spec: Spec) -> str | None:
    """Why a library is not run on a problem, or None."""
    if spec.segments and not adapter.by_segment:
        return "not measured on many fits"
    return adapter.obstacle(spec) or machine.absent(list(adapter.packages))


def _short(answer: dict[str, Any]) -> str:
    if "warm" not in answer or answer["status"] == "failed":
        return f"{answer['status']}, {answer.get('reason', '')}"
    return (
        f"cold {answer['cold']['total']:.3g} s, warm {answer['warm']['median']:.3g} s, "
        f"distance {answer['accuracy']['distance']:.1e}"
    )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
