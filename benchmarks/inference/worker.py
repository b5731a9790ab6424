"""A process of one library: it draws a problem, or holds a fit and answers about it.

    python -m benchmarks.inference.worker REQUEST        (JSON; started by `driver`)

One that holds a fit reads a line of JSON for each task from its standard input and writes one to
its standard output.
"""

import gc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.worker import words_of

Say = Callable[[dict[str, Any]], None]


def draw(request: dict[str, Any], say: Say) -> None:
    """Draw a problem and keep it in files."""
    from benchmarks.inference import problems

    made = problems.draw(request["problem"], problems.Size(**request["size"]), request["seed"])
    made.save(Path(request["folder"]))
    say({"status": "ok"})


def serve(request: dict[str, Any], say: Say) -> None:
    """Fit, then answer one task after the other."""
    adapter = fitted(request, say)
    if adapter is not None:
        for line in sys.stdin:
            say(answer(adapter, json.loads(line)))
        adapter.close()


def fitted(request: dict[str, Any], say: Say) -> Any:
    """The adapter with its fit; None where it cannot have this problem."""
    from benchmarks.inference import base

    adapter = base.adapter_of(request["library"])(base.Given.read(Path(request["folder"])))
    reason = machine.absent(list(adapter.packages)) or adapter.obstacle()
    if reason is not None:
        say({"status": "skipped", "reason": reason})
        return None
    adapter.fit()
    say({"status": "ok", "versions": machine.versions(list(adapter.packages))})
    return adapter


def answer(adapter: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """Have a task done."""
    import numpy as np

    gc.collect()
    try:
        found = adapter.answer(asked["task"], asked["correction"])
    except Exception as error:  # a peer's failure is a result
        return {"status": "error", "reason": words_of(error)}
    if asked["keep"] is not None and found.values is not None:
        np.save(asked["keep"], found.values)
    return {"status": "ok", "seconds": found.seconds}


def main() -> None:
    request = json.loads(sys.argv[1])
    machine.pin(request["threads"])
    # What a library prints is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    try:
        {"draw": draw, "serve": serve}[request["mode"]](request, say)
    except Exception as error:  # a peer's failure is a result
        say({"status": "error", "reason": words_of(error)})


if __name__ == "__main__":
    main()
