"""Owns how calls are shared out: among the cores of a machine, or among its other devices."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax

from jaxglm._jax import computing

Call = TypeVar("Call")
Found = TypeVar("Found")


def workers() -> int:
    """Calls at a time: one for each core, or for each other device."""
    devices = jax.local_devices()
    return (os.cpu_count() or 1) if devices[0].platform == "cpu" else len(devices)


def shared_out(
    run: Callable[[Call], Found], rounds: Iterable[Sequence[Call]], *, double: bool
) -> Iterator[Found]:
    """`run` of calls, side by side within each round: what compiles a program goes before others.

    In 64 bits where the arithmetic is `double`.
    """

    def on_device(call: Call, device: Any) -> Found:
        # What is set by a context manager holds in its own thread only.
        with computing(double), jax.default_device(device):
            return run(call)

    with ThreadPoolExecutor(workers()) as pool:
        for calls in rounds:
            yield from pool.map(on_device, calls, itertools.cycle(jax.local_devices()))
