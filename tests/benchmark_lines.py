"""A line of a benchmark's results, as `run` stores it, for tests of what is made of such lines."""

from typing import Any

from benchmarks import results


def stored_line(seconds: float, **more: Any) -> results.Line:
    """A fit that took so many seconds, with other fields where they are given."""
    return {
        "kind": "run",
        "invocation": "a",
        "date": "2026-01-01T00:00:00+00:00",
        "command": "python -m benchmarks run",
        "commit": "0123",
        "machine": {"cpu": "A", "cpus": 2, "memory_gib": 8.0, "python": "3.11"},
        "threads": 2,
        "scale": 1.0,
        "spec": {"family": "binomial"},
        "tolerance": None,
        "turn": 0,
        "status": "ok",
        "cold": {"import": 0.5, "first": 0.5 + seconds, "total": 1.0 + seconds},
        "warm": {"median": seconds, "fits": 3},
        "accuracy": {"distance": 1e-9},
        "standard_errors": "all",
        "passes": 5,
        "over_hardware": 2.5,
    } | more
