"""One piece of work in a fresh process: draw a problem, look for a tolerance, or measure a run.

    python -m benchmarks.worker REQUEST        (JSON; started by `driver`, answers in a file)

The clock starts before NumPy is imported, since importing is part of a cold start; hence the
imports inside functions.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_STARTED = time.perf_counter()

# Enough warm fits for a median; more while they are short, fewer when they are long.
FITS, MOST_FITS = 3, 200
SHORT_SECONDS, LONG_SECONDS = 1.0, 30.0


def prepare(request: dict[str, Any]) -> dict[str, Any]:
    """Draw a problem, keep it in files, and find its optimum."""
    from benchmarks import accuracy, accuracy_by_segment, data, problems

    folder = Path(request["folder"])
    spec, columns = problems.generate(request["problem"], request["scale"], request["seed"])
    data.save(folder, spec, columns)
    judging = accuracy_by_segment if spec.segments else accuracy
    reference = judging.find_reference(spec, columns)
    reference.save(folder)
    return {"reference": reference.describe(), "n": spec.n, "p": spec.p}


def probe(request: dict[str, Any]) -> dict[str, Any]:
    """The first of a library's ladder that passes the gate with a margin; all distances seen."""
    from benchmarks import data, libraries

    library = libraries.create(request["library"])
    library.load()
    folder = Path(request["folder"])
    given = data.read(folder)
    library.ready(given)
    judge = _judge(folder)
    seen: list[dict[str, Any]] = []
    for tolerance in library.ladder:
        try:
            verdict = judge(library.solve(given, tolerance))
        except Exception as error:  # whatever a peer raises: the next tolerance may do
            seen.append({"tolerance": tolerance, "error": words_of(error)})
            continue
        seen.append({"tolerance": tolerance, "distance": verdict.distance})
        if verdict.passed_with_margin:
            return {"tolerance": tolerance, "seen": seen}
    errors = [entry["error"] for entry in seen if "error" in entry]
    if len(errors) == len(seen):
        return {"status": "error", "reason": errors[-1], "seen": seen}
    return {"tolerance": None, "seen": seen}


def run(request: dict[str, Any]) -> dict[str, Any]:
    """One cold and several warm fits, then what they were worth."""
    from benchmarks import libraries, memory

    library = libraries.create(request["library"])
    library.load()
    imported = time.perf_counter() - _STARTED
    from benchmarks import data, machine

    folder, tolerance = Path(request["folder"]), request["tolerance"]
    given = data.read(folder)
    nbytes = given.nbytes
    library.ready(given)
    gc.collect()
    memory.forget_peak()
    before = memory.resident()

    start = time.perf_counter()
    solution: Any = library.solve(given, tolerance)
    first = (time.perf_counter() - start) / solution.share
    peak = memory.peak()
    solution = None
    gc.collect()
    memory.forget_peak()
    between = memory.resident()
    warm: list[float] = []
    while not _enough(warm):
        solution = None
        gc.collect()
        start = time.perf_counter()
        solution = library.solve(given, tolerance)
        seconds = (time.perf_counter() - start) / solution.share
        warm.append(seconds if solution.seconds is None else solution.seconds)
    later = memory.peak()
    after = max(peak, later)
    own = library.child_peak()
    if own:
        after, before = own, nbytes  # R reads the files itself
    stages = library.staged(given, tolerance) or solution.stages

    # Only now what takes memory of its own.
    verdict = _judge(folder)(solution)
    judged = "ok" if verdict.passed else "failed"
    status = judged if library.gated else "baseline"
    answer: dict[str, Any] = {
        "status": status,
        "data_bytes": nbytes,
        "cold": {"import": imported, "first": first, "total": imported + first},
        "warm": {"median": statistics.median(warm), "fits": len(warm), "seconds": warm[:10]},
        "share": solution.share,
        "stages": stages,
        "memory": {
            "before": before,
            "peak": after,
            # The data are in memory before the fit starts and stay there.
            "over_data": 1.0 + max(after - before, 0) / nbytes,
            # Of the fits after the first, beyond what the first has left behind.
            "over_data_later": 1.0 + max(later - between, 0) / nbytes,
            # What the first fit took beyond the later ones: compilation, for the most part.
            "first_only": max((peak - before) - (later - between), 0),
        },
        "accuracy": verdict.to_json(),
        "standard_errors": solution.standard_errors,
        "passes": solution.passes,
        "precision": library.precision(given.spec),
        "versions": machine.versions(list(library.packages)),
    }
    if status == "failed":
        answer["reason"] = verdict.reason
    if "jax" in sys.modules:
        device = sys.modules["jax"].devices()[0]
        answer["device"] = {"platform": device.platform, "kind": device.device_kind}
    return answer


def _judge(folder: Path) -> Callable[[Any], Any]:
    """What gives the verdict on a solution of the problem in a folder."""
    from benchmarks import accuracy, accuracy_by_segment, data

    spec = data.read_spec(folder)
    if spec.segments:
        each = accuracy_by_segment.Reference.read(folder)
        return lambda found: accuracy_by_segment.judge(
            each, found.beta, found.segments, found.shape
        )
    columns, reference = data.read_columns(folder, mapped=True), accuracy.Reference.read(folder)
    return lambda found: accuracy.judge(
        spec, columns, reference, beta=found.beta, eta=found.eta, shape=found.shape
    )


def hardware(request: dict[str, Any]) -> dict[str, Any]:
    from benchmarks.hardware import measure

    return measure(request["small"])


def _enough(warm: list[float]) -> bool:
    total = sum(warm)
    if not warm:
        return False
    if total > LONG_SECONDS or len(warm) >= MOST_FITS:
        return True
    return len(warm) >= FITS and total > SHORT_SECONDS


def words_of(error: BaseException) -> str:
    first = (str(error).strip() or "no message").splitlines()[0][:300]
    return f"{type(error).__name__}: {first}"


def main(modes: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> None:
    """Answer the request on the command line, in one of some modes."""
    request = json.loads(sys.argv[1])
    from benchmarks import machine

    machine.pin(request["threads"])
    try:
        answer = modes[request["mode"]](request)
    except Exception as error:  # a peer's failure is a result
        answer = {"status": "error", "reason": words_of(error)}
    Path(request["answer"]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main({"prepare": prepare, "probe": probe, "run": run, "hardware": hardware})
