"""One piece of work in a fresh process: draw a problem of a path, or measure a library on it.

    python -m benchmarks.paths.worker REQUEST        (JSON; started by `driver`, answers in a file)

The clock starts before NumPy is imported, since importing is part of a cold start; hence the
imports inside functions.
"""

import gc
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.worker import main

if TYPE_CHECKING:
    from benchmarks.paths.base import Coefficients, Given

_STARTED = time.perf_counter()


def prepare(request: dict[str, Any]) -> dict[str, Any]:
    """Draw a problem and its strengths, and keep both in files."""
    import numpy as np

    from benchmarks import data
    from benchmarks.paths import optimality, problems

    folder, name = Path(request["folder"]), request["problem"]
    spec, columns = problems.draw(name, request["scale"], request["seed"])
    data.save(folder, spec, columns)
    lowest = problems.PROBLEMS[name].lowest
    strengths = optimality.strengths(spec, columns, lowest, request["count"])
    np.save(folder / "strengths.npy", strengths)
    return {"status": "ok", "strengths": strengths.tolist()}


def run(request: dict[str, Any]) -> dict[str, Any]:
    """One call, a second one where the first compiles, and what the last was worth."""
    from benchmarks import machine
    from benchmarks.paths import base

    adapter = base.create(request["library"])
    packages, folder = list(adapter.packages), Path(request["folder"])
    reason = machine.absent(packages)
    if reason is not None:
        return {"status": "skipped", "reason": reason}
    adapter.load()
    imported = time.perf_counter() - _STARTED
    import numpy as np

    from benchmarks import data

    given = base.Given(data.read(folder), np.load(folder / "strengths.npy"))
    reason = adapter.obstacle(given.spec)
    if reason is not None:
        return {"status": "skipped", "reason": reason}
    adapter.ready(given)
    seconds = []
    for _ in range(1 + adapter.compiles):
        gc.collect()
        start = time.perf_counter()
        found = adapter.solve(given, request["tolerance"])
        seconds.append(time.perf_counter() - start)
    own = None if found is None else found.seconds
    answer = {
        "status": "ok",
        "cold": {"import": imported, "first": seconds[0], "total": imported + seconds[0]},
        "warm": {"median": seconds[-1] if own is None else own, "fits": 1},
        "versions": machine.versions(packages) | ({} if found is None else found.versions),
    }
    return answer if found is None else answer | judged(given, found)


def judged(given: "Given", found: "Coefficients") -> dict[str, Any]:
    """What is said of the coefficients; a path that ends early has failed."""
    import numpy as np

    from benchmarks import data
    from benchmarks.paths import optimality

    asked, got = given.strengths.size, len(found.intercepts)
    if got < asked:
        return {"status": "failed", "reason": f"{got} of {asked} strengths"}
    columns = data.read_columns(given.data.folder, mapped=True)
    verdict = optimality.judge(
        given.spec, columns, given.strengths, found.intercepts, np.asarray(found.beta)
    )
    residuals = verdict.residuals
    if not np.isfinite(residuals).all():
        return {"status": "failed", "reason": "coefficients that are not finite"}
    return {
        "kkt": {
            "largest": float(residuals.max()),
            "at": float(given.strengths[residuals.argmax()]),
            "share": float((residuals / given.strengths).max()),
        },
        "objectives": verdict.objectives.tolist(),
        "nonzero": int(np.count_nonzero(found.beta[-1])),
    }


if __name__ == "__main__":
    main({"prepare": prepare, "run": run})
